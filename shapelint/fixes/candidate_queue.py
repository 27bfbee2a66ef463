"""The changes to try for a failed call: those of its rule and all changes upstream, the
most plausible first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.folded_maps import read_sides_from_map
from shapelint.changes.input_ranks import other_ranks
from shapelint.changes.layout_changes import layout_candidates
from shapelint.changes.orders import find_added_rearrangements
from shapelint.changes.other_inputs import recolour_for
from shapelint.changes.plausibility import Numbers
from shapelint.changes.reduced_axes import leaves_positions
from shapelint.changes.solved_numbers import solved_candidates
from shapelint.changes.upstream_changes import changes_upstream
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind, Finding
from shapelint.facts.walked_target import Walked
from shapelint.fixes.failed_call import FailedCall
from shapelint.ops.record import Family
from shapelint.syntax.trees import parse_file


@dataclass(frozen=True)
class Queued:
    """A change to try. `is_own`: the finding's own rule proposed it."""

    candidate: Candidate
    is_own: bool


def queue_candidates(
    walked: Walked, numbers: Numbers, failed: FailedCall, others: list[Finding]
) -> list[Queued]:
    """Order the changes, the most plausible first, each once. `others`: findings to
    which the same change may apply."""
    slips = _list_slips(failed.finding)
    if slips:
        return slips
    context = FailureContext(walked, failed.trace, failed.call, numbers, failed.raised)
    found: dict[object, Queued] = {
        candidate.edits: Queued(_less_without_names(walked, candidate), False)
        for candidate in changes_upstream(context)
    }
    for candidate in (
        *layout_candidates(walked, failed.trace, failed.call),
        *solved_candidates(walked, failed.trace, failed.call),
    ):
        same = found.get(candidate.edits)
        likely = candidate.likely
        if same is not None:
            likely = max(likely, same.candidate.likely)
        found[candidate.edits] = Queued(replace(candidate, likely=likely), True)
    for candidate in read_sides_from_map(walked, failed.trace, failed.call):
        found[candidate.edits] = Queued(candidate, True)
    least: dict[str, float] = {}
    for position, candidate in enumerate(_own_candidates(walked, failed, others)):
        same = found.get(candidate.edits) if candidate.edits else None
        # what follows from a layout says why, and comes first
        if same is not None and same.candidate.kind is ChangeKind.LAYOUT:
            continue
        found.pop(candidate.edits, None)
        likely = _likely_own(candidate, same, position)
        # of one group the rule's own order holds
        if candidate.group in least:
            likely = min(likely, least[candidate.group] - weights.OWN_IN_GROUP)
        if candidate.group:
            least[candidate.group] = likely
        ranked = _less_without_names(walked, replace(candidate, likely=likely))
        found[candidate.edits or candidate.inputs] = Queued(ranked, True)
    left = leaves_positions(walked, failed.trace, failed.call)
    queue = [
        _lower_if_repeated(walked, each, context.rearranged)
        for each in found.values()
        if not left or not _accepts_positions(walked, each.candidate)
    ]
    return sorted(queue, key=_order)


def _order(queued: Queued) -> tuple[int, float]:
    """What follows from the layout, or from where sizes come from, is tried first:
    where it holds, fewer guesses are needed."""
    candidate = queued.candidate
    return _FIRST.get(candidate.kind, len(_FIRST)), -candidate.likely


def follows(queued: Queued) -> bool:
    """Whether a change follows from the layout or from where sizes come from."""
    return queued.candidate.kind in _FIRST


_FIRST = {ChangeKind.LAYOUT: 0, ChangeKind.SOLVED: 1}


def _list_slips(finding: Finding) -> list[Queued]:
    """The corrections of a slip in a name or a call, which no number explains."""
    return [
        Queued(candidate, True)
        for candidate in finding.candidates
        if candidate.kind is ChangeKind.SLIP
    ]


def add_to_queue(queue: list[Queued], own: Iterable[Candidate]) -> list[Queued]:
    """Add candidates at the place of their likelihood, before equal ones."""
    both = [*(Queued(candidate, True) for candidate in own), *queue]
    return sorted(both, key=_order)


def _less_without_names(walked: Walked, candidate: Candidate) -> Candidate:
    """A change that puts a number in the place of names as less likely, if the walk
    knows where its sizes come from: it is then fitted, and the names say otherwise."""
    if not walked.scopes or not all(map(_is_number, candidate.edits)):
        return candidate
    if all(_replaces_number(walked, edit) for edit in candidate.edits):
        return candidate
    return replace(candidate, likely=candidate.likely - weights.NUMBER_FOR_NAMES)


def _is_number(edit: Edit) -> bool:
    """Whether an edit writes numbers: `64`, or `4 * 144`."""
    has_digits = any(map(str.isdigit, edit.replacement))
    is_replaced = edit.start != edit.end
    return is_replaced and has_digits and not _names_anything(edit.replacement)


def _names_anything(text: str) -> bool:
    return any(char.isalpha() or char == "_" for char in text)


def _replaces_number(walked: Walked, edit: Edit) -> bool:
    source = parse_file(edit.file, walked.texts)
    if source is None or edit.start.line != edit.end.line:
        return True
    line = source.lines[edit.start.line - 1]
    replaced = line[edit.start.column - 1 : edit.end.column - 1]
    return not _names_anything(replaced.decode(errors="replace"))


def _likely_own(candidate: Candidate, same: Queued | None, position: int) -> float:
    """How plausible a rule's own change is: as the rule says, or else like the `same`
    change found upstream, or else by its position."""
    if candidate.likely:
        return candidate.likely
    if same is not None:
        return same.candidate.likely
    return weights.OWN_FIRST - weights.OWN_LATER_EACH * position


def _lower_if_repeated(walked: Walked, queued: Queued, rearranged: set[str]) -> Queued:
    """Lower the likelihood of a change that adds a transpose or flatten directly after
    another one."""
    candidate = queued.candidate
    if not find_added_rearrangements(candidate, walked.texts) & rearranged:
        return queued
    likely = candidate.likely - weights.PUT_IN_TWICE
    # the turn that is there may be what is wrong, so nothing follows
    lowered = replace(candidate, likely=likely, kind=ChangeKind.OTHER)
    return replace(queued, candidate=lowered)


def _accepts_positions(walked: Walked, candidate: Candidate) -> bool:
    """Whether a change lets a layer run for each position that a reduction leaves: by
    another number, or by a turn of what it is given."""
    if candidate.kind is not ChangeKind.OPERAND:
        texts = [edit.replacement for edit in candidate.edits]
        return bool(texts) and all(map(str.isdigit, texts))
    return "turn" in find_added_rearrangements(candidate, walked.texts)


def _own_candidates(
    walked: Walked, failed: FailedCall, others: list[Finding]
) -> list[Candidate]:
    """The rule's own changes, inputs of another rank, and the rule's changes applied to
    every similar failure at once."""
    own = failed.finding.candidates
    known = {candidate.inputs for candidate in own}
    # a loss that says how its target has to be makes no image a sequence
    is_loss = ops.is_of(failed.call.op, Family.LOSS)
    ranks = [
        candidate
        for candidate in (
            *other_ranks(walked, failed.trace),
            *recolour_for(walked, failed.call),
        )
        if candidate.inputs not in known and not is_loss
    ]
    # what nothing of its own explains may be mended by what mends a later failure
    theirs = [] if own else [each for other in others for each in _edits_of(other)]
    return [*own, *ranks, *_repeat_everywhere(failed.finding, others), *theirs]


def _edits_of(finding: Finding) -> list[Candidate]:
    return [candidate for candidate in finding.candidates if candidate.edits]


def _repeat_everywhere(finding: Finding, others: list[Finding]) -> list[Candidate]:
    """Apply the same change to every call that fails in the same way, such as each skip
    connection of a U-Net."""
    alike = [other for other in others if _is_alike(finding, other)]
    if not alike:
        return []
    count = len(alike)
    where = f"{count} other place{'s' if count > 1 else ''}"
    found = []
    for position, candidate in enumerate(finding.candidates):
        same = [other.candidates[position] for other in alike]
        if not candidate.edits or not all(each.edits for each in same):
            continue
        if candidate.kind is not ChangeKind.OPERAND:
            continue
        edits = [*candidate.edits, *(edit for each in same for edit in each.edits)]
        everywhere = replace(
            candidate,
            title=f"{candidate.title} and the same in {where}",
            edits=tuple(dict.fromkeys(edits)),
            group=f"{candidate.group} everywhere",
        )
        found.append(everywhere)
    return found


def _is_alike(finding: Finding, other: Finding) -> bool:
    """Whether two findings are of the same rule and mode, and propose equally many
    changes."""
    return (
        other.diagnostic.code == finding.diagnostic.code
        and other.mode == finding.mode
        and len(other.candidates) == len(finding.candidates)
    )
