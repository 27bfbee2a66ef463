"""The shape a failed op would have had: one small pure function an op, in a registry
that refuses a second.

A function gets the `Failure` (arguments as TensorFacts) and answers with the shapes to
go on with, best guess first. Where there are several, the walk tries them and keeps the
one after which the rest of the model fails least."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from shapelint.facts.graph import Failure

Candidate = Any
"""A shape; for an op with several results a tuple of candidates, None where a result is
None."""

Recovery = Callable[[Failure], list[Candidate]]

MOST_ELEMENTS = 2**59
"""What torch can count the bytes of, whatever the dtype, in 64 bits."""

_REGISTRY: dict[str, Recovery] = {}


def recovers(*ops: str) -> Callable[[Recovery], Recovery]:
    """Register a recovery for these ops (canonical names: no dunders, no trailing
    underscore).

    Raises:
        ValueError: an op has one already.
    """

    def register(function: Recovery) -> Recovery:
        for op in ops:
            if op in _REGISTRY:
                raise ValueError(f"recovery of {op} is registered twice")
            _REGISTRY[op] = function
        return function

    return register


@lru_cache(maxsize=1)
def _load() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def recovered_shapes(failure: Failure) -> list[Candidate]:
    """Candidates for the shape a failed op would have had, best first; empty where
    nobody can say."""
    _load()
    function = _REGISTRY.get(failure.op)
    if function is None:
        return []
    try:
        shapes = function(failure)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        # arguments of a kind the function does not know: no guess is better than a
        # wrong one
        return []
    return [
        shape
        for shape in dict.fromkeys(_plain(shape) for shape in shapes)
        if _is_possible(shape)
    ]


def _plain(candidate: Candidate) -> Candidate:
    if candidate is None or isinstance(candidate, int):
        return candidate
    return tuple(_plain(item) for item in candidate)


def _is_possible(candidate: Candidate) -> bool:
    if candidate is None:
        return True
    if any(not isinstance(item, int) for item in candidate):
        return all(_is_possible(item) for item in candidate)
    return (
        min(candidate, default=0) >= 0
        and math.prod(max(1, size) for size in candidate) <= MOST_ELEMENTS
    )
