"""The shape that a failed op would have returned.

If there are several candidates, the walk tries them and keeps the one after which the
rest of the model fails least."""

from __future__ import annotations

import math

from shapelint import ops
from shapelint.facts.graph import Failure
from shapelint.ops.record import Candidate

MOST_ELEMENTS = 2**59
"""With more elements, torch's 64 bits may not be enough to count the bytes."""

_OF_OTHER_ARGUMENTS = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
)
"""The exceptions of a recovery that gets arguments of an unexpected kind."""


def recover_shapes(failure: Failure) -> list[Candidate]:
    """Candidates for the shape that a failed op would have returned, best first; empty
    if none is known."""
    recover = ops.of(failure.op).recover
    if recover is None:
        return []
    try:
        shapes = recover(failure)
    except _OF_OTHER_ARGUMENTS:
        return []  # no guess is better than a wrong one
    plain = dict.fromkeys(_as_tuples(shape) for shape in shapes)
    return [shape for shape in plain if _is_possible(shape)]


def _as_tuples(candidate: Candidate) -> Candidate:
    if candidate is None or isinstance(candidate, int):
        return candidate
    return tuple(_as_tuples(item) for item in candidate)


def _is_possible(candidate: Candidate) -> bool:
    """Whether torch can create tensors of these sizes."""
    if candidate is None:
        return True
    if isinstance(candidate, int):
        return 0 <= candidate <= MOST_ELEMENTS
    sizes = [item for item in candidate if isinstance(item, int)]
    if len(sizes) < len(candidate):  # several results
        return all(
            item is None or (not isinstance(item, int) and _is_possible(item))
            for item in candidate
        )
    elements = math.prod(max(1, size) for size in sizes)
    return min(sizes, default=0) >= 0 and elements <= MOST_ELEMENTS
