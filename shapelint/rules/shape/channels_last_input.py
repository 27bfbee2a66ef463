"""SHP112."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.other_inputs import permuted_input, unbatched_permuted_input
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Shape, Trace, Walked
from shapelint.syntax.walked_calls import (
    call_expression,
    failed_calls,
    located,
    shape_text,
)

_KEEPS = {
    "add",
    "sub",
    "mul",
    "div",
    "float",
    "to",
    "contiguous",
    "clamp",
    "type",
    "Identity",
}


class ChannelsLastInput(Rule):
    """
    ## What it does
    Finds images fed as (batch, height, width, channels) to a model that takes (batch,
    channels, height, width).

    ## Why is this bad?
    The first convolution raises about its channels. OpenCV, PIL, NumPy and TensorFlow
    keep channels last, PyTorch first.

    ## Fix
    `x.permute(0, 3, 1, 2)` where the images come in; `torch.channels_last` is a memory
    format, not this."""

    code = "SHP112"
    name = "channels-last-input"
    supersedes = ("SHP102", "SHP111", "SHP119")
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.conv(x)
""",
        ("1,32,32,3",),
        raises="RuntimeError: Given groups=1, weight of size [8, 3, 3, 3], expected input[1, 32, 32, 3] "
        "to have 3 channels, but got 32 channels instead",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.conv(x.permute(0, 3, 1, 2))
""",
        ("1,32,32,3",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked, "conv1d", "conv2d", "conv3d"):
            failure = call.failure
            assert failure is not None
            x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
            dims = len(weight.shape) - 2
            takes = weight.shape[1] * (failure.arg(6, "groups", 1) or 1)
            if not _is_input(trace, call):
                continue
            if (
                len(x.shape) == dims + 2
                and x.shape[1] != takes
                and x.shape[-1] == takes
            ):
                yield self._finding(walked, trace, call, x.shape, takes)
            elif (
                len(x.shape) == dims + 1
                and x.shape[0] != takes
                and x.shape[-1] == takes
            ):
                yield self._unbatched(walked, trace, call, x.shape, takes)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, shape: Shape, takes: int
    ) -> Finding:
        right = (shape[0], shape[-1], *shape[1:-1])
        diagnostic = replace(
            self.diagnostic(
                f"the input {shape_text(shape)} has its {takes} channels last, PyTorch takes them first"
            ),
            label=f"{takes} channels expected in dimension 1, found in dimension {len(shape) - 1}",
            expected=shape_text(right),
            found=shape_text(shape),
        )
        candidates = [
            *permuted_input(walked, shape),
            *_permute(walked, call, len(shape)),
        ]
        return Finding(
            located(diagnostic, walked, trace, call),
            trace.mode,
            call.index,
            tuple(candidates),
        )

    def _unbatched(
        self, walked: Walked, trace: Trace, call: Call, shape: Shape, takes: int
    ) -> Finding:
        right = (1, shape[-1], *shape[:-1])
        diagnostic = replace(
            self.diagnostic(
                f"the input {shape_text(shape)} has its {takes} channels last and no batch dimension"
            ),
            label=f"{shape_text(right)} expected",
            expected=shape_text(right),
            found=shape_text(shape),
        )
        candidates = tuple(unbatched_permuted_input(walked, shape))
        return Finding(
            located(diagnostic, walked, trace, call), trace.mode, call.index, candidates
        )


def _is_input(trace: Trace, call: Call) -> bool:
    """Whether what arrives is a model input, at most scaled or cast on the way."""
    way = trace.way_to(call)
    first = way[0] if way else call
    return 0 in first.from_input and all(step.op in _KEEPS for step in way)


def _permute(walked: Walked, call: Call, rank: int) -> list[Candidate]:
    expression = call_expression(walked, call)
    written = expression.argument(0) if expression is not None else None
    if expression is None or written is None:
        return []
    order = ", ".join(map(str, (0, rank - 1, *range(1, rank - 1))))
    text = f"{expression.source.segment(written)}.permute({order})"
    return [Candidate(f"`{text}`", (expression.replaced(written, text),))]
