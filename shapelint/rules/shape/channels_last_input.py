"""SHP112."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint import ops
from shapelint.changes.other_inputs import permute_and_batch_input, permute_input
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.families.convolution import channels_taken
from shapelint.ops.record import Family
from shapelint.syntax.walked_calls import (
    call_expression,
    count_noun,
    find_failed_calls,
    finding_at_layer,
    shape_text,
)


class ChannelsLastInput(Rule):
    """
    ## What it does
    Finds images passed as (batch, height, width, channels) to a model that takes
    (batch, channels, height, width).

    ## Why is this bad?
    The first convolution raises an error about its channels. OpenCV, PIL, NumPy and
    TensorFlow put the channels last, PyTorch puts them first.

    ## Fix
    Call `x.permute(0, 3, 1, 2)` where the images come in. `torch.channels_last` does
    not help: it is a memory format and leaves the shape as it is.
    """

    code = "SHP112"
    name = "channels-last-input"
    # the same convolution sees wrong channels, or a map of the height of its channels
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
        raises="RuntimeError: Given groups=1, weight of size [8, 3, 3, 3], expected "
        "input[1, 32, 32, 3] "
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
        for trace, call, failure in find_failed_calls(walked, *_convolutions()):
            if not _takes_model_input(trace, call):
                continue
            shape, weight = failure.arg(0, "input").shape, failure.arg(1, "weight")
            dims = len(weight.shape) - 2
            takes = channels_taken(failure)
            if len(shape) not in (dims + 1, dims + 2):
                continue
            # 3 channels first and 3 columns last are right as they are
            has_channels_first = shape[-dims - 1] == takes
            if has_channels_first or shape[-1] != takes:
                continue
            is_batched = len(shape) == dims + 2
            build = self._finding if is_batched else self._report_unbatched
            yield build(walked, trace, call, shape, takes)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, shape: Shape, takes: int
    ) -> Finding:
        channels, last = count_noun(takes, "channel"), len(shape) - 1
        right = (shape[0], takes, *shape[1:-1])
        draft = self.mismatch(
            f"input {shape_text(shape)} has its {channels} last, but PyTorch "
            "expects channels first",
            shape_text(right),
            shape_text(shape),
            f"{channels} expected in dimension 1, found in dimension {last}",
        )
        candidates = [
            *permute_input(walked, shape),
            *_permute(walked, call, len(shape)),
        ]
        return finding_at_layer(walked, trace, call, draft, candidates)

    def _report_unbatched(
        self, walked: Walked, trace: Trace, call: Call, shape: Shape, takes: int
    ) -> Finding:
        channels = count_noun(takes, "channel")
        right = shape_text((1, takes, *shape[:-1]))
        draft = self.mismatch(
            f"input {shape_text(shape)} has its {channels} last and no batch dimension",
            right,
            shape_text(shape),
            f"{right} expected",
        )
        candidates = permute_and_batch_input(walked, shape)
        return finding_at_layer(walked, trace, call, draft, candidates)


def _takes_model_input(trace: Trace, call: Call) -> bool:
    """Whether the input of a call is a model input, possibly scaled or cast."""
    way = trace.way_to(call)
    first = way[0] if way else call
    return 0 in first.from_input and all(_keeps_image(step.op) for step in way)


def _convolutions() -> tuple[str, ...]:
    return ops.where(
        lambda op: op.family is Family.CONVOLUTION and not op.is_transposed
    )


def _keeps_image(op: str) -> bool:
    """Whether an op scales or casts without changing the shape."""
    return ops.keeps_shape(op) or ops.is_of(op, Family.ELEMENTWISE)


def _permute(walked: Walked, call: Call, rank: int) -> list[Candidate]:
    """Write `x.permute(0, 3, 1, 2)` where the layer is called."""
    expression = call_expression(walked, call)
    written = expression.argument(0) if expression is not None else None
    if expression is None or written is None:
        return []
    order = ", ".join(map(str, (0, rank - 1, *range(1, rank - 1))))
    text = f"{expression.source.segment(written)}.permute({order})"
    return [Candidate(f"`{text}`", (expression.replace_node(written, text),))]
