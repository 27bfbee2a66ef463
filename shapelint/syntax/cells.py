"""Conversion between places in the cells of a notebook, which users see, and places in
its text, which is parsed."""

from __future__ import annotations

from dataclasses import replace

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position, Span
from shapelint.syntax.notebooks import (
    CELL,
    keep_magics,
    line_in_text,
    place_in_cell,
    restore_magics,
)
from shapelint.syntax.texts import Texts


def span_in_cell(span: Span, texts: Texts) -> Span:
    """Convert a span of a notebook's text to cell and line. Any other span is returned
    unchanged."""
    if not span.file.endswith(".ipynb"):
        return span
    text = texts.text_of(span.file)
    cell, line = place_in_cell(text, span.line)
    end_line = place_in_cell(text, span.end_line)[1] if span.end_line else None
    name = f"{span.file}{CELL}{cell}"
    return replace(span, file=name, line=line, end_line=end_line)


def edit_in_cell(edit: Edit, texts: Texts) -> Edit:
    """Convert an edit of a notebook's text to an edit of a cell. Any other edit is
    returned unchanged."""
    if not edit.file.endswith(".ipynb"):
        return edit
    text = texts.text_of(edit.file)
    cell, first = place_in_cell(text, edit.start.line)
    _, last = place_in_cell(text, edit.end.line)
    return replace(
        edit,
        file=f"{edit.file}{CELL}{cell}",
        start=Position(first, edit.start.column),
        end=Position(last, edit.end.column),
        replacement=restore_magics(edit.replacement),
    )


def edit_in_text(edit: Edit, text: str) -> Edit:
    """Convert an edit of a cell to an edit of the notebook's text. Any other edit is
    returned unchanged."""
    file, _, cell = edit.file.partition(CELL)
    if not cell:
        return edit
    first = line_in_text(text, int(cell), edit.start.line)
    last = line_in_text(text, int(cell), edit.end.line)
    return replace(
        edit,
        file=file,
        start=Position(first, edit.start.column),
        end=Position(last, edit.end.column),
        replacement=keep_magics(edit.replacement),
    )
