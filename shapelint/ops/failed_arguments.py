"""Whole numbers among the arguments of a failed call."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.numbers import whole
from shapelint.facts.tensors import Shape

_NAMES_OF_DIMENSIONS = ("dim", "dims", "dim0", "dim1", "axis", "start_dim")


def dims_of(failure: Failure) -> list[int]:
    """The dimensions that a call names, by position or keyword."""
    given = failure.kwargs
    named = [given[name] for name in _NAMES_OF_DIMENSIONS if name in given]
    found: list[int] = []
    for value in [*failure.args[1:], *named]:
        items = value if isinstance(value, (list, tuple)) else [value]
        found += [item for item in items if _is_whole(item)]
    return found


def read_wanted_sizes(failure: Failure) -> Shape:
    """The sizes passed to view, reshape or expand, as separate numbers or as one
    sequence."""
    by_keyword = failure.kwargs.get("shape", failure.kwargs.get("size", ()))
    rest = failure.args[1:] or by_keyword
    if len(rest) == 1 and isinstance(rest[0], (list, tuple)):
        rest = rest[0]
    return tuple(whole(size) for size in rest)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
