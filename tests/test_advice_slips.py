"""First fixes of slips in names, calls and constructors, held against eager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.changes.near_names import FAR, distance_between
from tests import eager
from tests.conftest import check_target
from tests.programs.advice_slips import (
    DIGITS,
    RANKS,
    SHORTCUTS,
    SLIPS,
    Slip,
)

INPUTS = ("2,3,8,8",)
MORE = ("5,3,8,8",)
ALL = {**SLIPS, **SHORTCUTS, **RANKS}


def raises(source: str, inputs: tuple[str, ...], target: str = "Net") -> str:
    """What eager raises, also if what is made is no model."""
    try:
        return eager.raises(source, inputs, target)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", ALL)
def test_the_first_help_is_what_a_person_would_change(
    name: str, write: Callable[..., Path]
) -> None:
    slip: Slip = ALL[name]
    file = write(slip.source)
    assert raises(slip.source, INPUTS, slip.target)
    report: Any = check_target(f"net.py:{slip.target}", *INPUTS)
    errors = [item for item in report.diagnostics if item.severity.value == "error"]
    assert [item.code for item in errors] == [slip.code]
    title = errors[0].fixes[0].title
    assert title == slip.help or (slip.help[0] != "`" and slip.help in title)
    changed = eager.edited(file.parent, errors[0].fixes[0])
    for inputs in (INPUTS, MORE):
        assert raises(changed, inputs, slip.target) == ""
    if slip.restores:
        assert changed == slip.model
    if slip.code != "SHP408":
        # the report goes on behind it, to what the model gives
        assert str(report.output) == f"f32[2,{slip.classes}]"


def test_an_error_behind_a_slip_in_a_constructor_is_reported_with_it(
    write: Callable[..., Path],
) -> None:
    write(
        DIGITS.replace("nn.Conv2d(6", "nn.Conv2D(6").replace("12 * 2 * 2", "12 * 3 * 3")
    )
    report: Any = check_target("net.py:Net", *INPUTS)
    assert {item.code for item in report.diagnostics} == {"SHP101", "SHP902"}
    follow = next(item for item in report.diagnostics if item.code == "SHP101")
    assert follow.fixes[0].title == "`nn.Linear(12 * 2 * 2, hidden)`"
    assert follow.is_after_fix


@pytest.mark.parametrize(
    "wrong",
    [
        "self.decoder(x)",
        "self.conv3(self.conv2(x))",
        "undefined(x)",
        "torch.nosuchthing(x)",
    ],
)
def test_what_is_near_to_nothing_gets_no_help(
    wrong: str, write: Callable[..., Path]
) -> None:
    write(DIGITS.replace("self.conv2(x)", wrong))
    report: Any = check_target("net.py:Net", *INPUTS)
    assert [len(item.fixes) for item in report.diagnostics] == [0]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("fcl", "fc1"),
        ("conv_2", "conv2"),
        ("Conv2D", "Conv2d"),
        ("kernal_size", "kernel_size"),
        ("n_classes", "num_classes"),
        ("embed", "embedding"),
        ("hidden_size", "hidden_dim"),
    ],
)
def test_names_that_are_near(name: str, other: str) -> None:
    assert distance_between(name, other) < FAR


@pytest.mark.parametrize(
    ("name", "other"),
    [("conv4", "conv3"), ("bn", "fc"), ("x", "y"), ("enc", "dec"), ("lin1", "fc1")],
)
def test_names_that_are_not(name: str, other: str) -> None:
    assert distance_between(name, other) == FAR
