"""SHP104."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shapelint.changes.operands import cropped, resized, turned
from shapelint.changes.other_inputs import halves_well, other_sizes, sized_inputs
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Shape, Trace, Walked
from shapelint.ops.arithmetic import ELEMENTWISE, merged
from shapelint.syntax.walked_calls import at_call, failed_calls, shape_text, subject


class ElementwiseShapeMismatch(Rule):
    """
    ## What it does
    Finds `+`, `*`, residual sums, masks and the like whose operands do not broadcast
    against each other.

    ## Why is this bad?
    The forward raises. In a residual block the shortcut lacks the stride or the
    channels of the main path; an attention mask was made for another length; an odd
    size was halved and doubled again.

    ## Fix
    Bring both sides to the same shape: a 1x1 convolution with the same stride on the
    shortcut, a mask of the right length, a crop or an interpolation.

    ## References
    - Broadcasting: sizes are compared from the last dimension on; they must be equal,
      or one of them 1"""

    code = "SHP104"
    name = "elementwise-shape-mismatch"
    supersedes = ("SHP119",)
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 16, 3, padding=1)

    def forward(self, x):
        return x + self.conv(x)
""",
        ("1,8,16,16",),
        raises="RuntimeError: The size of tensor a (8) must match the size of tensor b (16) at "
        "non-singleton dimension 1",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        return x + self.conv(x)
""",
        ("1,8,16,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked, *ELEMENTWISE, "max", "min"):
            assert call.failure is not None
            shapes = [fact.shape for fact in call.failure.tensors]
            clash = clashing(shapes)
            if clash is None:
                continue
            left, right, dim = clash
            texts = " and ".join(
                shape_text(shape) for shape in (shapes[left], shapes[right])
            )
            diagnostic = self.diagnostic(f"{subject(call)} cannot broadcast {texts}")
            sizes = (shapes[left][dim], shapes[right][dim])
            diagnostic = replace(
                diagnostic,
                label=f"dimension {dim} is {sizes[0]} on one side and {sizes[1]} on the other",
                expected=shape_text(shapes[left]),
                found=shape_text(shapes[right]),
            )
            inputs = (
                sized_inputs(walked, [sizes]) if _holds_a_table(trace, call) else []
            )
            candidates = (
                *cropped(walked, call),
                *inputs,
                *turned(walked, call, _broadcasts(shapes)),
                *resized(walked, call, halves_well(walked)),
                *other_sizes(walked),
            )
            yield Finding(
                at_call(diagnostic, walked, trace, call),
                trace.mode,
                call.index,
                candidates,
            )


def _holds_a_table(trace: Trace, call: Call) -> bool:
    """Whether an operand is a weight or buffer of the model, or was made of one alone:
    a mask, positions."""
    for position, fact in enumerate(call.inputs):
        producer = trace.producer(call, position)
        if fact.name or (
            producer is not None
            and producer.inputs
            and all(each.name for each in producer.inputs)
        ):
            return True
    return False


def _broadcasts(before: list[Shape]) -> Callable[[list[Shape]], bool]:
    """Whether changed shapes broadcast to one of the shapes there were, so that nothing
    grows by accident."""

    def fits(shapes: list[Shape]) -> bool:
        return clashing(shapes) is None and merged(shapes, 0) in before

    return fits


def clashing(shapes: list[Shape]) -> tuple[int, int, int] | None:
    """The first two shapes that do not broadcast, and the dimension (negative) in which
    they differ."""
    for left in range(len(shapes)):
        for right in range(left + 1, len(shapes)):
            for back in range(1, min(len(shapes[left]), len(shapes[right])) + 1):
                sizes = {shapes[left][-back], shapes[right][-back]}
                if len(sizes) == 2 and 1 not in sizes:
                    return left, right, -back
    return None
