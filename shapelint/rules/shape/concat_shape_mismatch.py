"""SHP105."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shapelint import ops
from shapelint.changes.map_operands import resize_maps
from shapelint.changes.operands import rewrite_operands
from shapelint.changes.other_inputs import are_sides_halvable, exchange_sides
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.tensors import Shape, facts_in
from shapelint.facts.walked_target import Walked
from shapelint.ops.families.concatenation import read_joined_dimension
from shapelint.ops.halved_sizes import explain_halving
from shapelint.ops.record import Family
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import find_failed_calls, finding_at_call, shape_text

# Shapes named in the message; a list may be long
SHOWN = 4


class ConcatShapeMismatch(Rule):
    """
    ## What it does
    Finds `torch.cat` of tensors that differ in a dimension other than the one they are
    joined along, and `torch.stack` of tensors that differ at all.

    ## Why is this bad?
    The forward raises. In a U-Net this happens at sizes that the pooling layers do not
    divide: 65 is halved to 32 and doubled to 64, while the skip connection still has
    65.

    ## Fix
    Crop, pad or interpolate to the size of the skip connection before joining. Or use
    input sizes that are a multiple of `2**n`, where `n` is the number of pooling
    layers.
    """

    code = "SHP105"
    name = "concat-shape-mismatch"
    supersedes = ("SHP119",)
    bad = Example(
        """
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        small = F.max_pool2d(x, 2)
        return torch.cat([x, self.up(small)], dim=1)
""",
        ("1,8,33,33",),
        raises="RuntimeError: Sizes of tensors must match except in dimension 1. Expected "
        "size 33 but "
        "got size 32 for tensor number 1 in the list.",
    )
    good = Example(
        """
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def forward(self, x):
        small = F.max_pool2d(x, 2)
        return torch.cat([x, F.interpolate(small, size=x.shape[-2:])], dim=1)
""",
        ("1,8,33,33",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in find_failed_calls(
            walked, *ops.in_family(Family.JOINING)
        ):
            shapes = [fact.shape for fact in facts_in(failure.arg(0, "tensors"))]
            dim = read_joined_dimension(failure)
            joined_along = None if ops.of(failure.op).adds_dim else dim
            difference = _find_difference(shapes, joined_along)
            if difference is None:
                continue
            texts = [shape_text(shape) for shape in shapes]
            others = [text for text in texts if text != texts[0]]
            message = f"{subject(call)} cannot join {' and '.join(texts[:SHOWN])}"
            label = explain_halving(trace, call) or difference
            draft = self.mismatch(
                f"{message} along dimension {dim}", texts[0], others[0], label
            )
            candidates = [
                *rewrite_operands(walked, call, _joins(joined_along)),
                *resize_maps(walked, call, are_sides_halvable(walked)),
                *exchange_sides(walked),
            ]
            yield finding_at_call(walked, trace, call, draft, candidates)


def _joins(joined_along: int | None) -> Callable[[list[Shape]], bool]:
    """Make a test of whether changed shapes can be joined."""
    return lambda shapes: _find_difference(shapes, joined_along) is None


def _find_difference(shapes: list[Shape], joined_along: int | None) -> str | None:
    """Describe how shapes differ outside of the dimension they are joined along; None
    if they fit. For `stack`, which adds a dimension, `joined_along` is None."""
    # `cat` skips a tensor of shape (0,), which older code starts its loops with
    is_stack = joined_along is None
    whole = [shape for shape in shapes if is_stack or shape != (0,)]
    ranks = sorted({len(shape) for shape in whole})
    if len(ranks) > 1:
        return f"the tensors have {' and '.join(map(str, ranks))} dimensions"
    if not ranks or ranks == [0]:
        return None
    skipped = joined_along % ranks[0] if joined_along is not None else None
    for axis in range(ranks[0]):
        sizes = list(dict.fromkeys(shape[axis] for shape in whole))
        if axis != skipped and len(sizes) > 1:
            return f"dimension {axis} differs: {' and '.join(map(str, sizes))}"
    return None
