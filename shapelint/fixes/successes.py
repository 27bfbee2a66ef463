"""Changes that work, and their value as an explanation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shapelint.changes import weights
from shapelint.changes.window_values import WINDOW
from shapelint.facts.diagnostics import Edit, Fix
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.kinds import Safety
from shapelint.fixes.candidate_queue import Queued
from shapelint.fixes.failure_counts import Failures


@dataclass(frozen=True)
class Success:
    """A change that works, and the failures that remain after it."""

    candidate: Candidate
    left: Failures
    cleared: int
    spread: int = 0
    """How many layers, apart from the failing ones, have results of other sizes."""
    completes: bool = False
    """Whether a walk that ended early now ends without any failure."""
    is_own: bool = False
    """Whether the finding's own rule proposed it."""
    ranks: tuple[int, ...] | None = None
    """How many dimensions the results have after it; None where the walk ends early."""

    @property
    def worth(self) -> float:
        """The value of the change as an explanation of the failure."""
        cleared = self.cleared - 1 + self.completes
        if self.candidate.kind is ChangeKind.SOLVED and cleared < 0:
            likely = self.candidate.likely - weights.SOLVED_BUT_FURTHER
        else:
            likely = self.candidate.likely + weights.CLEARED_EACH * cleared
        return likely - weights.SPREAD_EACH * math.log2(1 + self.spread)


def ranks_of(trace: Trace) -> tuple[int, ...] | None:
    """How many dimensions the results of a model have."""
    if trace.output is None:
        return None
    return tuple(len(fact.shape) for fact in trace.output.tensors)


def spread_of(before: Trace, after: Trace) -> int:
    """How many layers that did not fail have results of other sizes after a change.
    Windows may well change sizes everywhere."""
    made = {call.module_path: _sizes(call) for call in after.calls if call.is_module}
    failing = {call.module_path for call in before.failures}
    return sum(
        _sizes(call) != made.get(call.module_path, _sizes(call))
        for call in before.calls
        if call.is_module and call.module_path not in failing
    )


def _sizes(call: Call) -> dict[str, object]:
    return {
        name: value for name, value in call.attributes.items() if name not in WINDOW
    }


def overlaps(candidate: Candidate, successes: list[Success]) -> bool:
    """Whether a change that works already is made at the same single place."""
    if len(candidate.edits) != 1:
        return False
    held = (item.candidate.edits for item in successes)
    single = [edits[0] for edits in held if len(edits) == 1]
    return any(_are_overlapping(candidate.edits[0], edit) for edit in single)


def _are_overlapping(one: Edit, other: Edit) -> bool:
    if one.file != other.file:
        return False
    return other.start < one.end and one.start < other.end


def is_sure(success: Success) -> bool:
    """Whether a change is natural enough to judge what comes behind it: behind a wrong
    one come errors that nobody made."""
    is_natural = success.candidate.likely >= weights.NATURAL
    return is_natural or success.is_own or is_solved(success)


def is_solved(success: Success) -> bool:
    return success.candidate.kind is ChangeKind.SOLVED


def is_laid_out(successes: list[Success]) -> bool:
    """Whether a change of layout leaves less that fails. A number, or another turn,
    would then only fit."""
    return any(
        item.candidate.kind is ChangeKind.LAYOUT and item.cleared > 0
        for item in successes
    )


ENOUGH = 6
"""After this many changes that work, only those of the finding's own rule are tried."""


def may_help(queued: Queued, successes: list[Success], total: int) -> bool:
    """Whether a change has something to add to those that work."""
    candidate = queued.candidate
    is_guess = candidate.kind is not ChangeKind.LAYOUT and not candidate.inputs
    if is_guess and is_laid_out(successes):
        return False
    # what fits is a worse guess than what follows
    is_fitted = candidate.kind is ChangeKind.NUMBER
    if is_fitted and any(map(is_solved, successes)):
        return False
    # of one place the likeliest value that holds is enough; of slips, another name may
    # fit better by shape
    if candidate.kind is not ChangeKind.SLIP and overlaps(candidate, successes):
        return False
    return is_worth_a_try(queued, successes, total)


def is_worth_a_try(queued: Queued, successes: list[Success], total: int) -> bool:
    """Whether a change could come close to the best one so far if it cleared all
    failures. What the rule itself proposes is tried in any case, but beside what
    follows from the sizes; there a guess must even be the better explanation."""
    has_solved = any(is_solved(item) for item in successes)
    candidate = queued.candidate
    is_input = bool(candidate.inputs) and candidate.likely >= weights.NATURAL
    if queued.is_own and (is_input or not has_solved):
        return True
    if sum(item.cleared > 0 for item in successes) >= ENOUGH:
        return False
    best = max((item.worth for item in successes), default=weights.WORTH_OF_NONE)
    reachable = queued.candidate.likely + weights.CLEARED_EACH * (total - 1)
    is_guess = has_solved and not queued.is_own
    return reachable >= best - (0 if is_guess else weights.MARGIN)


def is_beside(item: Success, best: Success) -> bool:
    """Whether a change may be shown beside the best one: it leaves no more that fails,
    and its results have as many dimensions. Others are of another model."""
    is_other = item is not best
    leaves_no_more = item.left.total() <= best.left.total()
    return is_other and leaves_no_more and best.ranks in (None, item.ranks)


def first_step(change: Candidate) -> tuple[Edit, ...]:
    """The edits of a change that the search for the next bug needs: a missing flatten
    without its new number."""
    if change.kind is ChangeKind.FLATTEN_AND_NUMBER:
        return change.edits[:1]
    return change.edits


def cost_order(fix: Fix) -> tuple[int, bool, bool]:
    return len(fix.edits), fix.safety is not Safety.SAFE, not fix.fits_other_sizes
