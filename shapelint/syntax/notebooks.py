"""Notebooks read as scripts: their code cells in order, each behind a line that says
which it is.

Magics and shell commands stand in the text as a `pass` that remembers them, so that an
edited text can be put back."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from shapelint.facts.diagnostics import Edit
from shapelint.facts.errors import UsageError
from shapelint.facts.places import Position, Span
from shapelint.syntax.lines import file_text
from shapelint.syntax.texts import UnreadableError, read_bytes, require_text, syntax

CELL = ":cell "
"""What stands between a notebook's file and the number of a cell in the name of a
place."""

PYTHON_MAGICS = ("time", "timeit", "capture", "prun", "memit", "mprun", "lprun")
"""Cell magics below which the cell is Python."""

_MAGIC = re.compile(r"^(\s*)([%!?].*|.*\?\s*)$")
_KEPT = re.compile(r"^(\s*)(?:pass  )?#: as written: (.*)$", re.MULTILINE)
_MARK = re.compile(r"^#: code cell (\d+)$", re.MULTILINE)


def notebook(content: str) -> str:
    """A notebook's code as one text.

    Raises:
        UsageError: nbformat is not installed, or this is no notebook.
    """
    return _joined(tuple(cell_sources(content)))


@lru_cache(maxsize=32)
def _joined(cells: tuple[str, ...]) -> str:
    parts = [
        f"#: code cell {number}\n{python_of(cell)}\n"
        for number, cell in enumerate(cells, 1)
    ]
    return "".join(parts) or "\n"


def cell_sources(content: str) -> list[str]:
    """The source of each code cell.

    Raises:
        UsageError: as `notebook`.
    """
    try:
        import nbformat  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise UsageError(
            "notebooks need nbformat: `pip install 'shapelint[notebooks]'`"
        ) from None
    try:
        read: Any = nbformat.reads(content, as_version=4)  # type: ignore[no-untyped-call, unused-ignore]
        return [str(cell.source) for cell in read.cells if cell.cell_type == "code"]
    except Exception as error:  # whatever nbformat says of it
        raise UsageError(f"not a notebook: {error}") from None


def cells_of(text: str) -> list[str]:
    """The code of each cell in a notebook's text, edited or not, with its magics as
    they were written."""
    parts = _MARK.split(text)[2::2]
    return [_KEPT.sub(r"\1\2", part[1:].removesuffix("\n")) for part in parts]


def text_of(name: str) -> str:
    """The code of a notebook, or of one of its cells where the name ends in `:cell 3`.

    Raises:
        UnreadableError: it cannot be read.
        UsageError: as `notebook`.
    """
    file, _, cell = name.partition(CELL)
    if cell:
        return cells_of(file_text(file))[int(cell) - 1]
    try:
        text = notebook(read_bytes(file).decode("utf-8"))
        require_text(text)
    except UnicodeError as error:
        raise UnreadableError(f"it is no text in UTF-8: {error}") from None
    return text


def place(text: str, line: int) -> tuple[int, int]:
    """Cell and line in it, both from 1, for a line of a notebook's text."""
    lines = text.split("\n")[: max(line, 1)]
    marks = [at for at, each in enumerate(lines, 1) if _MARK.fullmatch(each)]
    return (len(marks), max(1, line - marks[-1])) if marks else (1, line)


def placed(span: Span) -> Span:
    """A place in a notebook's code as cell and line; any other as it is."""
    if not span.file.endswith(".ipynb"):
        return span
    text = file_text(span.file)
    cell, line = place(text, span.line)
    end = place(text, span.end_line)[1] if span.end_line else None
    return replace(span, file=f"{span.file}{CELL}{cell}", line=line, end_line=end)


def placed_edit(edit: Edit) -> Edit:
    """An edit of a notebook's code as one of a cell; any other as it is."""
    if not edit.file.endswith(".ipynb"):
        return edit
    text = file_text(edit.file)
    (cell, line), (_, end) = (place(text, at.line) for at in (edit.start, edit.end))
    positions = (Position(line, edit.start.column), Position(end, edit.end.column))
    text = _KEPT.sub(r"\1\2", edit.replacement)
    return replace(
        edit,
        file=f"{edit.file}{CELL}{cell}",
        start=positions[0],
        end=positions[1],
        replacement=text,
    )


def in_text(edit: Edit, text: str) -> Edit:
    """An edit of a cell as one of the notebook's text; any other as it is."""
    file, _, cell = edit.file.partition(CELL)
    if not cell:
        return edit
    marks = [at for at, line in enumerate(text.split("\n"), 1) if _MARK.fullmatch(line)]
    before = marks[int(cell) - 1]
    positions = (Position(at.line + before, at.column) for at in (edit.start, edit.end))
    start, end = positions
    return replace(
        edit, file=file, start=start, end=end, replacement=_kept(edit.replacement)
    )


def python_of(source: str) -> str:
    """A cell's code, magics and shell commands kept behind a `pass`; all of it blank
    where it is no Python."""
    first = source.lstrip().split("\n", 1)[0]
    is_other = first.startswith("%%") and not first[2:].startswith(PYTHON_MAGICS)
    text = _kept(source)
    try:
        syntax(text)
    except UnreadableError:
        is_other = True
    return (
        "".join(f"#: as written: {line}\n" for line in source.split("\n"))[:-1]
        if is_other
        else text
    )


def _kept(source: str) -> str:
    lines = source.split("\n")
    return "\n".join(_MAGIC.sub(r"\1pass  #: as written: \2", line) for line in lines)
