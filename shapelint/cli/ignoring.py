"""What `--add-ignores` does: a comment for each finding, where it suppresses."""

from __future__ import annotations

import ast
import os

from shapelint.apply.source_files import SourceFile, source_file, write
from shapelint.facts.diagnostics import Edit
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import DiagnosticKind
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Position
from shapelint.known.suppressions import Suppression, suppressions
from shapelint.syntax.edits import edit_texts
from shapelint.syntax.notebooks import CELL
from shapelint.syntax.parsing import UnreadableError, parse_python
from shapelint.syntax.texts import DISK


def add_ignores(outcomes: list[Outcome], started: float) -> tuple[int, int]:
    """Write `# shapelint: ignore[...]` for every finding with a place; how many were,
    and how many findings have none.

    Raises:
        UsageError: a file was changed meanwhile, or cannot be written; then none is.
    """
    wanted: dict[tuple[str, int], set[str]] = {}
    without = 0
    for outcome in outcomes:
        for item in outcome.report.diagnostics:
            place = item.place
            if not item.is_about_code or place is None or "site-packages" in place.file:
                without += item.kind is not DiagnosticKind.COMMENT
            else:
                wanted.setdefault((place.file, place.line), set()).add(item.code)
    texts = DISK
    originals: dict[str, SourceFile] = {}
    made = 0
    for (file, line), codes in sorted(
        wanted.items(), key=lambda item: (item[0][0], -item[0][1])
    ):
        real = os.path.realpath(file.partition(CELL)[0])
        if os.stat(real).st_mtime > started:
            raise UsageError(
                f"`{real}` was changed while it was checked; nothing was written"
            )
        originals.setdefault(real, source_file(real))
        text = texts.copy_of(real) or originals[real].seen
        edit = _comment(file, line, sorted(codes), text)
        changed = edit_texts(texts, [edit]) if edit is not None else None
        if changed is None or not _same_code(changed.text_of(real), text):
            without += len(codes)
            continue
        texts, made = changed, made + len(codes)
    write(dict(texts.copies), originals)
    return made, without


def _same_code(one: str, other: str) -> bool:
    try:
        return ast.dump(parse_python(one)) == ast.dump(parse_python(other))
    except UnreadableError:
        return False


def _comment(file: str, line: int, codes: list[str], text: str) -> Edit | None:
    """The edit that puts the comment at the end of a line, or its codes into the one
    that is there."""
    source = _lines_of(file, text)
    if not 0 < line <= len(source):
        return None
    there = source[line - 1]
    own = next(
        (
            each
            for each in _own(file)
            if each.line == line and each.kind == "ignore" and each.codes
        ),
        None,
    )
    if own is not None:
        at = there.find("]", own.column)
        return (
            Edit(
                file,
                Position(line, at + 1),
                Position(line, at + 1),
                ", " + ", ".join(codes),
            )
            if at > 0
            else None
        )
    end = Position(line, len(there.rstrip()) + 1)
    return Edit(
        file,
        end,
        Position(line, len(there) + 1),
        f"  # shapelint: ignore[{', '.join(codes)}]",
    )


def _own(file: str) -> tuple[Suppression, ...]:
    return () if CELL in file else suppressions(file, DISK)


def _lines_of(file: str, text: str) -> list[str]:
    if CELL not in file:
        return text.split("\n")
    from shapelint.syntax.notebooks import cells_of

    cell = int(file.rpartition(CELL)[2])
    return cells_of(text)[cell - 1].split("\n")
