"""What keeps a walk from seeing more: a first bug, the model's own `raise`, a call
without a recovery.

It is mended, or taken out, in a working copy, and that is walked; what is found there
is put back into the coordinates of the file as it lies."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from shapelint.facts.diagnostics import Diagnostic, Edit, Severity
from shapelint.facts.graph import Walked
from shapelint.facts.places import Position, Site, Span
from shapelint.fixes.verify import OTHERS_STAY
from shapelint.rules import catalogue
from shapelint.syntax.edits import replacement, try_edits
from shapelint.syntax.trees import parse_file


@dataclass(frozen=True)
class Copy:
    """The files of a target with changes made: each step's edits fit the texts that the
    step before gave."""

    steps: tuple[tuple[Edit, ...], ...] = ()

    def and_then(self, edits: tuple[Edit, ...]) -> Copy:
        """With further changes."""
        return Copy((*self.steps, edits))

    def back(self, span: Span) -> Span:
        """A span of the copy in the file; without columns where it is of changed
        text."""
        start = self._position(span.file, Position(span.line, span.column or 1))
        end = self._position(
            span.file, Position(span.end_line or span.line, span.end_column or 1)
        )
        line = start[0].line
        if span.column is None:
            return Span(span.file, line)
        if start[1] or end[1]:
            return Span(span.file, line)
        return Span(span.file, line, start[0].column, end[0].line, end[0].column)

    def edit_back(self, edit: Edit) -> Edit | None:
        """An edit of the copy as one of the file; None where it replaces changed
        text."""
        (start, inside), (end, at_end) = (
            self._position(edit.file, at) for at in (edit.start, edit.end)
        )
        if inside or at_end or self._changed_between(edit):
            return None
        return replace(edit, start=start, end=end)

    def _position(self, file: str, at: Position) -> tuple[Position, bool]:
        """Where a position of the copy is in the file, and whether it is within changed
        text."""
        inside = False
        for edits in reversed(self.steps):
            for edit in sorted(
                (edit for edit in edits if edit.file == file),
                key=lambda item: item.start,
            ):
                at, within = _before(edit, at)
                inside = inside or within
        return at, inside

    def _changed_between(self, other: Edit) -> bool:
        """Whether what an edit replaces has changed text in it."""
        start, end = other.start, other.end
        for edits in reversed(self.steps):
            for edit in sorted(
                (edit for edit in edits if edit.file == other.file),
                key=lambda item: item.start,
            ):
                if start <= edit.start and _end_of(edit) <= end and start != end:
                    return True
                start, end = _before(edit, start)[0], _before(edit, end)[0]
        return False


def _end_of(edit: Edit) -> Position:
    """Where the text that an edit writes ends."""
    lines = edit.replacement.split("\n")
    column = edit.start.column if len(lines) == 1 else 1
    return Position(edit.start.line + len(lines) - 1, column + len(lines[-1]))


def _before(edit: Edit, at: Position) -> tuple[Position, bool]:
    """Where a position was before an edit, and whether it is within what the edit
    wrote."""
    end = _end_of(edit)
    if at <= edit.start:
        return at, False
    if at < end:
        return edit.start, True
    column = (
        edit.end.column + at.column - end.column if at.line == end.line else at.column
    )
    return Position(edit.end.line + at.line - end.line, column), False


def beyond(walked: Walked, found: list[Diagnostic]) -> tuple[Edit, ...]:
    """The edits with which one sees further than this walk; none where there is nothing
    further to see."""
    for trace in walked.traces.values():
        raised = trace.raised
        if raised is None or not raised.sites or trace.out_of_time:
            continue
        follows = raised.call is not None or any(True for _ in trace.failures)
        mended = _mended(walked, found) if follows else ()
        return mended or (
            _disarmed(walked, raised.sites[0], found) if raised.call is None else ()
        )
    return ()


def _mended(walked: Walked, found: list[Diagnostic]) -> tuple[Edit, ...]:
    """With the first fix of every error, those that overlap another left out; none
    where the input is wrong."""
    edits: tuple[Edit, ...] = ()
    if any(
        item.severity == Severity.ERROR and item.fixes and item.fixes[0].inputs
        for item in found
    ):
        return ()
    for item in found:
        chosen = next((fix.edits for fix in item.fixes if fix.edits), ())
        if (
            item.severity == Severity.ERROR
            and chosen
            and try_edits(walked.texts, (*edits, *chosen)) is not None
        ):
            edits += chosen
    return edits


def _disarmed(walked: Walked, site: Site, found: list[Diagnostic]) -> tuple[Edit, ...]:
    """With its first fix, else without the statement that raised; none where another
    input is all it takes."""
    rules = catalogue().rules
    own = [item for item in found if rules[item.code].is_of_raise and item.fixes]
    if any(fix.inputs and fix.runs for item in own for fix in item.fixes):
        return ()
    if own and own[0].fixes[0].edits:
        return own[0].fixes[0].edits
    source = parse_file(site.file, walked.texts)
    for node in ast.walk(source.tree) if source is not None else ():
        if (
            source is not None
            and isinstance(node, (ast.Raise, ast.Assert))
            and node.lineno <= site.line <= (node.end_lineno or 0)
        ):
            breaks = "\n" * ((node.end_lineno or node.lineno) - node.lineno)
            return (replacement(source, node, f"pass{breaks}"),)
    return ()


def together(
    earlier: list[Diagnostic],
    waiting: list[Diagnostic],
    later: list[Diagnostic],
    copy: Copy,
    first: bool = False,
) -> list[Diagnostic]:
    """The findings of an earlier pass and those of a later one, which looks at a mended
    copy.

    An error seen only beyond another counts where a change of the file mends it: else
    it may follow from the first. `waiting`: what was seen before, and left to the later
    pass to explain. `first`: no pass before could walk at all."""
    known = {(item.code, item.span, item.message) for item in earlier}
    seen = {(item.code, item.layer) for item in waiting}
    found = list(earlier)
    for item in later:
        placed = _placed(item, copy)
        counts = (
            first
            or item.severity != Severity.ERROR
            or (item.code, item.layer) in seen
            or any(fix.edits for fix in item.fixes)
        )
        if counts and (item.code, placed.span, item.message) not in known:
            found.append(placed)
    return sorted(found, key=lambda item: item.sort_key)


def _placed(item: Diagnostic, copy: Copy) -> Diagnostic:
    """A finding in the file's coordinates, with those of its fixes that can be made
    there.

    An input that the copy runs with leaves, of the file as it lies, what was mended in
    the copy."""
    if not copy.steps:
        return item
    fixes = []
    for fix in item.fixes:
        edits = [copy.edit_back(edit) for edit in fix.edits]
        if fix.inputs:
            fixes.append(replace(fix, runs=False, cost=OTHERS_STAY))
        elif all(edit is not None for edit in edits):
            fixes.append(
                replace(fix, edits=tuple(edit for edit in edits if edit is not None))
            )
    return replace(
        item,
        fixes=tuple(fixes),
        span=copy.back(item.span) if item.span is not None else None,
        called_at=copy.back(item.called_at) if item.called_at is not None else None,
        related=tuple(
            replace(each, span=copy.back(each.span)) for each in item.related
        ),
    )
