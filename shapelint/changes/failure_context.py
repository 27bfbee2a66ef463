"""What is known of one failing call and of all that is upstream of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapelint import ops
from shapelint.changes.arguments import small_numbers
from shapelint.changes.failed_sizes import Aspect, aspect_of, find_required_pairs
from shapelint.changes.other_values import Pairs
from shapelint.changes.plausibility import Numbers
from shapelint.changes.spellings import (
    Spellings,
    find_given_texts,
    find_spellings,
    find_taken_texts,
    list_written_numbers,
)
from shapelint.changes.upstream_calls import Upstream, way_to_failure
from shapelint.facts.graph import Call, Raised, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family

_ANY_RATIO = [(1, 2), (2, 1), (3, 1), (1, 3), (3, 2)]
"""What to try where nothing is known of the sizes that an exception is about."""


@dataclass
class FailureContext:
    """One failing call; of what was `raised` outside of any call, `call` is the last one
    before."""

    walked: Walked
    trace: Trace
    call: Call
    numbers: Numbers
    raised: Raised | None = None
    pairs: Pairs = field(init=False)
    """Sizes that would need to be equal."""
    aspect: Aspect = field(init=False)
    upstream: list[Upstream] = field(init=False)
    """The call and those before it, nearest first."""
    spellings: Spellings = field(init=False)
    """How numbers are spelled, by function and number."""
    taken: set[str] = field(init=False)
    """How the failing layer spells what it takes."""
    given: set[str] = field(init=False)
    """How the layers before it spell what they give."""
    constants: list[int] = field(init=False)
    """The factors and terms of what the failing layer is said to take."""
    parts: set[int] = field(init=False)
    """Small numbers written where the call fails."""

    def __post_init__(self) -> None:
        self.pairs = find_required_pairs(self.call)
        if self.raised is not None:
            self.pairs = [*self.raised.compared] or _ANY_RATIO
        self.aspect = aspect_of(self.call)
        is_raised = self.raised is not None
        way = way_to_failure(self.walked, self.trace, self.call, is_raised)
        self.upstream = list(way)
        self.spellings = find_spellings(self.upstream)
        self.taken = find_taken_texts(self.upstream[0])
        self.given = find_given_texts(self.upstream)
        self.constants = list_written_numbers(self.upstream[0])
        self.parts = small_numbers(self.upstream[0].called)

    @property
    def has_other_ranks(self) -> bool:
        """Whether the operands of the call have different numbers of dimensions."""
        if self.call.failure is None or self.raised is not None:
            return False
        ranks = {len(fact.shape) for fact in self.call.failure.tensors}
        return len({rank for rank in ranks if rank > 2}) > 1

    @property
    def rearranged(self) -> set[str]:
        """What was rearranged just before: `turn` by a transpose, `flat` by a
        flatten."""
        near = [
            step.call.op
            for step in self.upstream
            if 0 < step.distance <= 2 and step.call.failure is None
        ]
        found = set()
        if any(ops.is_of(op, Family.TRANSPOSING) for op in near):
            found.add("turn")
        if any(ops.of(op) is ops.of("flatten") for op in near):
            found.add("flat")
        return found
