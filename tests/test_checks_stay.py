"""What a check demands is the author's word: no fix edits a condition, of whatever
spelling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.texts import DISK
from shapelint.syntax.trees import parse_file
from tests import eager
from tests.conftest import run_shapelint

HEAD = """import torch
from torch import nn


def require_width(x, width):
    \"\"\"What comes in is as wide as the model takes it.\"\"\"
    found = x.shape[-1]
    assert found == width


class Net(nn.Module):
    def __init__(self, size=32):
        super().__init__()
        self.size = size
        self.fc = nn.Linear(3, 2)

    def within(self, x):
        assert x.shape[-1] == 32
        return x

    def forward(self, x):
"""
END = "        return self.fc(x.mean((2, 3)))\n"

CHECKS = {
    "assert": "assert x.shape[-1] == 32",
    "assert with a message": 'assert x.shape[-1] == 32, f"{x.shape[-1]} is not 32"',
    "assert of a tuple": "assert tuple(x.shape[1:]) == (3, 32, 32)",
    "assert of several": "assert x.ndim == 4 and x.shape[-1] == 32",
    "assert within a method": "x = self.within(x)",
    "helper that checks": "require_width(x, 32)",
    "guard": 'if x.shape[-1] != 32:\n            raise ValueError("32 wide")',
    "guard in one line": "if x.shape[-1] != 32: raise ValueError(x.shape)",
    "guard with a message made": 'if x.shape[-1] != 32:\n            text = "32 wide"\n            raise ValueError(text)',
    "guard that raises else": "if x.shape[-1] == 32:\n            x = x + 1\n        else:\n            raise ValueError(x.shape)",
    "torch._assert": 'torch._assert(x.shape[-1] == 32, "32 wide")',
    "torch._check": 'torch._check(x.shape[-1] == 32, lambda: "32 wide")',
}


@pytest.mark.parametrize("spelling", CHECKS)
def test_no_fix_edits_the_condition(spelling: str, lint: Callable[..., Any]) -> None:
    source = f"{HEAD}        {CHECKS[spelling]}\n{END}"
    assert eager.raises(source, ("1,3,64,64",))
    assert not eager.raises(source, ("1,3,32,32",))
    found = [
        item
        for item in lint(source, "1,3,64,64").diagnostics
        if item.severity.value == "error"
    ]
    assert found
    assert not [fix for item in found for fix in item.fixes if fix.edits]


@pytest.mark.parametrize("spelling", ["guard", "helper that checks"])
def test_unsafe_fixes_leave_it_too(spelling: str, tmp_path: Path) -> None:
    source = f"{HEAD}        {CHECKS[spelling]}\n{END}"
    file = tmp_path / "net.py"
    file.write_text(source)
    words = (
        "net.py:Net",
        "--input",
        "1,3,64,64",
        "--no-report",
        "--fix",
        "--unsafe-fixes",
    )
    done = run_shapelint("check", *words, cwd=tmp_path)
    assert file.read_bytes() == source.encode()
    said = "not fixed: the input is wrong; the model runs with `--input 1,3,32,32`"
    assert said in done.err


REFUSES = (
    HEAD.replace(
        "        self.size = size\n",
        "        self.size = size\n        assert size % 3 == 0\n",
    )
    + END
)


def test_a_setting_that_a_check_uses_may_be_changed(lint: Callable[..., Any]) -> None:
    """`size=32` says what the model is made for, the condition what that must be."""
    assert "AssertionError" in eager.raises(REFUSES, ("1,3,32,32",))
    fixes = [
        fix for item in lint(REFUSES, "1,3,32,32").diagnostics for fix in item.fixes
    ]
    assert fixes
    for fix in fixes:
        mended = eager.edited(Path.cwd(), fix)
        assert "assert size % 3 == 0" in mended
        assert not eager.raises(mended, ("1,3,32,32",))


def test_only_conditions_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(
        f"{HEAD}        {CHECKS['guard']}\n        if x.ndim == 4:\n            x = x + 1\n{END}"
    )
    source = parse_file(str(file), DISK)
    assert source is not None

    def reaches(text: str, inside: str) -> bool:
        line = next(
            at for at, each in enumerate(source.text.split("\n"), 1) if text in each
        )
        column = source.text.split("\n")[line - 1].index(inside) + 1
        edit = Edit(
            str(file), Position(line, column), Position(line, column + len(inside)), "7"
        )
        return edits_a_check([edit], DISK)

    assert reaches("if x.shape[-1] != 32", "32")
    assert reaches("assert found == width", "width")
    assert not reaches("32 wide", "32")
    assert not reaches("if x.ndim == 4", "4")
    assert not reaches("nn.Linear(3, 2)", "3")
    assert not reaches("size=32", "32")
