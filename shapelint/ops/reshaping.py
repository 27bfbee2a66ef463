"""view, reshape, expand, flatten, unflatten: the sizes that were asked for, the unknown
one worked out."""

from __future__ import annotations

import math
from typing import Any

from shapelint.facts.graph import Failure, Shape
from shapelint.ops import recovers


def wanted_sizes(failure: Failure) -> tuple[int, ...]:
    """The sizes given to view, reshape or expand, as numbers or as one sequence."""
    rest: Any = failure.args[1:] or failure.kwargs.get(
        "shape", failure.kwargs.get("size", ())
    )
    if len(rest) == 1 and isinstance(rest[0], (list, tuple)):
        rest = rest[0]
    return tuple(int(size) for size in rest)


def asked_shape(failure: Failure) -> Shape | None:
    """The shape that a call asks for, -1 where it leaves a size open; None where it
    does not ask for a whole shape."""
    if failure.op in ("view_as", "reshape_as", "expand_as"):
        return failure.tensors[1].shape if len(failure.tensors) > 1 else None
    if failure.op not in ("view", "reshape", "expand"):
        return None
    try:
        return wanted_sizes(failure)
    except (TypeError, ValueError):
        return None


def count_known(wanted: Shape) -> int:
    """The elements of a shape, without the size that is left open."""
    return math.prod(size for size in wanted if size != -1)


def has_room(shape: Shape, wanted: Shape) -> bool:
    """Whether the elements of a tensor fill another shape."""
    total, known = math.prod(shape), count_known(wanted)
    if known == 0:
        return False
    return total % known == 0 if -1 in wanted else total == known


@recovers("view", "reshape")
def reshaping(failure: Failure) -> list[Shape]:
    """The batch first, then the written sizes; or the written sizes and what is left
    over for -1."""
    shape = failure.args[0].shape
    wanted = wanted_sizes(failure)
    if -1 not in wanted:
        return [wanted, *_with_one_free(shape, wanted)]
    known = math.prod(size for size in wanted if size != -1)
    batch = shape[0] if shape else 1
    at = wanted.index(-1)
    floor = max(1, math.prod(shape) // known) if known else 1
    free = [batch, floor] if at == 0 else [floor]
    return [(*wanted[:at], size, *wanted[at + 1 :]) for size in free]


def _with_one_free(shape: Shape, wanted: Shape) -> list[Shape]:
    """The written sizes with one of them worked out from the others."""
    total = math.prod(shape)
    found = []
    for index in reversed(range(len(wanted))):
        others = math.prod(wanted[:index] + wanted[index + 1 :])
        if others and total % others == 0:
            found.append((*wanted[:index], total // others, *wanted[index + 1 :]))
    return found


@recovers("expand")
def expansion(failure: Failure) -> list[Shape]:
    shape, wanted = failure.args[0].shape, wanted_sizes(failure)
    if len(wanted) < len(shape):  # sizes for the last dimensions were left out
        wanted = (*wanted, *[-1] * (len(shape) - len(wanted)))
    padded = (1,) * (len(wanted) - len(shape)) + tuple(shape)
    return [
        tuple(
            have if want == -1 else want
            for want, have in zip(wanted, padded, strict=False)
        )
    ]


@recovers("flatten")
def flattening(failure: Failure) -> list[Shape]:
    """A dimension out of range: all from the last valid one on."""
    shape = failure.args[0].shape
    start = min(failure.arg(1, "start_dim", 0), max(0, len(shape) - 1))
    return [(*shape[:start], math.prod(shape[start:]))]


@recovers("unflatten")
def unflattening(failure: Failure) -> list[Shape]:
    shape, dim, sizes = (
        failure.args[0].shape,
        failure.arg(1, "dim"),
        failure.arg(2, "sizes"),
    )
    at = dim % len(shape)
    return [(*shape[:at], *(abs(size) for size in sizes), *shape[at + 1 :])]


@recovers("view_as", "reshape_as", "expand_as")
def like_another(failure: Failure) -> list[Shape]:
    return [failure.tensors[1].shape]
