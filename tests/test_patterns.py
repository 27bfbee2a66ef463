"""einops: its exceptions are findings at the user's expression, and the walk goes
on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import TensorFact
from shapelint.ops.recovery import recover_shapes
from tests import eager
from tests.conftest import codes

pytest.importorskip("einops")
Lint = Callable[..., Any]
HEAD = "from torch import nn\nfrom einops import rearrange, repeat\nfrom einops.layers.torch import Rearrange\n"


def net(made: str, forward: str) -> str:
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self, heads=5):\n        super().__init__()\n"
        f"        self.heads = heads\n        self.net = {made}\n    def forward(self, x):\n        return {forward}\n"
    )


def test_heads_that_do_not_divide_are_mended_where_they_are_written(lint: Lint) -> None:
    source = net(
        "nn.Linear(32, 7)",
        "self.net(rearrange(x, 'b n (h d) -> b h n d', h=self.heads)), self.net(x[0])",
    )
    report = lint(source, "2,9,32")
    assert sorted(codes(report)) == ["SHP101", "SHP107"]
    first = next(finding for finding in report.diagnostics if finding.code == "SHP107")
    assert (
        first.message
        == "`rearrange` cannot split the 32 of (2, 9, 32) into `(h d)` with h=5"
    )
    assert (first.span.line, [fix.title for fix in first.fixes]) == (5, ["`heads=4`"])
    assert eager.raises(source, ("2,9,32",)).startswith("EinopsError")


def test_a_layer_that_fails_is_not_the_end(lint: Lint) -> None:
    source = net(
        "nn.Sequential(Rearrange('b c (h p) w -> b h (p w c)', p=7), nn.Linear(3, 4))",
        "self.net(x)",
    )
    report = lint(source, "2,3,32,32")
    assert codes(report) == ["SHP107", "SHP101"]
    assert str(report.output) == "f32[2,4,4]"
    assert not [
        name
        for name in vars(sys.modules["einops.einops"])
        if name.startswith("original")
    ]


def test_dimensions_that_are_missing(lint: Lint) -> None:
    source = net("nn.Linear(48, 2)", "self.net(rearrange(x, 'b c h w -> b (c h w)'))")
    (finding,) = lint(source, "3,4,4").diagnostics
    assert finding.code == "SHP113"
    assert finding.fixes[0].title == "`--input 1,3,4,4`, a batch dimension in front"
    assert not eager.raises(source, ("1,3,4,4",))


@pytest.mark.parametrize(
    ("pattern", "lengths", "shape", "expected"),
    [
        ("b (h d) -> b h d", {"h": 5}, (2, 32), (2, 5, 6)),
        ("b c h w -> b (h w) c", {}, (2, 3, 4, 5), (2, 20, 3)),
        ("b n -> b n 1 (r q)", {"r": 2, "q": 3}, (2, 3), (2, 3, 1, 6)),
    ],
)
def test_recovered_shapes(
    pattern: str,
    lengths: dict[str, int],
    shape: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    failure = Failure(
        "einops.rearrange",
        (TensorFact("f32", shape), pattern),
        lengths,
        "EinopsError",
        "",
    )
    assert recover_shapes(failure) == [expected]


def test_an_ellipsis_is_left_to_the_exception(lint: Lint) -> None:
    source = net("nn.Identity()", "rearrange(x, '... (h d) -> ... h d', h=self.heads)")
    (finding,) = lint(source, "2,9,32").diagnostics
    assert finding.code == "SHP107"
    assert finding.fixes[0].title == "`heads=4`"
