"""SHP105."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shapelint.changes.operands import resized, turned
from shapelint.changes.other_inputs import halves_well, other_sizes
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Shape, Walked, facts_in
from shapelint.syntax.walked_calls import at_call, failed_calls, shape_text, subject


class ConcatShapeMismatch(Rule):
    """
    ## What it does
    Finds `torch.cat` and `torch.stack` of tensors that differ outside of the dimension
    they are joined in.

    ## Why is this bad?
    The forward raises. In a U-Net it shows up at sizes that the poolings do not divide:
    65 is halved to 32 and doubled to 64, while the skip still has 65.

    ## Fix
    Crop, pad or interpolate to the skip's size before joining; or feed sizes that are a
    multiple of 2 to the number of poolings."""

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
        raises="RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 33 but "
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
        for trace, call in failed_calls(
            walked, "cat", "concat", "concatenate", "stack"
        ):
            failure = call.failure
            assert failure is not None
            shapes = [fact.shape for fact in facts_in(failure.arg(0, "tensors"))]
            dim = failure.arg(1, "dim", failure.kwargs.get("axis", 0)) or 0
            difference = _difference(shapes, dim, failure.op == "stack")
            if difference is None:
                continue
            texts = ", ".join(shape_text(shape) for shape in shapes[:4])
            diagnostic = replace(
                self.diagnostic(
                    f"{subject(call)} along dimension {dim} cannot join {texts}"
                ),
                label=difference,
                expected=shape_text(shapes[0]),
                found=next(shape_text(shape) for shape in shapes if shape != shapes[0]),
            )
            candidates = (
                *turned(walked, call, _joins(dim, failure.op == "stack")),
                *resized(walked, call, halves_well(walked)),
                *other_sizes(walked),
            )
            yield Finding(
                at_call(diagnostic, walked, trace, call),
                trace.mode,
                call.index,
                candidates,
            )


def _joins(dim: int, stacked: bool) -> Callable[[list[Shape]], bool]:
    """Whether changed shapes could be joined."""
    return lambda shapes: _difference(shapes, dim, stacked) is None


def _difference(shapes: list[Shape], dim: int, stacked: bool) -> str | None:
    whole = [shape for shape in shapes if stacked or shape != (0,)]
    if len({len(shape) for shape in whole}) > 1:
        return f"{' and '.join(str(size) for size in sorted({len(shape) for shape in whole}))} dimensions"
    if not whole or not whole[0]:
        return None
    along = -1 if stacked else dim % len(whole[0])
    for axis in range(len(whole[0])):
        sizes = list(dict.fromkeys(shape[axis] for shape in whole))
        if axis != along and len(sizes) > 1:
            return f"dimension {axis} is {' and '.join(map(str, sizes))}"
    return None
