"""Changes to where dimensions are, tried before any number: a permute, the dimensions of
a reduction, the layer of a hidden state, the dimension of a join, the rows of a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shapelint.changes.reduced_axes import reduce_all_axes
from shapelint.changes.turned_channels import turn_channels
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked

_Changes = Callable[[Walked, Trace, Call], Iterator[Candidate]]

_KINDS: tuple[_Changes, ...] = (reduce_all_axes, turn_channels)


def layout_candidates(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """The changes to layouts for a failed call, each also together with the same change
    for every other call that fails."""
    if call.failure is None:
        return
    for changes in _KINDS:
        for candidate in changes(walked, trace, call):
            yield from _everywhere(walked, trace, call, candidate, changes)
            yield candidate


def _everywhere(
    walked: Walked, trace: Trace, call: Call, candidate: Candidate, changes: _Changes
) -> Iterator[Candidate]:
    """The same change for each other failed call to which it is proposed at another
    place."""
    edits = dict.fromkeys(candidate.edits)
    for other in trace.failures:
        if other is not call:
            same = (
                each
                for each in changes(walked, trace, other)
                if each.title == candidate.title
            )
            edits |= dict.fromkeys(edit for each in same for edit in each.edits)
    count = len(edits) - len(candidate.edits)
    if not count:
        return
    places = f"{count} other place{'s' if count > 1 else ''}"
    yield replace(
        candidate,
        title=f"{candidate.title} and the same in {places}",
        edits=tuple(edits),
        group=f"{candidate.group} everywhere",
    )
