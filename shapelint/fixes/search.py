"""Searches the cause of each failure: the change that clears most failures, and its
place.

Changes are tried in the order of their likelihood. Of those that work, the one with the
highest likelihood plus a bonus for each cleared failure is taken for the cause. The
places of the other changes become related places, and findings that the same change
fixes are not reported again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes import weights
from shapelint.changes.plausibility import Numbers
from shapelint.changes.size_origins import size_origins_of
from shapelint.changes.spellings import list_written_factors
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Severity
from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.findings import Candidate, ChangeKind, Finding
from shapelint.fixes.candidate_queue import (
    Queued,
    add_to_queue,
    follows,
    queue_candidates,
)
from shapelint.fixes.cause_places import (
    name_places,
    place_at_cause,
    place_at_shared_change,
)
from shapelint.fixes.failed_call import FailedCall, find_failed_call
from shapelint.fixes.failure_counts import Failures, failures_of
from shapelint.fixes.fitting_sizes import propose_sizes
from shapelint.fixes.guessed_results import GuessedResults
from shapelint.fixes.successes import (
    Success,
    cost_order,
    first_step,
    is_beside,
    is_solved,
    is_sure,
    may_help,
    ranks_of,
    spread_of,
)
from shapelint.fixes.verify import Verifier

SHOWN = 4
"""The most fixes shown for one finding."""


ENOUGH_BESIDE_SOLVED = 3
"""Changes that hold, if one of them follows from where the sizes come from and leaves
nothing that fails: others could only be guesses."""

WORK = 6000
"""The limit for the search of one target, in calls walked during trials. Everything
found until then is shown."""

LEAST_WORK = 1500
"""The least share of this work for each finding."""


class Causes:
    """Finds the causes of a target's findings."""

    def __init__(self, verifier: Verifier, one_by_one: bool = False) -> None:
        """`one_by_one`: explain only the first failure that can be fixed. The others
        wait for a look at the model with that bug fixed."""
        self.verifier = verifier
        self.one_by_one = one_by_one
        self.mended: tuple[Edit, ...] = ()
        """The edits with which the next look begins."""
        self.is_sure = True
        """Whether what shows itself behind these edits is the user's too, since they
        are most likely what the user would change."""
        self.waiting: list[Finding] = []
        """The findings that are left to the next look."""
        self._guesses = GuessedResults()
        self._fixes: dict[object, Fix | None] = {}
        self.walked = verifier.walked
        self.numbers = Numbers(
            self.walked.traces.values(), list_written_factors(self.walked)
        )

    def explain(self, findings: list[Finding]) -> list[Diagnostic]:
        """Return one diagnostic for each bug, at the place of its best fix, with the
        fixes that work."""
        # the first failure may explain later ones
        left = sorted(findings, key=_order)
        found: list[Diagnostic] = []
        while left:
            finding = left.pop(0)
            try:
                diagnostic, left = self._explain_next(finding, left)
            except OutOfTimeError:
                # what was explained until then stays
                self.verifier.searched.is_late = True
                diagnostic = finding.diagnostic
            if diagnostic is not None:
                found.append(diagnostic)
        return found

    def _explain_next(
        self, finding: Finding, left: list[Finding]
    ) -> tuple[Diagnostic | None, list[Finding]]:
        """Return the diagnostic of a finding, if it is one, and the findings that are
        left."""
        failed = find_failed_call(self.walked, finding)
        if failed is None:
            return self._explain_without_call(finding, left)
        if self.mended:
            self.waiting.append(finding)
            return None, left
        if self._guesses.are_under(failed):
            return None, left
        return self._explain_with_others(failed, left)

    # -- findings about no failed call -------------------------------------------------

    def _explain_without_call(
        self, finding: Finding, others: list[Finding]
    ) -> tuple[Diagnostic, list[Finding]]:
        """Verify the rule's own changes for a finding. Return its diagnostic, and the
        other findings without those that the same change fixes."""
        diagnostic = replace(finding.diagnostic, fixes=self._own_fixes(finding))
        same = [other for other in others if _is_mended_by(other, diagnostic)]
        left = [other for other in others if other not in same]
        return place_at_shared_change(diagnostic, same, self.walked.texts), left

    def _own_fixes(self, finding: Finding) -> tuple[Fix, ...]:
        fixes: list[Fix] = []
        done: set[str] = set()
        for candidate in finding.candidates:
            if len(fixes) >= SHOWN or self.verifier.is_late():
                break
            if candidate.group and candidate.group in done:
                continue
            fix = self.verifier.fix(finding, candidate)
            if fix is not None:
                fixes.append(fix)
                done.add(candidate.group)
        return () if self.verifier.is_late() else tuple(fixes)

    # -- failed calls ------------------------------------------------------------------

    def _explain_with_others(
        self, failed: FailedCall, others: list[Finding]
    ) -> tuple[Diagnostic, list[Finding]]:
        """Explain a failed call. Return its diagnostic, and the other findings without
        those that its change fixes."""
        diagnostic, best = self._explain(failed, others)
        if not diagnostic.fixes:
            self._guesses.add(failed)
        follow = self._find_mended_too(failed.finding, diagnostic, best, others)
        left = [other for other in others if other not in follow]
        named = name_places(follow, "fails with it")
        diagnostic = replace(diagnostic, related=(*diagnostic.related, *named))
        if self.one_by_one and best is not None and self._is_more_left(best, left):
            self.mended = first_step(best.candidate)
            self.is_sure = self.is_sure and is_sure(best)
        return diagnostic, left

    def _find_mended_too(
        self,
        first: Finding,
        diagnostic: Diagnostic,
        best: Success | None,
        others: list[Finding],
    ) -> list[Finding]:
        """The other findings that the change for the first one fixes."""
        if diagnostic.right_input is not None:
            # with it no call fails, in whatever mode
            return [other for other in others if self._is_about_call(other)]
        if best is None:
            return []
        return [other for other in others if self._is_cleared(other, first, best.left)]

    def _is_about_call(self, finding: Finding) -> bool:
        return find_failed_call(self.walked, finding) is not None

    def _is_cleared(self, other: Finding, first: Finding, left: Failures) -> bool:
        """Whether the change that fixes the first finding also fixes this one."""
        if not self._is_about_call(other) or other.mode != first.mode:
            return False
        key = self.verifier.key_of(other)
        return key is not None and not left[key]

    def _is_more_left(self, best: Success, left: list[Finding]) -> bool:
        """Whether other failures remain after a change."""
        is_of_two = best.candidate.kind is ChangeKind.FLATTEN_AND_NUMBER
        is_another_broken = any(self._is_about_call(other) for other in left)
        return is_of_two or is_another_broken or bool(best.left.total())

    def _explain(
        self, failed: FailedCall, others: list[Finding]
    ) -> tuple[Diagnostic, Success | None]:
        """Return the diagnostic of a failed call, and the change that is taken for its
        cause."""
        finding = failed.finding
        origins = size_origins_of(self.walked, failed.call)
        described = replace(finding.diagnostic, origins=origins)
        successes = self._find_successes(failed, others)
        ordered = sorted(successes, key=lambda item: -item.worth)
        for best in ordered:
            # the best of what was tried so far need not be the best
            if self.verifier.is_late():
                break
            fix = self._fix(finding, best.candidate)
            if self.verifier.is_late():
                break
            # a change that clears the failure in one mode may break the other
            if fix is None:
                continue
            rest = [item for item in ordered if is_beside(item, best)]
            fixes = (fix, *self._further_fixes(finding, rest, best.candidate))
            diagnostic = replace(described, fixes=fixes)
            placed = place_at_cause(
                self.walked, failed, diagnostic, best.candidate, rest
            )
            return placed, best
        diagnostic = place_at_cause(self.walked, failed, described, None, [])
        return diagnostic, None

    def _find_successes(
        self, failed: FailedCall, others: list[Finding]
    ) -> list[Success]:
        """Try changes until the work is spent. Return those that work, in the order in
        which they were tried."""
        verifier = self.verifier
        if verifier.key_of(failed.finding) is None:
            return []
        # a third at least: the first findings mostly explain the others
        share = (WORK - verifier.work) // min(len(others) + 1, 3)
        done_at = verifier.work + max(LEAST_WORK, share)
        total = failures_of(failed.trace).total()
        successes: list[Success] = []
        done: set[str] = set()
        for queued in self._list_queue(failed, others, successes):
            candidate = queued.candidate
            if verifier.is_late():
                break
            has_solved = any(is_solved(item) for item in successes)
            if has_solved and len(successes) >= ENOUGH_BESIDE_SOLVED:
                break
            if candidate.group in done or not may_help(queued, successes, total):
                continue
            if verifier.is_spent(done_at):
                break
            success = self._try(failed, queued, total)
            if success is None or not self._may_end_search(failed.finding, success):
                continue
            successes.append(success)
            # of slips, another name may fit better by shape
            if candidate.group and candidate.kind is not ChangeKind.SLIP:
                done.add(candidate.group)
        return successes

    def _may_end_search(self, finding: Finding, success: Success) -> bool:
        """Whether a change that follows holds in every respect, since others are not
        tried beside it. Of guesses that is asked later."""
        is_guess = not follows(Queued(success.candidate, success.is_own))
        return is_guess or self._fix(finding, success.candidate) is not None

    def _fix(self, finding: Finding, candidate: Candidate) -> Fix | None:
        """The verified change, verified once."""
        key = (finding.diagnostic.code, finding.call, candidate.edits, candidate.inputs)
        if key not in self._fixes:
            self._fixes[key] = self.verifier.fix(finding, candidate)
        return self._fixes[key]

    def _list_queue(
        self, failed: FailedCall, others: list[Finding], successes: list[Success]
    ) -> Iterator[Queued]:
        """The changes to try, the most plausible first. Other sizes of inputs, which
        have to be walked to be found, are left out where what follows from sizes and
        layouts has left nothing that fails."""
        queue = queue_candidates(self.walked, self.numbers, failed, others)
        guesses = [each for each in queue if not follows(each)]
        yield from (each for each in queue if follows(each))
        if all(item.left.total() for item in successes):
            guesses = add_to_queue(guesses, propose_sizes(self.verifier, failed))
        yield from guesses

    def _try(self, failed: FailedCall, queued: Queued, total: int) -> Success | None:
        """Try a change; None if it does not work. `total`: the number of failed calls
        before it."""
        key = self.verifier.key_of(failed.finding)
        assert key is not None
        before, candidate = failed.trace, queued.candidate
        after = self.verifier.screen(candidate, before.mode, key)
        if after is None:
            return None
        left = failures_of(after)
        if candidate.kind is ChangeKind.INPUT_SIZE and left.total():
            return None
        if left.total() > total and candidate.likely < weights.NATURAL:
            return None  # more fails after the point where it raised than failed before
        is_to_the_end = before.raised is not None and after.raised is None
        return Success(
            candidate,
            left,
            total - left.total(),
            spread_of(before, after),
            is_to_the_end and not left.total(),
            queued.is_own,
            ranks_of(after),
        )

    def _further_fixes(
        self, finding: Finding, rest: list[Success], best: Candidate
    ) -> Iterator[Fix]:
        """Further fixes: those with the fewest edits first, then those that keep
        trained weights, then those that fit other sizes."""
        found: list[Fix] = []
        done = {best.group} if best.group else set()
        for item in rest:
            # one more than is shown, since they are ordered only then
            if len(found) >= SHOWN + 1 or self.verifier.is_late():
                break
            candidate = item.candidate
            is_close = item.worth > best.likely - weights.MARGIN
            if not item.is_own and not is_close:
                continue
            if candidate.group and candidate.group in done:
                continue
            fix = self._fix(finding, candidate)
            if fix is not None:
                done.add(candidate.group)
                found.append(fix)
        yield from sorted(found, key=cost_order)[: SHOWN - 1]


def _order(finding: Finding) -> tuple[bool, int]:
    """Sorts findings about calls in the order of the calls, and all others after
    them."""
    return finding.call is None, finding.call or 0


def _is_mended_by(other: Finding, diagnostic: Diagnostic) -> bool:
    """Whether an error that is not about a failed call is fixed by the change for
    another one, as when a helper makes both layers."""
    edits = diagnostic.fixes[0].edits if diagnostic.fixes else ()
    is_error = other.diagnostic.severity is Severity.ERROR
    if not edits or not is_error or other.diagnostic.code != diagnostic.code:
        return False
    return any(candidate.edits == edits for candidate in other.candidates)
