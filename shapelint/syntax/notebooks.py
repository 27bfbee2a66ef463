"""Notebooks read as scripts: their code cells in order, with where each line of the script stands in them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from shapelint.diagnostics import Span
from shapelint.errors import UsageError

_MAGIC = re.compile(r"^(\s*)([%!?].*|.*\?\s*)$")


@dataclass(frozen=True)
class Notebook:
    """A notebook's code as one text. `places`: for each of its lines the cell, counted from 1, and the line in it."""

    text: str
    places: tuple[tuple[int, int], ...]

    def place(self, line: int) -> tuple[int, int]:
        """Cell and line for a line of the text."""
        return self.places[min(max(line, 1), len(self.places)) - 1] if self.places else (1, 1)


@lru_cache(maxsize=32)
def notebook(content: str) -> Notebook:
    """Read a notebook's content.

    Raises:
        UsageError: nbformat is not installed, or this is no notebook.
    """
    try:
        import nbformat  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise UsageError("notebooks need nbformat: `pip install 'shapelint[notebooks]'`") from None
    try:
        read: Any = nbformat.reads(content, as_version=4)  # type: ignore[no-untyped-call, unused-ignore]
        cells = [cell for cell in read.cells if cell.cell_type == "code"]
    except Exception as error:  # whatever nbformat says of it
        raise UsageError(f"not a notebook: {error}") from None
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    for number, cell in enumerate(cells, 1):
        for at, line in enumerate(_python(cell.source).split("\n"), 1):
            lines.append(line)
            places.append((number, at))
    return Notebook("\n".join(lines) + "\n", tuple(places))


CELL = ":cell "
"""What stands between a notebook's file and the number of a cell in the name of a place."""


def text_of(name: str) -> str:
    """The code of a notebook, or of one of its cells where the name ends in `:cell 3`.

    Raises:
        OSError: it cannot be read.
        UsageError: as `notebook`.
    """
    file, _, cell = name.partition(CELL)
    with open(file, encoding="utf-8") as handle:
        read = notebook(handle.read())
    if not cell:
        return read.text
    lines = read.text.split("\n")
    return "\n".join(line for line, (number, _) in zip(lines, read.places, strict=False) if str(number) == cell)


def placed(span: Span) -> Span:
    """A place in a notebook's code as cell and line; any other as it is."""
    if not span.file.endswith(".ipynb"):
        return span
    with open(span.file, encoding="utf-8") as handle:
        read = notebook(handle.read())
    cell, line = read.place(span.line)
    end = read.place(span.end_line)[1] if span.end_line else None
    return replace(span, file=f"{span.file}{CELL}{cell}", line=line, end_line=end)


def _python(source: str) -> str:
    """A cell's code, with `pass` in place of magics and shell commands; all of it blank where it is no Python."""
    if source.lstrip().startswith("%%"):
        return "\n".join("" for _ in source.split("\n"))
    lines = [_MAGIC.sub(r"\1pass", line) if _MAGIC.match(line) else line for line in source.split("\n")]
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except SyntaxError:
        return "\n".join("" for _ in lines)
    return text
