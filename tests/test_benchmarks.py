"""The benchmarks of advice and of cost measure what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.failing_programs import ARCHITECTURES, Program, correct, programs
from benchmarks.mutation.eager import eager_error
from benchmarks.mutation.equal_text import is_same_text
from benchmarks.mutation.mended import Mended, Restored, judge_fix
from benchmarks.mutation.subjects import Subject
from shapelint.facts.diagnostics import Edit, Fix
from shapelint.facts.kinds import Safety
from shapelint.facts.places import Position

SOURCE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.first = nn.Linear(4, dim)
        self.last = nn.Linear(dim, 2)

    def forward(self, x):
        return self.last(self.first(x))
"""
INPUTS = "import torch\n\n\ndef inputs():\n    return (torch.rand(2, 4),), {}\n"
SUBJECT = Subject("net", SOURCE, "Net", INPUTS)
LINE = 10
WRONG = SOURCE.replace("nn.Linear(dim, 2)", "nn.Linear(9, 2)")


def raised_by(program: Program, folder: Path) -> str:
    """What eager raises in a program."""
    made = f"inputs_of(parse_inputs({program.inputs!r})).make()"
    (folder / "inputs.py").write_text(
        "from shapelint.asked.inputs import parse_inputs\n"
        "from shapelint.loading.model_inputs import inputs_of\n\n\n"
        f"def inputs():\n    return {made}\n"
    )
    subject = Subject(program.name, program.source, "Net", "")
    return eager_error(program.source, subject, folder)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_runs_and_each_of_its_mistakes_raises(
    name: str, tmp_path: Path
) -> None:
    assert raised_by(correct(name, 1), tmp_path) == ""
    broken = [each for each in programs(1) if each.name.startswith(f"{name}, ")]
    assert len(broken) == 4
    for program in broken:
        assert raised_by(program, tmp_path), program.name


def judged(line: str, folder: Path) -> Mended:
    """What comes of writing `line` in place of the wrong one."""
    (folder / "inputs.py").write_text(INPUTS)
    old = WRONG.split("\n")[LINE - 1]
    edit = Edit("net.py", Position(LINE, 9), Position(LINE, len(old) + 1), line)
    return judge_fix(Fix("", Safety.SAFE, True, (edit,)), WRONG, SUBJECT, folder)


@pytest.mark.parametrize(
    ("line", "restored", "damage"),
    [
        ("self.last = nn.Linear( dim, 2 )", Restored.TEXT, ""),
        ("self.last = nn.Linear(8, 2)", Restored.VALUE, ""),
        ("self.last = nn.Sequential(nn.Linear(dim, 2))", Restored.RUNS, ""),
        ("self.last = nn.Linear(dim, 3)", Restored.RUNS, "sizes"),
        ("self.last = lambda x: x.sum(-1)", Restored.RUNS, "rank"),
        ("self.last = lambda x: x.mean(0, True)", Restored.RUNS, "batch"),
        ("self.last = lambda x: (x + x.mean(0))[:, :2]", Restored.RUNS, "samples"),
        ("self.last = nn.Linear(7, 2)", Restored.RAISES, ""),
        ("self.last = lambda x: x.view(2, 8)[:, :2]", Restored.RAISES, ""),
    ],
)
def test_a_fix_is_held_against_the_file_before_it_was_broken(
    line: str, restored: Restored, damage: str, tmp_path: Path
) -> None:
    found = judged(line, tmp_path)
    assert found.restored is restored, found.raised
    assert found.damage.startswith(damage)
    assert bool(found.damage) == bool(damage)


def test_words_that_give_equal_results_are_told_from_equal_values(
    tmp_path: Path,
) -> None:
    found = judged("self.last = nn.Linear(dim, 2); self.double = 2", tmp_path)
    assert found.restored is Restored.BEHAVIOUR


def test_comments_and_spaces_are_no_part_of_the_text() -> None:
    assert is_same_text("a = f(1)  # one\n", "a = f( 1 )\n")
    assert not is_same_text("a = f(1)\n", "a = f(2)\n")
