"""Edits made on texts: the only place that applies them."""

from __future__ import annotations

import ast

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position, Span
from shapelint.syntax.lines import characters


def replacement(file: str, node: ast.expr | ast.stmt, text: str) -> Edit:
    """The edit that writes `text` in place of an expression or statement."""
    span = span_of_node(file, node)
    start = Position(span.line, span.column or 1)
    return Edit(
        file, start, Position(span.end_line or span.line, span.end_column or 1), text
    )


def apply_edits(text: str, edits: list[Edit]) -> str:
    """The text with edits of one file made, last place first.

    Raises:
        ValueError: two edits overlap.
    """
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(position: Position) -> int:
        return starts[position.line - 1] + position.column - 1

    last = len(text) + 1
    for edit in sorted(edits, key=lambda item: item.start, reverse=True):
        start, end = offset(edit.start), offset(edit.end)
        if end > last:
            raise ValueError("edits overlap")
        text = text[:start] + edit.replacement + text[end:]
        last = start
    return text


def span_of_node(file: str, node: ast.expr | ast.stmt) -> Span:
    """Where an expression or statement stands, columns in characters."""
    end_line = node.end_lineno or node.lineno
    return Span(
        file,
        node.lineno,
        characters(file, node.lineno, node.col_offset + 1),
        end_line,
        characters(file, end_line, (node.end_col_offset or 0) + 1),
    )
