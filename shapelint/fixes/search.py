"""Cause, not symptom: which change makes most of the model clean, and where it would be
made.

Every candidate has a likelihood before it is tried; they are tried in that order. The
likeliest that holds, one more failure cleared counting as much as a better place, is
taken for the cause. The other ends become related places, and findings that it clears
as well are not reported twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes import rewrites
from shapelint.changes.heads import FLATTEN_TOO
from shapelint.changes.other_inputs import other_ranks
from shapelint.changes.other_places import CHANGES_SIZE, ends_of
from shapelint.changes.plausibility import Numbers
from shapelint.changes.upstream_calls import written_factors
from shapelint.changes.upstream_changes import Knobs
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Related
from shapelint.facts.findings import Candidate, Finding
from shapelint.facts.graph import Call, Raised, Trace
from shapelint.facts.kinds import CallKind, Mode, Safety
from shapelint.facts.places import Span
from shapelint.fixes.successes import (
    CLEARED,
    PUT_IN_TWICE,
    Success,
    overlaps,
    spread_of,
)
from shapelint.fixes.verify import (
    OTHER_SIZES,
    Failures,
    Verifier,
    failures_of,
    out_of_time,
)
from shapelint.rules import catalogue
from shapelint.syntax.calls import call_around
from shapelint.syntax.texts import Texts

SHOWN = 4
"""Fixes shown for one finding."""

OTHER_ENDS = 3
"""Places of other fixes named for one finding."""

PLACES = 8
"""Related places named for one finding."""

WORK = 6000
"""For the search of one target, in calls walked in trials; what was found until then is
shown."""

LEAST = 1500
"""Of it for each finding, if it has come to that."""

NATURAL = 1.2
"""How likely a change must be by itself where more fails behind it than failed
before."""


class Causes:
    """Explains the findings of one target."""

    def __init__(self, verifier: Verifier, one_by_one: bool = False) -> None:
        """`one_by_one`: only the first failure that can be mended is explained, the
        others wait for a look at the model with that one mended."""
        self.verifier = verifier
        self.one_by_one = one_by_one
        self.mended: tuple[Edit, ...] = ()
        self.waiting: list[Finding] = []
        self._doubtful: dict[Mode, set[int]] = {}
        self.walked = verifier.walked
        self.numbers = Numbers(
            self.walked.traces.values(), written_factors(self.walked)
        )
        self.cut_short = False
        """Whether time was over before all that was to be tried had been."""

    def explained(self, findings: list[Finding]) -> list[Diagnostic]:
        """Each bug once, at the place where it would be mended, with the fixes that
        hold."""
        left = sorted(findings, key=self._order)
        found: list[Diagnostic] = []
        while left:
            finding = left.pop(0)
            broken = self._broken(finding)
            if broken is None:
                diagnostic = self._listed(finding)
                same = [other for other in left if _same_change(other, diagnostic)]
                left = [other for other in left if other not in same]
                found.append(_at_the_change(diagnostic, same, self.walked.texts))
                continue
            if self.mended:
                self.waiting.append(finding)
                continue
            if self._rests_on_a_guess(finding, broken):
                continue
            diagnostic, cleared = self._explained(finding, broken, left)
            if not diagnostic.fixes:
                self._doubt(finding, broken)
            follow = [other for other in left if self._cleared(other, finding, cleared)]
            if (
                diagnostic.right_input is not None
            ):  # with it no call fails, in whatever mode
                follow = [other for other in left if self._broken(other) is not None]
            left = [other for other in left if other not in follow]
            found.append(
                replace(
                    diagnostic,
                    related=(*diagnostic.related, *_places(follow, "fails with it")),
                )
            )
            waits = any(self._broken(other) is not None for other in left) or bool(
                cleared and cleared.total()
            )
            if (
                self.one_by_one
                and diagnostic.fixes
                and (waits or diagnostic.label == FLATTEN_TOO)
            ):
                self.mended = _first_step(diagnostic.fixes[0], diagnostic.label)
        return found

    def _is_late(self) -> bool:
        self.cut_short = self.cut_short or out_of_time(self.verifier.deadline)
        return self.cut_short

    def _doubt(self, finding: Finding, broken: Call) -> None:
        """What a failed call gave is a guess where nothing explains the failure and no
        weight says its size.

        Of a missing dimension no weight says how long it would have been.
        """
        trace = self.walked.trace_of(finding.mode)
        no_rank = catalogue().rules[finding.diagnostic.code].leaves_size_open
        if (broken.params and not no_rank) or finding.call is None:
            return
        doubtful = self._doubtful.setdefault(trace.mode, set())
        doubtful.add(broken.index)
        for call in trace.calls[broken.index + 1 :]:
            facts = zip(call.producers, call.inputs, strict=False)
            given = {index for index, fact in facts if index >= 0 and fact.shape}
            joins = call.op in (
                "cat",
                "concat",
                "stack",
            )  # of a sum, one side that is known is enough
            if (
                (no_rank or not call.params)
                and given
                and (doubtful & given if joins else given <= doubtful)
            ):
                doubtful.add(call.index)

    def _rests_on_a_guess(self, finding: Finding, broken: Call) -> bool:
        """Whether a call fails on what was guessed for another one: that follows from
        the first bug."""
        doubtful = self._doubtful.get(self.walked.trace_of(finding.mode).mode, set())
        main = broken.main_argument
        fed = (
            set(broken.producers)
            if main is None or not broken.params
            else {broken.producers[main]}
        )
        return bool(doubtful & fed)

    def _order(self, finding: Finding) -> tuple[int, int]:
        return (0 if finding.call is not None else 1, finding.call or 0)

    def _broken(self, finding: Finding) -> Call | None:
        """The call that failed; where the model itself raised, the last call before."""
        if (
            finding.diagnostic.severity.value != "error"
            or finding.mode not in self.walked.traces
        ):
            return None
        trace = self.walked.trace_of(finding.mode)
        if finding.call is None:
            if trace.raised is None or trace.raised.call is not None:
                return None
            return (
                trace.calls[-1]
                if trace.calls
                else Call(0, "", "raise", CallKind.FUNCTION)
            )
        call = trace.calls[finding.call]
        return call if call.failure is not None else None

    def _cleared(self, other: Finding, first: Finding, left: Failures | None) -> bool:
        """Whether the change that mends the first finding mends this one too."""
        broken = self._broken(other)
        if left is None or broken is None or other.mode != first.mode:
            return False
        key = self.verifier.key_of(other)
        return key is not None and not left[key]

    def _listed(self, finding: Finding) -> Diagnostic:
        """Not about a failed call: the rule's own candidates, in its order."""
        fixes: list[Fix] = []
        done: set[str] = set()
        for candidate in finding.candidates:
            if len(fixes) >= SHOWN or self._is_late():
                break
            if candidate.group and candidate.group in done:
                continue
            fix = self.verifier.fix(finding, candidate)
            if fix is not None:
                fixes.append(fix)
                done.add(candidate.group)
        return replace(finding.diagnostic, fixes=tuple(fixes))

    # -- a failed call
    # ------------------------------------------------------------------------------

    def _explained(
        self, finding: Finding, broken: Call, left: list[Finding]
    ) -> tuple[Diagnostic, Failures | None]:
        trace = self.walked.trace_of(finding.mode)
        own = finding.candidates
        known = {candidate.inputs for candidate in own}
        ranks = [
            candidate
            for candidate in other_ranks(self.walked, trace)
            if candidate.inputs not in known
        ]
        finding = replace(
            finding, candidates=(*own, *ranks, *_everywhere(finding, left))
        )
        raised = trace.raised if finding.call is None else None
        successes = self._search(finding, trace, broken, len(left))
        ordered = sorted(successes, key=lambda item: -item.worth)
        for best in ordered:
            fix = self.verifier.fix(finding, best.candidate)
            if fix is not None:
                rest = [item for item in ordered if item is not best]
                fixes = (fix, *self._others(finding, rest, best.candidate))
                diagnostic = replace(finding.diagnostic, fixes=fixes)
                return self._placed(
                    diagnostic, broken, raised, best.candidate, rest
                ), best.left
        return self._placed(finding.diagnostic, broken, raised, None, []), None

    def _search(
        self, finding: Finding, trace: Trace, broken: Call, others: int
    ) -> list[Success]:
        before = failures_of(trace)
        total, key = before.total(), self.verifier.key_of(finding)
        if key is None:
            return []
        done_at = self.verifier.work + max(
            LEAST, (WORK - self.verifier.work) // min(others + 1, 3)
        )
        queue = self._queue(finding, trace, broken)
        own = set(map(id, finding.candidates))
        successes: list[Success] = []
        done: set[str] = set()
        for candidate in queue:
            best = max((item.worth for item in successes), default=-9.0)
            wanted = id(candidate) in own
            reachable = candidate.likely + CLEARED * (total - 1)
            if self.verifier.work > done_at or self._is_late():
                break
            if not wanted and (
                reachable < best - 1.0
                or sum(item.cleared > 0 for item in successes) >= 6
            ):
                continue
            if candidate.group in done or overlaps(candidate, successes):
                continue
            after = self.verifier.screen(candidate, trace.mode, key)
            if after is None:
                continue
            left = failures_of(after)
            if candidate.group == "size" and left.total():
                continue
            if left.total() > total and candidate.likely < NATURAL:
                continue  # beyond where it raised more fails than failed
            completes = (
                trace.raised is not None and after.raised is None and not left.total()
            )
            spread = spread_of(trace, after)
            successes.append(
                Success(candidate, left, total - left.total(), spread, completes)
            )
            if candidate.group:
                done.add(candidate.group)
        return successes

    def _queue(self, finding: Finding, trace: Trace, broken: Call) -> list[Candidate]:
        """The rule's own candidates and the knobs, the likeliest first, each change
        once."""
        found: dict[object, Candidate] = {}
        least: dict[str, float] = {}
        raised = trace.raised if finding.call is None else None
        knobs = Knobs(self.walked, trace, broken, self.numbers, raised)
        for candidate in knobs.candidates():
            found[candidate.edits] = candidate
        for position, candidate in enumerate(finding.candidates):
            same = found.pop(candidate.edits, None) if candidate.edits else None
            likely = candidate.likely or (
                same.likely if same is not None else 1.0 - 0.1 * position
            )
            if candidate.group:  # of one group the rule's own order holds
                likely = min(likely, least.get(candidate.group, likely + 1) - 0.01)
                least[candidate.group] = likely
            object.__setattr__(candidate, "likely", likely)
            found[candidate.edits or candidate.inputs] = candidate
        for candidate in found.values():
            if rewrites.put_in(candidate, self.walked.texts) & knobs.rearranged:
                object.__setattr__(candidate, "likely", candidate.likely - PUT_IN_TWICE)
        return sorted(found.values(), key=lambda item: -item.likely)

    def _others(
        self, finding: Finding, rest: list[Success], best: Candidate
    ) -> Iterator[Fix]:
        """Further fixes: fewest edits first, then those that keep trained weights, then
        those for other sizes too."""
        found: list[tuple[tuple[int, bool, bool, int], Fix]] = []
        own = set(map(id, finding.candidates))
        done = {best.group} if best.group else set()
        for position, item in enumerate(rest):
            if len(found) >= SHOWN + 1 or self._is_late():
                break
            shown = id(item.candidate) in own or item.worth > best.likely - 1.0
            if not shown or (item.candidate.group and item.candidate.group in done):
                continue
            fix = self.verifier.fix(finding, item.candidate)
            if fix is not None:
                done.add(item.candidate.group)
                sized = OTHER_SIZES not in fix.cost
                found.append(
                    (
                        (
                            len(fix.edits),
                            fix.safety is not Safety.SAFE,
                            sized,
                            position,
                        ),
                        fix,
                    )
                )
        found.sort(key=lambda item: item[0])
        yield from [fix for _, fix in found[: SHOWN - 1]]

    # -- places
    # -------------------------------------------------------------------------------------

    def _placed(
        self,
        diagnostic: Diagnostic,
        broken: Call,
        raised: Raised | None,
        best: Candidate | None,
        rest: list[Success],
    ) -> Diagnostic:
        """The diagnostic at the place of its best fix, the other ends related."""
        symptom = diagnostic.span
        related = list(diagnostic.related)
        if best is not None and best.edits:
            cause = _span(best.edits[0], self.walked.texts)
            if (
                symptom is None
                or cause.file != symptom.file
                or cause.line != symptom.line
            ):
                label = best.says or f"{best.title} mends it"
                if symptom is not None:
                    related.insert(
                        0, Related(symptom, diagnostic.label or "fails here")
                    )
                diagnostic = replace(diagnostic, span=cause, label=label)
            elif best.says == FLATTEN_TOO:
                diagnostic = replace(diagnostic, label=FLATTEN_TOO)
        taken = {
            (span.file, span.line)
            for span in (diagnostic.span, diagnostic.called_at)
            if span is not None
        }
        taken |= {(item.span.file, item.span.line) for item in related}
        for end in self._ends(broken, raised, rest):
            line = (end.span.file, end.span.line)
            is_new = line not in taken
            if end.message == CHANGES_SIZE or (is_new and len(related) < PLACES):
                taken.add(line)
                related.append(end)
        return replace(diagnostic, related=tuple(related))

    def _ends(
        self, broken: Call, raised: Raised | None, rest: list[Success]
    ) -> Iterator[Related]:
        """Where else it could be mended, and where the layer and what arrives were
        made."""
        for item in rest[:OTHER_ENDS]:
            if item.candidate.edits:
                yield Related(
                    _span(item.candidate.edits[0], self.walked.texts),
                    f"or here: {item.candidate.says or item.candidate.title}",
                    is_other_place=True,
                )
        for span, message in ends_of(self.walked, broken, raised):
            yield Related(span, message)


def _first_step(fix: Fix, label: str) -> tuple[Edit, ...]:
    """Of a fix the edits with which the next bug is looked for: a missing flatten
    alone, without the number."""
    return fix.edits[:1] if label == FLATTEN_TOO and len(fix.edits) > 1 else fix.edits


def _same_change(other: Finding, diagnostic: Diagnostic) -> bool:
    """Whether an error that no failed call shows is mended by the change that mends
    another: one helper's layer."""
    edits = diagnostic.fixes[0].edits if diagnostic.fixes else ()
    alike = (
        other.diagnostic.code == diagnostic.code
        and other.diagnostic.severity.value == "error"
    )
    return (
        bool(edits)
        and alike
        and any(candidate.edits == edits for candidate in other.candidates)
    )


def _at_the_change(
    diagnostic: Diagnostic, same: list[Finding], texts: Texts
) -> Diagnostic:
    """Where one change mends several errors, the place of that change; else as it
    is."""
    if not same or diagnostic.span is None:
        return diagnostic
    places = [
        Related(diagnostic.span, "the same here"),
        *_places(same, "the same here"),
    ]
    taken = dict.fromkeys(each.span for each in places)
    related = [each for each in diagnostic.related if each.span not in taken]
    return replace(
        diagnostic,
        span=_span(diagnostic.fixes[0].edits[0], texts),
        related=(*(Related(span, "the same here") for span in taken), *related),
    )


def _everywhere(finding: Finding, others: list[Finding]) -> list[Candidate]:
    """The same change at every call that fails in the same way: each skip of a U-Net
    resized."""
    alike = [
        other
        for other in others
        if (other.diagnostic.code, other.mode)
        == (finding.diagnostic.code, finding.mode)
        and len(other.candidates) == len(finding.candidates)
    ]
    found = []
    for position, candidate in enumerate(finding.candidates if alike else ()):
        matching = [other.candidates[position] for other in alike]
        resizing = candidate.group.startswith("operand")
        if (
            not candidate.edits
            or not resizing
            or not all(each.edits for each in matching)
        ):
            continue
        edits = dict.fromkeys(
            [*candidate.edits, *(edit for each in matching for edit in each.edits)]
        )
        title = f"{candidate.title} and the same in {len(alike)} other place{'s' if len(alike) > 1 else ''}"
        found.append(
            replace(
                candidate,
                title=title,
                edits=tuple(edits),
                group=f"{candidate.group} everywhere",
            )
        )
    return found


def _places(findings: list[Finding], message: str) -> list[Related]:
    return [
        Related(item.diagnostic.span, message)
        for item in findings[:4]
        if item.diagnostic.span is not None
    ]


def _span(edit: Edit, texts: Texts) -> Span:
    """What an edit replaces; of something left out, the call it is left out of."""
    if edit.start == edit.end:
        around = call_around(edit.file, edit.start, texts)
        if around is not None:
            return around.span()
    return Span(
        edit.file, edit.start.line, edit.start.column, edit.end.line, edit.end.column
    )
