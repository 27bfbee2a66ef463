"""What the check of a failing model costs, in models made and changes tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.failing_programs import programs
from shapelint.facts.findings import Candidate
from shapelint.fixes.verify import Verifier
from shapelint.loading import model
from tests.conftest import FIXTURES, check_target

SMALL_CNN = f"{FIXTURES / 'small_cnn.py'}:SmallCNN"

HEAD = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            {layers}
        )

    def forward(self, x):
        return self.net(x)
"""


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of all changes that are tried."""
    titles: list[str] = []
    screen = Verifier.screen

    def watched(self: Verifier, candidate: Candidate, *rest: Any) -> Any:
        titles.append(candidate.title)
        return screen(self, candidate, *rest)

    monkeypatch.setattr(Verifier, "screen", watched)
    return titles


def test_a_mismatch_makes_the_model_once_for_each_change(
    monkeypatch: pytest.MonkeyPatch, tried: list[str]
) -> None:
    made: list[object] = []
    enter = model.enter_target

    def counted(*given: Any) -> Any:
        made.append(given)
        return enter(*given)

    monkeypatch.setattr(model, "enter_target", counted)
    report: Any = check_target(SMALL_CNN, "1,3,32,32")
    assert len(report.diagnostics[0].fixes) == 3
    edits = [title for title in tried if not title.startswith("`--input")]
    # as it is, and once more with numbers that know their origin
    assert len(made) == 2 + len(edits)
    assert len(made) <= 6


def test_what_a_layer_gives_is_no_reason_why_it_fails(
    write: Callable[..., Path], tried: list[str]
) -> None:
    write(HEAD.format(layers="nn.Linear(8, 16), nn.ReLU(), nn.Linear(32, 4)"))
    check_target("net.py:Net", "2,8")
    assert "`nn.Linear(16, 4)`" in tried
    assert "`nn.Linear(8, 32)`" in tried
    assert [title for title in tried if title.startswith("`nn.Linear(32, ")] == []


def test_an_activation_is_not_put_elsewhere(
    write: Callable[..., Path], tried: list[str]
) -> None:
    layers = "nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.ReLU()"
    write(HEAD.format(layers=layers))
    check_target("net.py:Net", "2,3,8,8")
    assert [title for title in tried if "`nn.ReLU()`" in title] == []


@pytest.mark.parametrize(("side", "is_tried"), [("16,16", True), ("4,4", False)])
def test_a_stride_is_tried_only_where_too_much_arrives(
    side: str, is_tried: bool, write: Callable[..., Path], tried: list[str]
) -> None:
    layers = "nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 8 * 8, 4)"
    write(HEAD.format(layers=layers))
    check_target("net.py:Net", f"2,3,{side}")
    assert any("stride=2" in title for title in tried) is is_tried


@pytest.mark.parametrize("name", ["resnet, norm", "mlp, norm"])
def test_a_norm_of_other_channels_is_solved_at_once(
    name: str, write: Callable[..., Path], tried: list[str]
) -> None:
    program = next(each for each in programs(1) if each.name == name)
    write(program.source)
    report: Any = check_target("net.py:Net", *program.inputs)
    right = {
        "resnet, norm": "`nn.BatchNorm2d(outside)`",
        "mlp, norm": '`nn.BatchNorm1d(cfg["hidden"])`',
    }
    assert report.diagnostics[0].fixes[0].title == right[name]
    assert len(tried) < 12
