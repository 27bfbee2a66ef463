"""Implements `--add-ignores`: adds a comment for each finding at the line where it
suppresses."""

from __future__ import annotations

import ast
import os

from shapelint.apply.written_files import (
    SourceFile,
    require_unchanged,
    source_file,
    write,
)
from shapelint.facts.diagnostics import Edit
from shapelint.facts.kinds import DiagnosticKind
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Position
from shapelint.known.suppressions import Suppression, SuppressionKind, suppressions
from shapelint.syntax.edits import edit_texts
from shapelint.syntax.notebooks import CELL, cells_of
from shapelint.syntax.parsing import UnreadableError, parse_python
from shapelint.syntax.texts import DISK

Wanted = dict[tuple[str, int], set[str]]
"""The codes to suppress, by file and line."""


def add_ignores(outcomes: list[Outcome], started: float) -> tuple[int, int]:
    """Write `# shapelint: ignore[...]` for every finding with a place. Return the
    number of suppressed findings, and of those without a place.

    Raises:
        UsageError: a file was changed meanwhile, or cannot be written; then none is.
    """
    wanted, without = _find_ignores(outcomes)
    texts = DISK
    originals: dict[str, SourceFile] = {}
    made = 0
    # from the last line to the first, so that no comment moves the line of another
    for file, line in sorted(wanted, key=lambda place: (place[0], -place[1])):
        codes = sorted(wanted[file, line])
        real = os.path.realpath(file.partition(CELL)[0])
        require_unchanged(real, started)
        originals.setdefault(real, source_file(real))
        text = texts.copy_of(real) or originals[real].seen
        edit = _comment(file, line, codes, text)
        changed = edit_texts(texts, [edit]) if edit is not None else None
        # Within a string, or after a backslash, a comment would be part of the code.
        if changed is None or not _is_same_code(changed.text_of(real), text):
            without += len(codes)
            continue
        texts = changed
        made += len(codes)
    write(dict(texts.copies), originals)
    return made, without


def _find_ignores(outcomes: list[Outcome]) -> tuple[Wanted, int]:
    """The findings to suppress by place, and the number of findings without a line in
    the user's code."""
    wanted: Wanted = {}
    without = 0
    for item in (item for outcome in outcomes for item in outcome.report.diagnostics):
        if item.kind is DiagnosticKind.COMMENT:
            continue
        place = item.place
        if not item.is_about_code or place is None or "site-packages" in place.file:
            without += 1
            continue
        wanted.setdefault((place.file, place.line), set()).add(item.code)
    return wanted, without


def _is_same_code(one: str, other: str) -> bool:
    try:
        return ast.dump(parse_python(one)) == ast.dump(parse_python(other))
    except UnreadableError:
        return False


def _comment(file: str, line: int, codes: list[str], text: str) -> Edit | None:
    """The edit that adds the comment to the end of a line, or its codes to an existing
    comment."""
    source = _lines_of(file, text)
    if not 0 < line <= len(source):
        return None
    there = source[line - 1]
    words = ", ".join(codes)
    own = _own_comment_at(file, line)
    if own is None:
        start = Position(line, len(there.rstrip()) + 1)
        end = Position(line, len(there) + 1)
        return Edit(file, start, end, f"  # shapelint: ignore[{words}]")
    bracket = there.find("]", own.column)
    if bracket < 1:
        return None
    at = Position(line, bracket + 1)
    return Edit(file, at, at, f", {words}")


def _own_comment_at(file: str, line: int) -> Suppression | None:
    if CELL in file:
        return None
    for each in suppressions(file, DISK):
        is_own = each.kind is SuppressionKind.IGNORE and bool(each.codes)
        if is_own and each.line == line:
            return each
    return None


def _lines_of(file: str, text: str) -> list[str]:
    if CELL not in file:
        return text.split("\n")
    cell = int(file.rpartition(CELL)[2])
    return cells_of(text)[cell - 1].split("\n")
