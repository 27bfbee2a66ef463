"""The sizes of a failed call that should be equal, and what they were computed from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes.failed_sizes import find_required_pairs
from shapelint.changes.other_values import Pairs
from shapelint.facts.graph import Call
from shapelint.facts.numbers import (
    Dimension,
    Fixed,
    Literal,
    Operation,
    Origin,
    Read,
    ends_of,
    origin_of,
    value_of,
)
from shapelint.ops.families.reshaping import read_target_shape

LARGEST = 10**7
"""Sizes below this are solutions: none that a model has is larger."""


NEAR = 3
"""Numbers beside the root of a straight line that are tried: a division by whole numbers
bends it."""


@dataclass(frozen=True)
class Mismatch:
    """Two sizes of a failed call that should be equal, and where they come from."""

    arrives: Origin
    takes: Origin

    def gap(self, at: Literal, value: int) -> float | None:
        """How far both are apart with another number at a literal."""
        given: dict[Origin, int | float] = {at: value}
        one, other = value_of(self.arrives, given), value_of(self.takes, given)
        return None if one is None or other is None else one - other

    def solve(self, at: Literal) -> int | None:
        """The number at a literal with which both are equal."""
        if not isinstance(at.value, int):
            return None
        here = self.gap(at, at.value)
        further = self.gap(at, at.value * 2 + 8)
        if not here or further is None:
            return None
        slope = (further - here) / (at.value + 8)
        if not slope:
            return None
        root = round(at.value - here / slope)
        for value in (root, *_around(root), *self._powers(at.value)):
            if 0 < value < LARGEST and value != at.value and self.gap(at, value) == 0:
                return value
        return None

    def _powers(self, value: int) -> Iterator[int]:
        """What a side could be that is squared or cubed on the way."""
        one, other = value_of(self.arrives, {}), value_of(self.takes, {})
        if not one or not other:
            return
        for ratio in (one / other, other / one):
            for degree in (2, 3):
                yield round(value * abs(ratio) ** (1 / degree))


def _around(root: int) -> Iterator[int]:
    for step in range(1, NEAR + 1):
        yield from (root + step, root - step)


def mismatches_of(call: Call) -> list[Mismatch]:
    """The pairs of sizes of a failed call of which both origins are known."""
    found = []
    for arrives, takes in _pairs_of(call):
        one = origin_of(arrives) or Fixed(arrives)
        other = origin_of(takes) or Fixed(takes)
        if not (isinstance(one, Fixed) and isinstance(other, Fixed)):
            found.append(Mismatch(one, other))
    return found


def _pairs_of(call: Call) -> Pairs:
    """The pairs of sizes that must be equal. With a -1 the sizes of a view need only
    divide the elements, unless it stands for the batch."""
    pairs, failure = find_required_pairs(call), call.failure
    if failure is None or not ops.of(failure.op).regroups:
        return pairs
    wanted = read_target_shape(failure) or ()
    if -1 not in wanted:
        return pairs
    samples = math.prod(failure.tensors[0].shape[1:])
    return [pair for pair in pairs if wanted[0] == -1 and pair[0] == samples]


def divides_input(origin: Origin, end: Literal) -> bool:
    """Whether a size of the input is divided by a number, or by what it went into."""
    if isinstance(origin, Read):
        return divides_input(origin.inner, end)
    if not isinstance(origin, Operation) or origin.right is None:
        return False
    is_division = origin.symbol in ("//", "%") and end in ends_of(origin.right)
    if is_division and any(isinstance(e, Dimension) for e in ends_of(origin.left)):
        return not is_count(origin)
    return divides_input(origin.left, end) or divides_input(origin.right, end)


def is_count(origin: Operation) -> bool:
    """Whether a division is that of a view for its -1: all elements by other sizes."""
    return len(list(factors_of(origin.left))) > 1


def keeps_factors(mismatch: Mismatch, end: Literal) -> bool:
    """Whether all factors beside the changed one are factors of the other side too:
    `32 * 16 * 16` for 32 channels of 8 by 8 is no matter of one number."""
    sides = _sides_of(mismatch)
    for side, other in (sides, sides[::-1]):
        kept = [each for each in side if end not in ends_of(each)]
        # what is no product says nothing of its factors
        if len(kept) == len(side) or len(other) == 1:
            continue
        available = Counter(value_of(each, {}) for each in other)
        needed = Counter(value_of(each, {}) for each in kept)
        if needed - available - Counter({1: len(kept)}):
            return False
    return True


def _sides_of(mismatch: Mismatch) -> tuple[list[Origin], list[Origin]]:
    """The factors of both sides, those of a divisor on the other side: `a // b == c` is
    `a == b * c`."""
    above, below = _fraction_of(mismatch.arrives)
    taken, divided = _fraction_of(mismatch.takes)
    return [*above, *divided], [*below, *taken]


def _fraction_of(origin: Origin) -> tuple[list[Origin], list[Origin]]:
    """The factors of a size that a view inferred, as for `-1`: those of all elements,
    and those of the other sizes. Of any other size only the former."""
    if isinstance(origin, Operation) and origin.symbol == "//" and origin.right:
        above = list(factors_of(origin.left))
        are_elements = any(isinstance(each, (Dimension, Read)) for each in above)
        if are_elements and len(above) > 1:
            return above, list(factors_of(origin.right))
    return list(factors_of(origin)), []


def factors_of(origin: Origin) -> Iterator[Origin]:
    if isinstance(origin, Operation) and origin.symbol == "*" and origin.right:
        yield from factors_of(origin.left)
        yield from factors_of(origin.right)
    else:
        yield origin
