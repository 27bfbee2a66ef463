"""Sizes that should be equal, solved for the numbers they were computed from.

What arrives and what is taken are expressions over literals of the user's files. A change
is then not fitted but follows: a literal for which both come out equal, or one side
written in the words of the other."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.changes.mismatches import mismatches_of
from shapelint.changes.solved_literals import in_literals
from shapelint.changes.solved_reads import in_reads, read_everywhere
from shapelint.changes.solved_views import in_views
from shapelint.changes.solved_words import in_tables, in_words
from shapelint.changes.transposed_factors import turn_last_two
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked


def solved_candidates(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """What follows from the origins of a failed call's sizes: words first, then single
    literals."""
    seen: set[object] = set()
    yield from turn_last_two(walked, trace, call)
    yield from in_views(walked, call)
    for mismatch in mismatches_of(call):
        for candidate in (
            *in_words(walked, call, mismatch),
            *in_tables(walked, call, mismatch),
            *in_literals(walked, call, mismatch),
        ):
            if candidate.edits not in seen:
                seen.add(candidate.edits)
                yield candidate
        for candidate in in_reads(walked, call, mismatch):
            if candidate.edits not in seen:
                seen.add(candidate.edits)
                yield candidate
                yield from read_everywhere(walked, trace, candidate)
