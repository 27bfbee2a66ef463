"""First fixes that follow from where sizes come from, held against eager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.asked.inputs import parse_inputs
from shapelint.render.finding_text import render_diagnostic
from shapelint.render.style import Style
from tests import eager
from tests.conftest import check_target
from tests.programs.origins import MISTAKES, SIZES_OF_THREE, Mistake


def more_samples(inputs: tuple[str, ...]) -> tuple[str, ...]:
    """The same inputs with three samples more."""
    changed = []
    for word, spec in zip(inputs, parse_inputs(inputs), strict=True):
        batch, *rest = spec.shape
        sizes = ",".join(map(str, (batch + 3, *rest)))
        changed.append(sizes + word.partition(":")[1] + word.partition(":")[2])
    return tuple(changed)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_help_is_what_a_person_would_change(
    name: str, write: Callable[..., Path]
) -> None:
    mistake: Mistake = MISTAKES[name]
    file = write(mistake.source)
    assert eager.raises(mistake.source, mistake.inputs, mistake.target)
    report: Any = check_target(f"net.py:{mistake.target}", *mistake.inputs)
    errors = [item for item in report.diagnostics if item.severity.value == "error"]
    assert [item.fixes[0].title for item in errors] == [mistake.help]
    changed = eager.edited(file.parent, errors[0].fixes[0])
    for inputs in (mistake.inputs, more_samples(mistake.inputs)):
        assert eager.raises(changed, inputs, mistake.target) == ""


def test_a_mistake_made_twice_is_found_behind_its_first_fix(
    write: Callable[..., Path],
) -> None:
    file = write(SIZES_OF_THREE)
    inputs = ("2,3,64,64", "2,4")
    assert eager.raises(SIZES_OF_THREE, inputs, "Net")
    report: Any = check_target("net.py:Net", *inputs)
    errors = [item for item in report.diagnostics if item.severity.value == "error"]
    first, second = (item.fixes[0] for item in errors)
    assert (first.title, second.title) == ("`Mix(8, 32)`", "`Mix(12, 16)`")
    assert [item.is_after_fix for item in errors] == [False, True]
    # the second is the user's: with the first alone it raises in eager
    once = eager.edited(file.parent, first)
    assert eager.raises(once, inputs, "Net")
    changed = eager.edited(file.parent, first, second)
    for given in (inputs, more_samples(inputs)):
        assert eager.raises(changed, given, "Net") == ""


def test_a_finding_says_what_its_sizes_were_computed_from(
    write: Callable[..., Path],
) -> None:
    mistake = MISTAKES["a decoder behind a bidirectional encoder"]
    write(mistake.source)
    report: Any = check_target("net.py:Net", *mistake.inputs)
    (error,) = report.diagnostics
    assert [(each.size, each.expression) for each in error.origins] == [
        (56, "emb + hid * 2"),
        (40, "emb + hid"),
    ]
    text = render_diagnostic(error, Style(colour=False))
    assert "= size: 56 = emb + hid * 2 (net.py:7)" in text
