"""The facts about one failing call and the calls upstream of it."""

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
"""The pairs to try if the sizes that an exception is about are not known."""


@dataclass
class FailureContext:
    """One failing call. If an exception was `raised` outside of any call, `call` is the
    last call before it."""

    walked: Walked
    trace: Trace
    call: Call
    numbers: Numbers
    raised: Raised | None = None
    pairs: Pairs = field(init=False)
    """Pairs of sizes that should be equal."""
    aspect: Aspect = field(init=False)
    upstream: list[Upstream] = field(init=False)
    """The call and those before it, nearest first."""
    spellings: Spellings = field(init=False)
    """How numbers are spelled, by function and number."""
    taken: set[str] = field(init=False)
    """How the failing layer spells the sizes of its input."""
    given: set[str] = field(init=False)
    """How the layers before it spell the sizes of their results."""
    constants: list[int] = field(init=False)
    """The factors and terms written for the size of the failing layer's input."""
    parts: set[int] = field(init=False)
    """Small numbers in the expression of the failing call."""

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
        """The kinds of rearrangements just before the call: `turn` for a transpose,
        `flat` for a flatten."""
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
