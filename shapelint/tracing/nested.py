"""Finds and replaces tensors in nested lists, tuples and dicts, as in arguments and
results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

Function = Callable[..., Any]
"""A function of torch or of the user, about which nothing more is known."""

Args = tuple[Any, ...]
"""Positional arguments of a call by the user or by torch."""

Kwargs = dict[str, Any]
"""Keyword arguments of a call by the user or by torch."""


Inputs = tuple[Args, Kwargs]
"""The positional and keyword arguments of a model."""


def tensors_in(value: object) -> Iterator[Tensor]:
    """Every tensor in nested lists, tuples and dicts, in order. A container that
    contains itself is visited once."""
    if isinstance(value, Tensor):
        yield value
        return
    # A stack of our own: results may be nested more deeply than Python calls.
    around: dict[int, Iterator[object]] = {0: iter((value,))}
    while around:
        for item in next(reversed(around.values())):
            if isinstance(item, Tensor):
                yield item
            elif isinstance(item, (list, tuple, dict)) and id(item) not in around:
                members = item.values() if isinstance(item, dict) else item
                around[id(item)] = iter(members)
                break
        else:
            around.popitem()


def has_tensors(value: object) -> bool:
    """Whether a nested value holds any tensor."""
    return any(True for _ in tensors_in(value))


def map_tensors(change: Callable[[Tensor], Tensor], value: Any) -> Any:
    """Apply `change` to every tensor in a nested value.

    Only for arguments and results of aten ops, which contain neither themselves nor
    named tuples."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, list):
        return [map_tensors(change, item) for item in value]
    if isinstance(value, tuple):
        return tuple(map_tensors(change, item) for item in value)
    if isinstance(value, dict):
        return {key: map_tensors(change, item) for key, item in value.items()}
    return value
