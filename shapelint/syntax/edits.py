"""Applies edits to texts. No other module does."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from itertools import accumulate

from shapelint.facts.diagnostics import Edit
from shapelint.facts.errors import UsageError
from shapelint.facts.places import Position
from shapelint.syntax.cells import edit_in_text
from shapelint.syntax.notebooks import CELL
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile


def replacement(source: ParsedFile, node: ast.expr | ast.stmt, text: str) -> Edit:
    """Return the edit that replaces an expression or statement by `text`."""
    start, end = source.extent(node)
    return Edit(source.file, start, end, text)


def insert_before(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """Return the edit that inserts a statement before another one, with the same
    indentation."""
    indentation = " " * statement.col_offset
    both = f"{text}\n{indentation}{source.segment(statement)}"
    return replacement(source, statement, both)


def insert_after(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """Return the edit that inserts a statement after another one, with the same
    indentation."""
    indentation = " " * statement.col_offset
    both = f"{source.segment(statement)}\n{indentation}{text}"
    return replacement(source, statement, both)


def file_of(edit: Edit) -> str:
    """The real path of the file that an edit changes; for a cell, of its notebook."""
    return os.path.realpath(edit.file.partition(CELL)[0])


def edit_texts(texts: Texts, edits: Iterable[Edit]) -> Texts:
    """Return the texts with further edits applied, in cells or whole files.

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
    """Like `edit_texts`, but return None if the edits do not fit the files."""
    try:
        return edit_texts(texts, edits)
    except (UsageError, ValueError, IndexError):
        return None


def apply_edits(text: str, edits: list[Edit]) -> str:
    """Apply the edits of one file to its text, from the end of the text backwards.

    Raises:
        ValueError: two edits overlap.
        IndexError: an edit is beyond the end of the text.
    """
    lengths = [len(line) + 1 for line in text.split("\n")]
    starts = list(accumulate(lengths, initial=0))

    def offset(position: Position) -> int:
        return starts[position.line - 1] + position.column - 1

    # from the end, so that the places of the edits still to be made stay as they are
    edited_from = len(text) + 1
    for edit in sorted(edits, key=lambda item: item.start, reverse=True):
        start, end = offset(edit.start), offset(edit.end)
        if end > edited_from:
            raise ValueError("edits overlap")
        text = text[:start] + edit.replacement + text[end:]
        edited_from = start
    return text
