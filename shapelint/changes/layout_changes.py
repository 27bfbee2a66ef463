"""Changes to where dimensions are, tried before any number: a permute, the dimensions of
a reduction, the layer of a hidden state, the dimension of a join, the rows of a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shapelint.changes.broadcast_axes import align_axes
from shapelint.changes.mask_rows import fit_mask
from shapelint.changes.recurrent_states import take_last_layer
from shapelint.changes.reduced_axes import leaves_positions, reduce_all_axes
from shapelint.changes.superfluous_turns import turn_less
from shapelint.changes.turned_channels import turn_channels
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked

_Changes = Callable[[Walked, Trace, Call], Iterator[Candidate]]

_KINDS: tuple[_Changes, ...] = (
    *(turn_channels, take_last_layer, turn_less),
    *(align_axes, fit_mask),
)


def layout_candidates(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """The changes to layouts for a failed call, each also together with the same change
    for every other call that fails."""
    if call.failure is None:
        return
    reduced = list(_with_repetitions(walked, trace, call, reduce_all_axes))
    yield from reduced
    if not reduced and not leaves_positions(walked, trace, call):
        for changes in _KINDS:
            yield from _with_repetitions(walked, trace, call, changes)


def _with_repetitions(
    walked: Walked, trace: Trace, call: Call, changes: _Changes
) -> Iterator[Candidate]:
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
                if _form_of(each) == _form_of(candidate)
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


def _form_of(candidate: Candidate) -> str:
    """What a change does, wherever it is made: its group without the place."""
    return candidate.group.partition("@")[0]
