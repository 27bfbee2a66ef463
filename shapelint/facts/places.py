"""Places in the user's source: what a line and a column mean, and who counts them
how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; line and column count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Span:
    """A stretch of a file, the end exclusive. Without columns (Python 3.10) it covers
    the line."""

    file: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


@dataclass(frozen=True)
class Site:
    """One frame's place: the expression being evaluated, and the function it stands in.

    Lines and columns count from 1, columns in UTF-8 bytes as the interpreter keeps
    them."""

    file: str
    function: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
