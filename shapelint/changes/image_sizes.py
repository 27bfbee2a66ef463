"""Heights, widths and lengths of inputs, and others that they could have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shapelint import ops
from shapelint.asked.inputs import TensorSpec
from shapelint.facts.graph import Failure, Trace
from shapelint.facts.tensors import Shape

LARGEST_STEP = 512
"""Sizes are asked to be multiples of this at most."""

LARGEST_FACTOR = 32
"""Numbers of a failed call up to this may be the side of a window or patch."""

ROUND_SHARE = 6
"""A size is rounded up to a multiple of the largest power of two that is at most this
part of it."""


def count_sides(spec: TensorSpec, trace: Trace) -> int:
    """How many of an input's last dimensions are heights, widths or lengths: as many as
    the layer works on that gets it, two for any other image, and none for anything
    else."""
    rank = len(spec.shape)
    if not spec.dtype.startswith("float"):
        return 0
    for call in trace.calls:
        dims = ops.spatial_dims(call.op)
        if dims is None or 0 not in call.from_input:
            continue
        if call.inputs[0].shape == spec.shape and rank - dims in (1, 2):
            return dims
    return 2 if rank >= 4 else 0


def resize_specs(
    specs: Sequence[TensorSpec], given: Shape, wanted: Shape
) -> list[TensorSpec]:
    """Give other sides to every input that has the sides `given`."""
    dims = len(given)
    return [
        replace(spec, shape=(*spec.shape[:-dims], *wanted))
        if len(spec.shape) > dims and spec.shape[-dims:] == given
        else spec
        for spec in specs
    ]


def list_steps(sides: Shape, failure: Failure | None) -> list[int]:
    """The numbers of which sides could have to be multiples and are none: powers of
    two, and those times the odd part of a window or patch of the failed call."""
    limit = min(LARGEST_STEP, 4 * max(sides))
    factors = {1, *(_odd_part(number) for number in _small_numbers(failure))}
    steps = {
        factor * 2**power
        for factor in factors
        for power in range(1, 10)
        if factor * 2**power <= limit
    }
    steps |= {factor for factor in factors if 1 < factor <= limit}
    return [step for step in sorted(steps) if any(side % step for side in sides)]


def _odd_part(number: int) -> int:
    while number % 2 == 0:
        number //= 2
    return number


def _small_numbers(failure: Failure | None) -> Iterator[int]:
    """The numbers that the failed call was given."""
    if failure is None:
        return
    given: list[object] = [*failure.args, *failure.kwargs.values()]
    for value in given:
        listed = value if isinstance(value, (list, tuple)) else [value]
        for item in listed:
            if isinstance(item, int) and 1 < item <= LARGEST_FACTOR:
                yield int(item)


def round_down(sides: Shape, step: int) -> Shape:
    """Each side rounded down to a multiple of `step`."""
    return tuple(side // step * step for side in sides)


def round_up(sides: Shape, step: int) -> Shape:
    """Each side rounded up to a multiple of `step`."""
    return tuple(-(-side // step) * step for side in sides)


def enlarge_by(sides: Shape, step: int) -> Shape:
    return tuple(side + step for side in sides)


def distance(sides: Shape, others: Shape) -> int:
    """By how much sides differ, all together."""
    pairs = zip(sides, others, strict=True)
    return sum(abs(side - other) for side, other in pairs)


def at_least(sides: Shape, least: int) -> Shape:
    """Sides of which none is smaller: all of them so long, if they are equal."""
    if len(set(sides)) == 1:
        return (least,) * len(sides)
    return tuple(max(side, least) for side in sides)


def round_side(least: int) -> int:
    """A size that people choose, not below `least` and not far from it."""
    step = 1
    while step * 2 * ROUND_SHARE <= least:
        step *= 2
    return -(-least // step) * step


def sides_text(sides: Shape) -> str:
    """`96`, or `96 by 128`."""
    distinct = sides[:1] if len(set(sides)) == 1 else sides
    return " by ".join(map(str, distinct))
