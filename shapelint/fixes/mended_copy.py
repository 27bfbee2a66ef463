"""A copy of a target's files with some bugs fixed, and the conversion of its places
back to the original files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint.facts.diagnostics import Diagnostic, Edit, Fix
from shapelint.facts.places import Position, Span
from shapelint.fixes.verify import OTHERS_STAY


@dataclass(frozen=True)
class MendedCopy:
    """The files of a target with changes. The edits of each step apply to the texts
    after the previous step."""

    steps: tuple[tuple[Edit, ...], ...] = ()

    def with_step(self, edits: tuple[Edit, ...]) -> MendedCopy:
        """Add a step with further edits."""
        return MendedCopy((*self.steps, edits))

    def original_span(self, span: Span) -> Span:
        """Convert a span of the copy to the original file, without columns if it
        contains changed text."""
        start = Position(span.line, span.column or 1)
        end = Position(span.end_line or span.line, span.end_column or 1)
        first, is_changed = self._original_position(span.file, start)
        last, is_changed_at_end = self._original_position(span.file, end)
        has_columns = span.column is not None
        if is_changed or is_changed_at_end or not has_columns:
            return Span(span.file, first.line)
        return Span(span.file, first.line, first.column, last.line, last.column)

    def original_edit(self, edit: Edit) -> Edit | None:
        """Convert an edit of the copy to the original file; None if it replaces changed
        text."""
        start, is_changed = self._original_position(edit.file, edit.start)
        end, is_changed_at_end = self._original_position(edit.file, edit.end)
        if is_changed or is_changed_at_end or self._is_around_change(edit):
            return None
        return replace(edit, start=start, end=end)

    def original_diagnostic(self, item: Diagnostic) -> Diagnostic:
        """Convert a finding to the original files, with those of its fixes that apply
        there."""
        if not self.steps:
            return item
        fixes = [self._original_fix(fix) for fix in item.fixes]
        related = [
            replace(each, span=self.original_span(each.span)) for each in item.related
        ]
        return replace(
            item,
            fixes=tuple(fix for fix in fixes if fix is not None),
            span=self._original_if_known(item.span),
            called_at=self._original_if_known(item.called_at),
            related=tuple(related),
        )

    def _original_if_known(self, span: Span | None) -> Span | None:
        return self.original_span(span) if span is not None else None

    def _original_fix(self, fix: Fix) -> Fix | None:
        """Convert a fix to the original file; None if it replaces changed text.

        With another input, the bugs that were fixed in the copy remain in the
        original."""
        if fix.inputs:
            return replace(fix, runs=False, cost=OTHERS_STAY, others_stay=True)
        edits = []
        for edit in fix.edits:
            original = self.original_edit(edit)
            if original is None:
                return None
            edits.append(original)
        return replace(fix, edits=tuple(edits))

    def _list_edits_backwards(self, file: str) -> Iterator[Edit]:
        """The edits of a file: the last step first, and each step from top to
        bottom."""
        for edits in reversed(self.steps):
            own = [edit for edit in edits if edit.file == file]
            yield from sorted(own, key=lambda edit: edit.start)

    def _original_position(self, file: str, at: Position) -> tuple[Position, bool]:
        """Convert a position to the original file, and tell whether it is inside
        changed text."""
        is_changed = False
        for edit in self._list_edits_backwards(file):
            at, is_within = _map_back(edit, at)
            is_changed = is_changed or is_within
        return at, is_changed

    def _is_around_change(self, other: Edit) -> bool:
        """Whether the text that an edit replaces contains changed text."""
        start, end = other.start, other.end
        for edit in self._list_edits_backwards(other.file):
            is_around = start <= edit.start and _end_of(edit) <= end
            if is_around and start != end:
                return True
            start, end = _map_back(edit, start)[0], _map_back(edit, end)[0]
        return False


def _end_of(edit: Edit) -> Position:
    """The position at which the text of an edit ends."""
    lines = edit.replacement.split("\n")
    column = edit.start.column if len(lines) == 1 else 1
    return Position(edit.start.line + len(lines) - 1, column + len(lines[-1]))


def _map_back(edit: Edit, at: Position) -> tuple[Position, bool]:
    """The position before an edit, and whether it is inside the edit's own text."""
    end = _end_of(edit)
    if at <= edit.start:
        return at, False
    if at < end:
        return edit.start, True
    # only text after the edit on the same line was moved sideways
    shift = edit.end.column - end.column if at.line == end.line else 0
    return Position(edit.end.line + at.line - end.line, at.column + shift), False
