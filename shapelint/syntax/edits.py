"""Edits made on texts: the only module that applies them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable

from shapelint.facts.diagnostics import Edit
from shapelint.facts.errors import UsageError
from shapelint.facts.places import Position
from shapelint.syntax.cells import edit_in_text
from shapelint.syntax.notebooks import CELL
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile


def replacement(source: ParsedFile, node: ast.expr | ast.stmt, text: str) -> Edit:
    """The edit that writes `text` in place of an expression or statement."""
    span = source.span(node)
    start = Position(span.line, span.column or 1)
    end = Position(span.end_line or span.line, span.end_column or 1)
    return Edit(source.file, start, end, text)


def insert_before(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """The edit that writes another statement before one, indented alike."""
    indentation = " " * statement.col_offset
    both = f"{text}\n{indentation}{source.segment(statement)}"
    return replacement(source, statement, both)


def insert_after(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """The edit that writes another statement after one, indented alike."""
    indentation = " " * statement.col_offset
    both = f"{source.segment(statement)}\n{indentation}{text}"
    return replacement(source, statement, both)


def file_of(edit: Edit) -> str:
    """The file that an edit is made in, by its real path: of a cell, its notebook."""
    return os.path.realpath(edit.file.partition(CELL)[0])


def edit_texts(texts: Texts, edits: Iterable[Edit]) -> Texts:
    """The texts with edits made, in cells or whole files, built upon earlier ones.

    Raises:
        UsageError: a file cannot be read.
        ValueError: two edits overlap.
        IndexError: an edit is beyond the end of its file.
    """
    by_file: dict[str, list[Edit]] = {}
    for edit in edits:
        by_file.setdefault(file_of(edit), []).append(edit)
    copies: dict[str, str] = {}
    for file, own in by_file.items():
        text = texts.text_of(file)
        copies[file] = apply_edits(text, [edit_in_text(edit, text) for edit in own])
    return texts.with_copies(copies)


def try_edits(texts: Texts, edits: Iterable[Edit]) -> Texts | None:
    """As `edit_texts`; None where the edits do not fit the files."""
    try:
        return edit_texts(texts, edits)
    except (UsageError, ValueError, IndexError):
        return None


def apply_edits(text: str, edits: list[Edit]) -> str:
    """The text with edits of one file made, last place first.

    Raises:
        ValueError: two edits overlap.
        IndexError: an edit is beyond the end of the text.
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
