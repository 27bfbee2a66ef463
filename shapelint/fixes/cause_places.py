"""Moves a finding to the place of the change that fixes it, and lists the other places
of the bug."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.other_places import other_places_of
from shapelint.facts.diagnostics import Diagnostic, Edit, Related
from shapelint.facts.findings import Candidate, ChangeKind, Finding
from shapelint.facts.places import Span
from shapelint.facts.walked_target import Walked
from shapelint.fixes.failed_call import FailedCall
from shapelint.fixes.successes import Success
from shapelint.syntax.calls import call_around
from shapelint.syntax.texts import Texts

MOST_OTHER_FIXES = 3
"""The most places of other fixes named for one finding."""

PLACES = 8
"""The most related places named for one finding."""

MOST_FOLLOWING = 4
"""The most findings named that the same change fixes."""


def place_at_cause(
    walked: Walked,
    failed: FailedCall,
    diagnostic: Diagnostic,
    best: Candidate | None,
    rest: list[Success],
) -> Diagnostic:
    """Place a diagnostic at its best change, with the other places as related. `rest`:
    further changes that work."""
    if best is not None and best.edits and not adds_line(best.edits[0]):
        diagnostic = _move_to(diagnostic, best, _span_of(best.edits[0], walked.texts))
    places = _RelatedPlaces(diagnostic)
    for other in _places_of_others(walked, rest):
        places.add(other)
    for place in other_places_of(walked, failed.call, failed.raised):
        related = Related(place.span, place.message, is_background=True)
        places.add(related, is_always_named=place.is_always_named)
    return replace(diagnostic, related=tuple(places.related))


def adds_line(edit: Edit) -> bool:
    """Whether an edit adds lines of its own, such as an import: there is nothing there
    yet to point at."""
    return edit.start == edit.end and edit.replacement.endswith("\n")


class _RelatedPlaces:
    """Collects the related places of a diagnostic, one for each line."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.related = list(diagnostic.related)
        own = (diagnostic.span, diagnostic.called_at)
        spans = (*own, *(each.span for each in self.related))
        self._lines = {_line_of(span) for span in spans if span is not None}

    def add(self, place: Related, is_always_named: bool = False) -> None:
        """Add a place, unless its line is listed already or there are enough."""
        line = _line_of(place.span)
        is_wanted = line not in self._lines and len(self.related) < PLACES
        if is_wanted or is_always_named:
            self._lines.add(line)
            self.related.append(place)


def _move_to(diagnostic: Diagnostic, best: Candidate, cause: Span) -> Diagnostic:
    """Move a diagnostic to its cause. The place of the failure becomes the first
    related place."""
    symptom = diagnostic.span
    if symptom is not None and _line_of(symptom) == _line_of(cause):
        is_of_two = best.kind is ChangeKind.FLATTEN_AND_NUMBER
        return replace(diagnostic, label=best.says) if is_of_two else diagnostic
    related = diagnostic.related
    if symptom is not None:
        here = Related(symptom, diagnostic.label or "fails here")
        related = (here, *related)
    label = best.says or f"{best.title} fixes it"
    return replace(diagnostic, span=cause, label=label, related=related)


def _places_of_others(walked: Walked, rest: list[Success]) -> Iterator[Related]:
    """The places of the further changes."""
    for item in rest[:MOST_OTHER_FIXES]:
        candidate = item.candidate
        if candidate.edits:
            span = _span_of(candidate.edits[0], walked.texts)
            says = candidate.says or candidate.title
            yield Related(span, f"or here: {says}", is_background=True)


def place_at_shared_change(
    diagnostic: Diagnostic, same: list[Finding], texts: Texts
) -> Diagnostic:
    """If one change fixes several errors, place the diagnostic there. Otherwise, return
    it unchanged."""
    if not same or diagnostic.span is None:
        return diagnostic
    others = (each.span for each in name_places(same, "the same here"))
    spans = dict.fromkeys([diagnostic.span, *others])
    named = [Related(span, "the same here") for span in spans]
    further = [each for each in diagnostic.related if each.span not in spans]
    cause = _span_of(diagnostic.fixes[0].edits[0], texts)
    return replace(diagnostic, span=cause, related=(*named, *further))


def name_places(findings: list[Finding], message: str) -> list[Related]:
    """The places of the first few findings, each with `message`."""
    spans = [item.diagnostic.span for item in findings[:MOST_FOLLOWING]]
    return [Related(span, message) for span in spans if span is not None]


def _line_of(span: Span) -> tuple[str, int]:
    return span.file, span.line


def _span_of(edit: Edit, texts: Texts) -> Span:
    """The text that an edit replaces. If the edit adds an argument, the call it is
    added to."""
    if edit.start == edit.end:
        around = call_around(edit.file, edit.start, texts)
        if around is not None:
            return around.span()
    start, end = edit.start, edit.end
    return Span(edit.file, start.line, start.column, end.line, end.column)
