"""What is found does not hang on how long it takes: only the stated limit counts, and
then that is said."""

from __future__ import annotations

import builtins
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from shapelint.asked.request import Walk
from shapelint.checking.walk_target import check
from shapelint.facts.kinds import Mode
from shapelint.facts.outcome import TargetReport
from shapelint.fixes import search
from shapelint.rules import catalogue
from tests.conftest import FIXTURES, run_shapelint

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

TWO_MISTAKES = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 16), nn.Linear(17, 32)
        self.c, self.d = nn.Linear(32, 24), nn.Linear(25, 4)

    def forward(self, x):
        return self.d(self.c(self.b(self.a(x))))
"""
TIME_IS_OVER = """

import builtins
from shapelint.facts.errors import OutOfTimeError

builtins.loads_left -= 1
if builtins.loads_left < 0:
    raise OutOfTimeError(1)
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
    assert report.notes == [
        "the search for fixes was cut after 0 tries: `--timeout` gives it more time"
    ]


def test_busy_processes_change_no_byte(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(TWO_MISTAKES)
    model = ("net.py:Net", "--input", "2,8", "--timeout", "inf")
    words = ("check", *model, "--output-format", "json")
    alone = run_shapelint(*words, cwd=tmp_path)
    assert [len(item["fixes"]) > 0 for item in diagnostics(alone.out)] == [True, True]
    loop = [sys.executable, "-I", "-S", "-c", "while True: pass"]
    busy = [subprocess.Popen(loop) for _ in range(6)]
    try:
        beside = run_shapelint(*words, cwd=tmp_path)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert (beside.code, beside.out) == (alone.code, alone.out)


def diagnostics(out: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(out)["diagnostics"]
    return found


@pytest.mark.parametrize("loads", [1, 2, 3, 4, 6])
def test_what_was_walked_and_found_in_time_is_reported(
    loads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is over when the model is made for the so-and-so-many-th time. Each
    finding has all of its fixes or none, and the first ones have them first."""
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(TWO_MISTAKES)
    request = Walk("net.py:Net", ("2,8",), selected=tuple(catalogue().rules))
    whole = check(request)
    monkeypatch.setattr(builtins, "loads_left", loads, raising=False)
    Path("net.py").write_text(TWO_MISTAKES + TIME_IS_OVER)
    report = check(request)
    assert report.rows
    places = [(item.code, item.span and item.span.line) for item in whole.diagnostics]
    assert len(report.diagnostics) == len(places) == 2
    assert all(set(item.modes) == set(Mode) for item in report.diagnostics)
    fixes = [[fix.title for fix in item.fixes] for item in report.diagnostics]
    complete = [[fix.title for fix in item.fixes] for item in whole.diagnostics]
    count = sum(map(bool, fixes))
    assert fixes == [*complete[:count], *[[]] * (2 - count)]
    assert ["cut after" in note for note in report.notes] == [True]


def test_a_search_that_is_cut_for_its_work_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "WORK", 30)
    monkeypatch.setattr(search, "LEAST_WORK", 30)
    target, inputs = TARGETS["a failed call"]
    report = check(Walk(target, inputs, selected=tuple(catalogue().rules)))
    assert [note.partition(",")[2] for note in report.notes] == [
        " at its limit of work"
    ]
