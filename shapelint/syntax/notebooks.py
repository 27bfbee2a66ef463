"""Reads notebooks as scripts: the code cells in order, each after a comment line with
its number.

Magics and shell commands are replaced by a `pass` that carries the original, so that an
edited text can be converted back."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import UnreadableError, parse_python

CELL = ":cell "
"""Separates a notebook's file from the number of a cell in the name of a place."""

PYTHON_MAGICS = ("time", "timeit", "capture", "prun", "memit", "mprun", "lprun")
"""Cell magics whose cell is Python."""

_MAGIC = re.compile(r"^(\s*)([%!?].*|.*\?\s*)$")
_KEPT = re.compile(r"^(\s*)(?:pass  )?#: as written: (.*)$", re.MULTILINE)
_MARK = re.compile(r"^#: code cell (\d+)$", re.MULTILINE)


def join_cells(content: str) -> str:
    """Return a notebook's code as one text.

    Raises:
        UsageError: nbformat is not installed, or this is not a notebook.
    """
    return _join(tuple(cell_sources(content)))


@lru_cache(maxsize=32)
def _join(cells: tuple[str, ...]) -> str:
    parts = [
        f"#: code cell {number}\n{convert_to_python(cell)}\n"
        for number, cell in enumerate(cells, 1)
    ]
    # a file of nothing has a first line too, in which findings can stand
    return "".join(parts) or "\n"


def cell_sources(content: str) -> list[str]:
    """Return the source of each code cell.

    Raises:
        UsageError: as `join_cells`.
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
    except Exception as error:  # any error of nbformat
        raise UsageError(f"not a notebook: {error}") from None


def cells_of(text: str) -> list[str]:
    """Split a notebook's text, edited or not, into the code of its cells, with the
    magics restored."""
    parts = _MARK.split(text)[2::2]
    return [restore_magics(part[1:].removesuffix("\n")) for part in parts]


def place_in_cell(text: str, line: int) -> tuple[int, int]:
    """Convert a line of a notebook's text to a cell and a line in it, both counted from
    1."""
    marks = [mark for mark in _marks(text) if mark <= max(line, 1)]
    return (len(marks), max(1, line - marks[-1])) if marks else (1, line)


def line_in_text(text: str, cell: int, line: int) -> int:
    """Convert a line of a cell to a line of the notebook's text. The inverse of
    `place_in_cell`."""
    return _marks(text)[cell - 1] + line


def _marks(text: str) -> list[int]:
    """The lines of a notebook's text that announce a cell."""
    lines = text.split("\n")
    return [at for at, line in enumerate(lines, 1) if _MARK.fullmatch(line)]


def require_text(text: str) -> None:
    """Refuse text with lone surrogates, which a notebook may contain and no file can
    hold.

    Raises:
        UnicodeError: there is one.
    """
    text.encode("utf-8")


def convert_to_python(source: str) -> str:
    """Convert a cell to Python: magics and shell commands are hidden behind a `pass`,
    and a cell that is still not Python becomes comments."""
    text = keep_magics(source)
    if _is_python(source, text):
        return text
    return "\n".join(f"#: as written: {line}" for line in source.split("\n"))


def _is_python(source: str, text: str) -> bool:
    first = source.lstrip().split("\n", 1)[0]
    if first.startswith("%%") and not first[2:].startswith(PYTHON_MAGICS):
        return False
    try:
        parse_python(text)
    except UnreadableError:
        return False
    return True


def keep_magics(source: str) -> str:
    """Hide magics and shell commands behind a `pass`."""
    lines = source.split("\n")
    return "\n".join(_MAGIC.sub(r"\1pass  #: as written: \2", line) for line in lines)


def restore_magics(text: str) -> str:
    """Restore magics and shell commands as they were written. The inverse of
    `keep_magics`."""
    return _KEPT.sub(r"\1\2", text)
