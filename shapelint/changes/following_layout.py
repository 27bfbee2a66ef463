"""Where the layers behind a call take their channels: first, or last."""

from __future__ import annotations

from enum import Enum, auto

from shapelint import ops
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Family

REACH = 12
"""How many calls behind a call are looked at."""


class Layout(Enum):
    """Where channels are."""

    FIRST = auto()
    """Behind the batch."""
    LAST = auto()


_FIRST = (Family.CONVOLUTION, Family.POOLING, Family.RESAMPLING, Family.SHUFFLING)
_LAST = (Family.LINEAR, Family.ATTENTION, Family.TRANSFORMER, Family.RECURRENT)


def layout_behind(trace: Trace, call: Call) -> Layout | None:
    """The layout that the next call takes that cares; None where none is known to."""
    reached = {call.index}
    for later in trace.calls[call.index + 1 :]:
        if not reached & set(later.producers):
            continue
        layout = _layout_taken(later, call)
        if layout is not None:
            return layout
        keeps = ops.keeps_shape(later.op) or ops.is_of(later.op, Family.ELEMENTWISE)
        if keeps and len(reached) < REACH:
            reached.add(later.index)
    return None


def _layout_taken(later: Call, call: Call) -> Layout | None:
    if ops.is_of(later.op, *_FIRST):
        return Layout.FIRST
    if ops.is_of(later.op, *_LAST):
        return Layout.LAST
    if ops.is_of(later.op, Family.NORMALISATION):
        is_over_features = "normalized_shape" in ops.of(later.op).takes
        return Layout.LAST if is_over_features else Layout.FIRST
    rank = len(call.inputs[0].shape)
    numbers = _numbers_of(later, rank)
    if later.op == "permute" and len(numbers) == rank > 3:
        return _layout_of_order(numbers)
    if ops.is_of(later.op, Family.REDUCTION) and numbers:
        return _layout_reduced(numbers, rank)
    if later.op == "flatten" and numbers[:1] == (2,):
        return Layout.FIRST
    return None


def _numbers_of(later: Call, rank: int) -> tuple[int, ...]:
    """The dimensions passed to a call, counted from the first."""
    given = (*later.args[1:], *(later.kwargs.get(name) for name in ("dim", "dims")))
    flat = [
        item
        for each in given
        for item in (each if isinstance(each, (tuple, list)) else (each,))
    ]
    whole = [item for item in flat if isinstance(item, int)]
    return tuple(item % rank for item in whole if not isinstance(item, bool))


def _layout_of_order(order: Shape) -> Layout | None:
    rank = len(order)
    if order == (0, rank - 1, *range(1, rank - 1)):
        return Layout.LAST
    return Layout.FIRST if order == (0, *range(2, rank), 1) else None


def _layout_reduced(dims: Shape, rank: int) -> Layout | None:
    """Positions are averaged, channels are not."""
    positions = set(dims)
    if positions == set(range(2, rank)):
        return Layout.FIRST
    return Layout.LAST if positions == set(range(1, rank - 1)) else None
