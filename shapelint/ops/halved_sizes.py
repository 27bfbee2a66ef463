"""Sizes that do not come back when they are divided and multiplied again: 25 is halved
to 12, and doubled to 24."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from shapelint import ops
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Family

REACH = 300
"""The most calls looked at on the way back from a failed one."""


def explain_halving(trace: Trace, call: Call) -> str | None:
    """The equation that fails where maps differ by what halving drops; None where they
    differ for another reason."""
    shapes = [fact.shape for fact in call.inputs if len(fact.shape) >= 3]
    pairs = set(_differing_sides(shapes))
    if not pairs:
        return None
    for earlier in _calls_before(trace, call):
        for size, part in _halved_sides(earlier):
            if any(_differ_by(size, part, pair) for pair in pairs):
                return _write_equation(size, part)
    return None


def _write_equation(size: int, part: int) -> str:
    factor = round(size / part)
    if factor == 2:
        return f"{size} is odd: halved to {part}, doubled to {2 * part}"
    return f"{size} is no multiple of {factor}: {part} * {factor} is {part * factor}"


def _differing_sides(shapes: list[Shape]) -> Iterator[tuple[int, int]]:
    for one, other in itertools.combinations(shapes, 2):
        if len(one) != len(other):
            continue
        for left, right in zip(one[2:], other[2:], strict=True):
            if left != right:
                yield max(left, right), min(left, right)


def _differ_by(size: int, part: int, pair: tuple[int, int]) -> bool:
    """Whether two sizes are one and what comes of it, or the same times a power of
    two."""
    factor = round(size / part)
    larger, smaller = max(size, part * factor), min(size, part * factor)
    # what was lost may be doubled further, along with what it was lost from
    return any(
        pair[1] == smaller * 2**power
        and 0 < pair[0] - pair[1] <= 2**power * factor
        and pair[0] <= larger * 2**power + 2**power
        for power in range(5)
    )


def _halved_sides(call: Call) -> Iterator[tuple[int, int]]:
    """The sides of a call's input that are no multiple of those of its result."""
    if not call.inputs or not call.outputs or not _may_halve(call.op):
        return
    before, after = call.inputs[0].shape, call.outputs[0].shape
    if len(before) != len(after) or len(before) < 3:
        return
    for size, part in zip(before[2:], after[2:], strict=True):
        if part < 1 or part * 2 > size + 1:
            continue
        factor = round(size / part)
        if factor > 1 and part * factor != size and abs(part * factor - size) < factor:
            yield size, part


def _may_halve(name: str) -> bool:
    op = ops.of(name)
    families = (Family.CONVOLUTION, Family.POOLING, Family.RESAMPLING)
    return op.family in families and not op.is_transposed


def _calls_before(trace: Trace, call: Call) -> Iterator[Call]:
    """The calls that a failed one depends on, the latest first."""
    waiting, seen = {index for index in call.producers if index >= 0}, 0
    while waiting and seen < REACH:
        latest = max(waiting)
        waiting.discard(latest)
        seen += 1
        earlier = trace.calls[latest]
        yield earlier
        waiting |= {index for index in earlier.producers if index >= 0}
