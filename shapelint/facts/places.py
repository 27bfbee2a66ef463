"""Places in the user's source, and how their lines and columns are counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; line and column count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Span:
    """A stretch of a file, its end exclusive. Without columns (Python 3.10) it covers
    the whole line."""

    file: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


@dataclass(frozen=True)
class Site:
    """The place of one stack frame: the expression being evaluated, and the function
    around it.

    Lines and columns count from 1. Columns count UTF-8 bytes, as the interpreter
    does."""

    file: str
    function: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
