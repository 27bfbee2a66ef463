"""Cause, not symptom: which change makes most of the model clean, and where it would be made.

Every candidate has a likelihood before it is tried; they are tried in that order. The likeliest that
holds, one more failure cleared counting as much as a better place, is taken for the cause. The other ends
become related places, and findings that it clears as well are not reported twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint.diagnostics import OR_HERE, Diagnostic, Edit, Fix, Related, Span
from shapelint.fixes.heads import FLATTEN_TOO
from shapelint.fixes.knobs import Knobs
from shapelint.fixes.plausible import Numbers
from shapelint.fixes.upstream import written_factors
from shapelint.fixes.values import WINDOW
from shapelint.fixes.verify import OTHER_SIZES, Failures, Verifier, failures_of, out_of_time
from shapelint.graph import Call, Trace
from shapelint.rules import Candidate, Finding
from shapelint.rules.evidence import definition_of, shape_text
from shapelint.syntax.calls import call_around
from shapelint.syntax.places import span_of

_KEEPING = {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm", "GroupNorm", "PReLU", "InstanceNorm2d"}
"""Layers with weights that give what they were given."""

SHOWN = 4
"""Fixes shown for one finding."""

OTHER_ENDS = 3
"""Related places named for one finding."""

SECONDS = 3.0
"""For the search of one target; what was found until then is shown."""

SPREAD = 0.2
"""What it costs that a change reaches twice as many other layers."""

CLEARED = 1.5
"""What clearing one more failure is worth."""


@dataclass(frozen=True)
class Success:
    """A candidate that held, and what it left."""

    candidate: Candidate
    left: Failures
    cleared: int
    spread: int = 0
    """Layers beside the failing ones that come out otherwise."""
    completes: bool = False
    """Whether a walk that ended early comes to its end without any failure."""

    @property
    def worth(self) -> float:
        """By how much it is the likeliest explanation."""
        cleared = self.cleared - 1 + self.completes
        return self.candidate.likely + CLEARED * cleared - SPREAD * math.log2(1 + self.spread)


class Causes:
    """Explains the findings of one target."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier
        self.walked = verifier.walked
        self.numbers = Numbers(self.walked.traces.values(), written_factors(self.walked))
        self.until = min(verifier.deadline, time.monotonic() + SECONDS)

    def explained(self, findings: list[Finding]) -> list[Diagnostic]:
        """Each bug once, at the place where it would be mended, with the fixes that hold."""
        left = sorted(findings, key=self._order)
        found: list[Diagnostic] = []
        while left:
            finding = left.pop(0)
            broken = self._broken(finding)
            if broken is None:
                found.append(self._listed(finding))
                continue
            diagnostic, cleared = self._explained(finding, broken, left)
            follow = [other for other in left if self._cleared(other, finding, cleared)]
            left = [other for other in left if other not in follow]
            found.append(replace(diagnostic, related=(*diagnostic.related, *_places(follow, "fails with it"))))
        return found

    def _order(self, finding: Finding) -> tuple[int, int]:
        return (0 if finding.call is not None else 1, finding.call or 0)

    def _broken(self, finding: Finding) -> Call | None:
        """The call that failed; where the model itself raised, the last call before."""
        if finding.diagnostic.severity.value != "error" or finding.mode not in self.walked.traces:
            return None
        trace = self.walked.traces[finding.mode]
        if finding.call is None:
            if trace.raised is None or trace.raised.call is not None:
                return None
            return trace.calls[-1] if trace.calls else Call(0, "", "raise", "function")
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
            if len(fixes) >= SHOWN or out_of_time(self.verifier.deadline):
                break
            if candidate.group and candidate.group in done:
                continue
            fix = self.verifier.fix(finding, candidate)
            if fix is not None:
                fixes.append(fix)
                done.add(candidate.group)
        return replace(finding.diagnostic, fixes=tuple(fixes))

    # -- a failed call ------------------------------------------------------------------------------

    def _explained(self, finding: Finding, broken: Call, left: list[Finding]) -> tuple[Diagnostic, Failures | None]:
        trace = self.walked.traces[finding.mode]
        finding = replace(finding, candidates=(*finding.candidates, *_everywhere(finding, left)))
        successes = self._search(finding, trace, broken, len(left))
        ordered = sorted(successes, key=lambda item: -item.worth)
        for best in ordered:
            fix = self.verifier.fix(finding, best.candidate)
            if fix is not None:
                rest = [item for item in ordered if item is not best]
                fixes = (fix, *self._others(finding, rest, best.candidate))
                diagnostic = replace(finding.diagnostic, fixes=fixes)
                return self._placed(diagnostic, broken, best.candidate, rest), best.left
        return self._placed(finding.diagnostic, broken, None, []), None

    def _search(self, finding: Finding, trace: Trace, broken: Call, others: int) -> list[Success]:
        before = failures_of(trace)
        total, key = before.total(), self.verifier.key_of(finding)
        if key is None:
            return []
        until = min(self.until, time.monotonic() + max(0.8, (self.until - time.monotonic()) / (others + 1)))
        queue = self._queue(finding, trace, broken)
        own = set(map(id, finding.candidates))
        successes: list[Success] = []
        done: set[str] = set()
        for candidate in queue:
            best = max((item.worth for item in successes), default=-9.0)
            wanted = id(candidate) in own
            reachable = candidate.likely + CLEARED * (total - 1)
            if out_of_time(until):
                break
            if not wanted and (reachable < best - 1.0 or sum(item.cleared > 0 for item in successes) >= 6):
                continue
            if candidate.group in done or _overlaps(candidate, successes):
                continue
            after = self.verifier.screen(candidate, finding.mode, key)
            if after is None:
                continue
            left = failures_of(after)
            if candidate.group == "size" and left.total():
                continue
            completes = trace.raised is not None and after.raised is None and not left.total()
            spread = _spread(trace, after)
            successes.append(Success(candidate, left, total - left.total(), spread, completes))
            if candidate.group:
                done.add(candidate.group)
        return successes

    def _queue(self, finding: Finding, trace: Trace, broken: Call) -> list[Candidate]:
        """The rule's own candidates and the knobs, the likeliest first, each change once."""
        found: dict[object, Candidate] = {}
        least: dict[str, float] = {}
        raised = trace.raised if finding.call is None else None
        for candidate in Knobs(self.walked, trace, broken, self.numbers, raised).candidates():
            found[candidate.edits] = candidate
        for position, candidate in enumerate(finding.candidates):
            same = found.pop(candidate.edits, None) if candidate.edits else None
            likely = candidate.likely or (same.likely if same is not None else 1.0 - 0.1 * position)
            if candidate.group:  # of one group the rule's own order holds
                likely = min(likely, least.get(candidate.group, likely + 1) - 0.01)
                least[candidate.group] = likely
            object.__setattr__(candidate, "likely", likely)
            found[candidate.edits or candidate.inputs] = candidate
        return sorted(found.values(), key=lambda item: -item.likely)

    def _others(self, finding: Finding, rest: list[Success], best: Candidate) -> Iterator[Fix]:
        """Further fixes: fewest edits first, then those that keep trained weights, then those for other sizes too."""
        found: list[tuple[tuple[int, bool, bool, int], Fix]] = []
        own = set(map(id, finding.candidates))
        done = {best.group} if best.group else set()
        for position, item in enumerate(rest):
            if out_of_time(self.verifier.deadline) or len(found) >= SHOWN + 1:
                break
            shown = id(item.candidate) in own or item.worth > best.likely - 1.0
            if not shown or (item.candidate.group and item.candidate.group in done):
                continue
            fix = self.verifier.fix(finding, item.candidate)
            if fix is not None:
                done.add(item.candidate.group)
                sized = OTHER_SIZES not in fix.cost
                found.append(((len(fix.edits), fix.safety != "safe", sized, position), fix))
        found.sort(key=lambda item: item[0])
        yield from [fix for _, fix in found[: SHOWN - 1]]

    # -- places -------------------------------------------------------------------------------------

    def _placed(self, diagnostic: Diagnostic, broken: Call, best: Candidate | None, rest: list[Success]) -> Diagnostic:
        """The diagnostic at the place of its best fix, the other ends related."""
        symptom = diagnostic.span
        related = list(diagnostic.related)
        if best is not None and best.edits:
            cause = _span(best.edits[0])
            if symptom is None or cause.file != symptom.file or cause.line != symptom.line:
                label = best.says or f"{best.title} mends it"
                if symptom is not None:
                    related.insert(0, Related(symptom, diagnostic.label or "fails here"))
                diagnostic = replace(diagnostic, span=cause, label=label)
            elif best.says == FLATTEN_TOO:
                diagnostic = replace(diagnostic, label=FLATTEN_TOO)
        taken = {(span.file, span.line) for span in (diagnostic.span, diagnostic.called_at) if span is not None}
        taken |= {(item.span.file, item.span.line) for item in related}
        for span, message in self._ends(broken, rest):
            if (span.file, span.line) not in taken and len(related) < OTHER_ENDS + 2:
                taken.add((span.file, span.line))
                related.append(Related(span, message))
        return replace(diagnostic, related=tuple(related))

    def _ends(self, broken: Call, rest: list[Success]) -> Iterator[tuple[Span, str]]:
        """Where else it could be mended, where the layer was made, and where what arrives was made."""
        for item in rest[:OTHER_ENDS]:
            if item.candidate.edits:
                yield _span(item.candidate.edits[0]), f"{OR_HERE}: {item.candidate.says or item.candidate.title}"
        yield from self._makers(broken)
        if broken.site is not None:
            yield span_of(broken.site), "called here"

    def _makers(self, broken: Call) -> Iterator[tuple[Span, str]]:
        """Where the failing layer, and the layers that gave what it was fed with, were made."""
        trace = next((trace for trace in self.walked.traces.values() if broken in trace.calls), None)
        if trace is None:
            return
        sites, class_name = definition_of(self.walked, broken)
        if sites:
            yield span_of(sites[0]), f"`{class_name or broken.op}` made here"
        for index in dict.fromkeys(broken.producers):
            current = trace.calls[index] if index >= 0 else None
            steps = 0
            while current is not None and steps < 12:
                sites, class_name = definition_of(self.walked, current)
                if sites and current.params and class_name not in _KEEPING and current.output is not None:
                    yield (
                        span_of(sites[0]),
                        f"{shape_text(current.output.shape)} comes from this `{class_name or current.op}`",
                    )
                    break
                current, steps = trace.producer(current), steps + 1


def _everywhere(finding: Finding, others: list[Finding]) -> list[Candidate]:
    """The same change at every call that fails in the same way: each skip of a U-Net resized."""
    alike = [
        other
        for other in others
        if (other.diagnostic.code, other.mode) == (finding.diagnostic.code, finding.mode)
        and len(other.candidates) == len(finding.candidates)
    ]
    found = []
    for position, candidate in enumerate(finding.candidates if alike else ()):
        matching = [other.candidates[position] for other in alike]
        resizing = candidate.group.startswith("operand")
        if not candidate.edits or not resizing or not all(each.edits for each in matching):
            continue
        edits = dict.fromkeys([*candidate.edits, *(edit for each in matching for edit in each.edits)])
        title = f"{candidate.title} and the same in {len(alike)} other place{'s' if len(alike) > 1 else ''}"
        found.append(replace(candidate, title=title, edits=tuple(edits), group=f"{candidate.group} everywhere"))
    return found


def _spread(before: Trace, after: Trace) -> int:
    """How many layers that did not fail come out with other sizes; windows may well change everywhere."""
    made = {call.module_path: _sizes(call) for call in after.calls if call.kind == "module"}
    failing = {call.module_path for call in before.failures}
    return sum(
        _sizes(call) != made.get(call.module_path, _sizes(call))
        for call in before.calls
        if call.kind == "module" and call.module_path not in failing
    )


def _sizes(call: Call) -> dict[str, object]:
    return {name: value for name, value in call.attributes.items() if name not in WINDOW}


def _overlaps(candidate: Candidate, successes: list[Success]) -> bool:
    """Whether a change that holds already is made at the same single place."""
    if len(candidate.edits) != 1:
        return False
    edit = candidate.edits[0]
    return any(
        other.file == edit.file and other.start < edit.end and edit.start < other.end
        for item in successes
        if len(item.candidate.edits) == 1
        for other in item.candidate.edits
    )


def _places(findings: list[Finding], message: str) -> list[Related]:
    return [Related(item.diagnostic.span, message) for item in findings[:4] if item.diagnostic.span is not None]


def _span(edit: Edit) -> Span:
    """What an edit replaces; of something left out, the call it is left out of."""
    if edit.start == edit.end:
        around = call_around(edit.file, edit.start)
        if around is not None:
            return around.span()
    return Span(edit.file, edit.start.line, edit.start.column, edit.end.line, edit.end.column)
