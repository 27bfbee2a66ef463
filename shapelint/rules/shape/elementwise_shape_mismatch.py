"""SHP104."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shapelint import ops
from shapelint.changes.broadcast_axes import find_tables
from shapelint.changes.map_operands import crop_larger, resize_maps
from shapelint.changes.operands import rewrite_operands
from shapelint.changes.other_inputs import (
    are_sides_halvable,
    exchange_sides,
    resize_inputs,
)
from shapelint.changes.shortcuts import shortcut_candidates
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.broadcasting import find_clash, merge_shapes
from shapelint.ops.halved_sizes import explain_halving
from shapelint.ops.own_tables import holds_own_table
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import find_failed_calls, finding_at_call, shape_text


class ElementwiseShapeMismatch(Rule):
    """
    ## What it does
    Finds `+`, `*`, residual sums, masks and other elementwise operations whose operands
    do not broadcast.

    ## Why is this bad?
    The forward raises. Usually the shortcut of a residual block lacks the stride or the
    channels of the main path, an attention mask was made for another length, or an odd
    size was halved and doubled again: 25 is halved to 12 and doubled to 24.

    ## Fix
    Give both sides the same shape: a 1x1 convolution with the same stride on the
    shortcut, a mask of the right length, a crop or an interpolation.

    ## References
    - Broadcasting: sizes are compared from the last dimension backwards; two sizes must
      be equal, or one of them must be 1
    """

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
        for trace, call, failure in find_failed_calls(
            walked, *ops.list_broadcasting_ops()
        ):
            shapes = [fact.shape for fact in failure.tensors]
            clash = find_clash(shapes)
            if clash is not None:
                yield self._finding(walked, trace, call, shapes, clash)

    def _finding(
        self,
        walked: Walked,
        trace: Trace,
        call: Call,
        shapes: list[Shape],
        clash: tuple[int, int, int],
    ) -> Finding:
        first, second, dim = clash
        left, right = shape_text(shapes[first]), shape_text(shapes[second])
        # `dim` is negative: broadcasting counts from the last dimension
        sizes = (shapes[first][dim], shapes[second][dim])
        difference = (
            f"dimension {dim} is {sizes[0]} on one side and {sizes[1]} on the other"
        )
        draft = self.mismatch(
            f"{subject(call)} cannot broadcast {left} with {right}",
            left,
            right,
            explain_halving(trace, call) or difference,
        )
        # a table is made for one length: then the input may be the one that is too long
        is_of_table = holds_own_table(trace, call)
        no_samples = find_tables(trace, call)
        tables = [shape in no_samples for shape in shapes]
        candidates = [
            *shortcut_candidates(walked, trace, call),
            *crop_larger(walked, call, no_samples),
            *(resize_inputs(walked, [sizes]) if is_of_table else ()),
            *rewrite_operands(walked, call, _keeps_a_shape(shapes, tables)),
            *resize_maps(walked, call, are_sides_halvable(walked)),
            *exchange_sides(walked),
        ]
        return finding_at_call(walked, trace, call, draft, candidates)


def _keeps_a_shape(
    before: list[Shape], tables: list[bool]
) -> Callable[[list[Shape]], bool]:
    """Make a test of whether changed shapes broadcast to one of the original shapes, so
    that no tensor grows by accident, and no row of a table meets a sample.

    `tables`: for each shape, whether its rows are no samples."""

    def fits(shapes: list[Shape]) -> bool:
        rank = max(map(len, shapes))
        meets_samples = any(
            is_table and len(shape) == rank and shape[0] != 1
            for shape, is_table in zip(shapes, tables, strict=False)
        )
        is_kept = find_clash(shapes) is None and merge_shapes(shapes, 0) in before
        return is_kept and not meets_samples

    return fits
