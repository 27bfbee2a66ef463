"""What is found does not hang on how long it takes: only the stated limit counts, and
then that is said."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from shapelint.asked.request import Walk
from shapelint.checking.walk_target import check
from shapelint.facts.outcome import TargetReport
from shapelint.rules import catalogue
from tests.conftest import FIXTURES

TARGETS = {
    "a failed call": (f"{FIXTURES / 'small_cnn.py'}:SmallCNN", ("1,3,32,32",)),
    "several": (f"{FIXTURES / 'three_errors.py'}:ThreeErrors", ("1,3,32,32",)),
    "a constructor that refuses": ("net.py:Net", ("1,64",)),
}
REFUSES = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(64, 7)

    def forward(self, x):
        return self.attention(x, x, x)[0]
"""


def said(report: TargetReport) -> list[Any]:
    return [
        (item.code, item.span, [(fix.title, fix.edits) for fix in item.fixes])
        for item in report.diagnostics
    ]


@pytest.fixture(params=list(TARGETS))
def request_of(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Walk:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(REFUSES)
    target, inputs = TARGETS[request.param]
    return Walk(target, inputs, selected=tuple(catalogue().rules), seconds=1e6)


def test_a_slow_machine_finds_the_same(
    request_of: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every look at the clock is a minute later than the last."""
    expected = said(check(request_of))
    assert any(fixes for _, _, fixes in expected)
    minutes = itertools.count(0, 60)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(minutes)))
    assert said(check(request_of)) == expected


def test_a_time_that_is_over_before_fixes_were_found_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target, inputs = TARGETS["a failed call"]
    report = check(
        Walk(target, inputs, selected=tuple(catalogue().rules), seconds=1e-6)
    )
    assert [item.code for item in report.diagnostics] == ["SHP101"]
    assert not report.diagnostics[0].fixes
    assert report.rows
    assert (
        "fixes were not looked for to the end, for lack of time (--timeout)"
        in report.notes
    )
