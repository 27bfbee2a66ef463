"""SHP107."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes.other_inputs import input_candidates
from shapelint.changes.views import ask_other_shape, change_with_layer, use_reshape
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.families.reshaping import count_known, has_room, read_target_shape
from shapelint.ops.record import Family
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import (
    find_failed_calls,
    finding_at,
    product_text,
    shape_text,
)


class ReshapeSizeMismatch(Rule):
    """
    ## What it does
    Finds `view`, `reshape`, `flatten`, `unflatten` and `expand` to a shape that the
    tensor cannot take, `view` of memory that is not contiguous, and splits, indices,
    pixel shuffles and folds that do not fit the size of their input.

    ## Why is this bad?
    The forward raises. A `view(-1, 8192)` was written for one image size and receives
    another. Where the numbers happen to divide, the outcome is worse: pixels are folded
    into the batch, and nothing raises.

    ## Fix
    Name the dimension that stays: `flatten(1)` or `x.view(x.size(0), -1)`. After
    `permute` or `transpose`, use `reshape`.
    """

    code = "SHP107"
    name = "reshape-size-mismatch"
    supersedes = ("SHP119",)
    follows = ("SHP111",)
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.conv(x).view(-1, 8 * 20 * 20)
""",
        ("2,3,16,16",),
        raises="RuntimeError: shape '[-1, 3200]' is invalid for input of size 4096",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.conv(x).flatten(1)
""",
        ("2,3,16,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        rearranging = ops.where(lambda op: op.misfit)
        for trace, call, failure in find_failed_calls(walked, *rearranging):
            explain = ops.of(failure.op).misfit
            words = explain(call, failure) if explain is not None else None
            if words is None or not failure.tensors:
                continue
            message, label = words
            found = shape_text(failure.tensors[0].shape)
            draft = replace(self.diagnostic(message), label=label, found=found)
            candidates = input_candidates(walked, trace)
            yield finding_at(walked, trace, call, draft, candidates)
        reshaping = ops.in_family(Family.RESHAPING)
        for trace, call, failure in find_failed_calls(walked, *reshaping):
            if failure.tensors:
                yield self._finding(walked, trace, call, failure)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, failure: Failure
    ) -> Finding:
        shape, wanted = failure.tensors[0].shape, read_target_shape(failure)
        is_view = failure.op in ("view", "view_as")
        # as many elements as there are: then it is their order in memory
        lacks_contiguity = is_view and wanted is not None and has_room(shape, wanted)
        if lacks_contiguity:
            message = f"{subject(call)} of {shape_text(shape)} needs contiguous memory"
            label = "permuted or expanded before; `.reshape()` copies if it must"
        else:
            message = f"{subject(call)} cannot turn {_name_change(failure, wanted)}"
            label = _count_elements(failure, shape, wanted)
        draft = replace(
            self.diagnostic(message),
            label=label,
            expected=shape_text(wanted) if wanted else None,
            found=shape_text(shape),
        )
        change = use_reshape if lacks_contiguity else ask_other_shape
        candidates = [
            *change_with_layer(walked, trace, call),
            *change(walked, call),
            *input_candidates(walked, trace),
        ]
        return finding_at(walked, trace, call, draft, candidates)


def _name_change(failure: Failure, wanted: Shape | None) -> str:
    """The change of shape in words: `(2, 8, 16, 16) into (-1, 3200)`."""
    shape = shape_text(failure.tensors[0].shape)
    if wanted is not None:
        return f"{shape} into {shape_text(wanted)}"
    if failure.op == "unflatten":
        sizes, dim = failure.arg(2, "sizes"), failure.arg(1, "dim")
        is_sequence = isinstance(sizes, (list, tuple))
        parts = shape_text(tuple(sizes)) if is_sequence else str(sizes)
        return f"dimension {dim} of {shape} into {parts}"
    return f"{shape} into the shape asked for"


def _count_elements(failure: Failure, shape: Shape, wanted: Shape | None) -> str:
    """The equation that fails: `2 * 8 * 16 * 16 = 4096 is not a multiple of 3200`."""
    if wanted is None or failure.op == "expand":
        return failure.message
    total, known = math.prod(shape), count_known(wanted)
    equation = f"{product_text(shape)} = {total}" if len(shape) > 1 else str(total)
    if -1 in wanted:
        return f"{equation} is not a multiple of {known}"
    return f"{equation} elements, not {known}"
