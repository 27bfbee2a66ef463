"""Every rule's own examples: the bad one gives its code and eager agrees, the good one
does not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from shapelint.facts.findings import Rule
from shapelint.rules import catalogue
from tests import eager
from tests.conftest import codes, run_shapelint

RULES = catalogue().rules
EXAMPLES = [rule for rule in RULES.values() if rule.bad is not None]


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.code)
def test_bad_example_gives_its_code_and_nothing_else(
    rule: Rule, lint: Callable[..., Any]
) -> None:
    assert rule.bad is not None
    report = lint(rule.bad.source, *rule.bad.inputs, target=rule.bad.target)
    assert codes(report) == [rule.code]
    assert report.diagnostics[0].span is not None


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.code)
def test_good_example_is_free_of_it(rule: Rule, lint: Callable[..., Any]) -> None:
    assert rule.good is not None
    report = lint(rule.good.source, *rule.good.inputs, target=rule.good.target)
    assert rule.code not in codes(report)
    assert not eager.raises(
        rule.good.source, rule.good.inputs, rule.good.target, rule.good.backward
    )


@pytest.mark.parametrize(
    "rule",
    [rule for rule in EXAMPLES if rule.severity.value == "error"],
    ids=lambda rule: rule.code,
)
def test_eager_raises_for_the_bad_example_what_its_page_says(rule: Rule) -> None:
    assert rule.bad is not None
    raised = eager.raises(
        rule.bad.source, rule.bad.inputs, rule.bad.target, rule.bad.backward
    )
    assert rule.bad.raises
    assert not rule.bad.backward or not eager.raises(
        rule.bad.source, rule.bad.inputs, rule.bad.target
    )
    assert raised.startswith(rule.bad.raises)


def test_dropout_that_ignores_eval_gives_two_results() -> None:
    rule = RULES["SHP401"]
    assert rule.bad is not None
    assert rule.good is not None
    x = torch.rand(1, 16) + 1
    bad, good = (
        eager.build(example.source, "Net").eval() for example in (rule.bad, rule.good)
    )
    torch.manual_seed(0)
    assert not torch.equal(bad(x), bad(x))
    assert torch.equal(good(x), good(x))


def test_a_tensor_left_on_the_cpu_raises_once_the_model_has_moved() -> None:
    """The meta device stands for an accelerator: eager refuses to mix it with the CPU
    in the same way."""
    rule = RULES["SHP115"]
    assert rule.bad is not None
    assert rule.good is not None
    x = torch.rand(2, 16, device="meta")
    with pytest.raises(
        RuntimeError, match=rule.bad.raises.removeprefix("RuntimeError: ")
    ):
        eager.build(rule.bad.source, "Net").to("meta")(x)
    assert eager.build(rule.good.source, "Net").to("meta")(x).device.type == "meta"


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.code)
def test_fixes_of_the_bad_example_run_in_eager(
    rule: Rule, lint: Callable[..., Any], tmp_path: Path
) -> None:
    assert rule.bad is not None
    report = lint(rule.bad.source, *rule.bad.inputs, target=rule.bad.target)
    for fix in report.diagnostics[0].fixes:
        assert fix.verified
        if fix.edits:
            mended = eager.edited(tmp_path, fix)
            assert not eager.raises(
                mended, rule.bad.inputs, rule.bad.target, rule.bad.backward
            )
        else:
            words = tuple(
                word for word in fix.title.split("`")[1].split() if word != "--input"
            )
            assert not eager.raises(rule.bad.source, words, rule.bad.target)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_page_says_what_why_and_what_to_do(rule: Rule) -> None:
    page = inspect.getdoc(rule) or ""
    assert "## What it does" in page
    assert "## Why is this bad?" in page
    assert "## Fix" in page


def test_every_code_of_the_first_catalogue_is_there() -> None:
    expected = [*range(101, 118), 119, 301, 401, 402, 901, 902, 903]
    assert set(RULES) >= {f"SHP{number}" for number in expected}


def test_rule_command_explains_by_code_and_by_name() -> None:
    by_code, by_name = (
        run_shapelint("rule", "SHP101"),
        run_shapelint("rule", "linear-input-mismatch"),
    )
    assert by_code.code == 0
    assert by_code.out == by_name.out
    assert "# linear-input-mismatch (SHP101)" in by_code.out
    assert "nn.Linear(8 * 16 * 16, 10)" in by_code.out


def test_rule_all_lists_each_with_a_summary() -> None:
    listed = run_shapelint("rule", "--all")
    lines = listed.out.strip().splitlines()
    assert [line.split()[0] for line in lines] == sorted(RULES)
    assert all(len(line.split()) > 6 for line in lines)
