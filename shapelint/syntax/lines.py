"""A place in the user's source, as the interpreter names it and as people read it."""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from collections.abc import Iterator
from functools import lru_cache

from shapelint.facts.errors import UsageError
from shapelint.facts.places import Site, Span
from shapelint.syntax import texts


def span_of(site: Site) -> Span:
    """The site as a span, columns in characters."""
    if site.column is None or site.end_line is None or site.end_column is None:
        return Span(site.file, site.line)
    return Span(
        site.file,
        site.line,
        characters(site.file, site.line, site.column),
        site.end_line,
        characters(site.file, site.end_line, site.end_column),
    )


def characters(file: str, line: int, byte_column: int) -> int:
    """A column counted in bytes (from 1) as one counted in characters (from 1)."""
    text = source_line(file, line)
    if text.isascii():
        return byte_column
    return len(text.encode()[: byte_column - 1].decode(errors="ignore")) + 1


def source_line(file: str, line: int) -> str:
    """A line of a file, without its end; empty where there is none."""
    lines = _lines(file, file_version(file))
    return lines[line - 1] if 0 < line <= len(lines) else ""


_COPIES: dict[str, str] = {}
"""Files as they are looked at, where that is not as they lie on disk: with a first bug
mended, to see the next."""


@contextlib.contextmanager
def working_copies(files: dict[str, str]) -> Iterator[None]:
    """Look at these texts (by path) in place of the files."""
    before = dict(_COPIES)
    _COPIES.update({os.path.realpath(file): text for file, text in files.items()})
    try:
        yield
    finally:
        _COPIES.clear()
        _COPIES.update(before)


def copies() -> dict[str, str]:
    """The working copies there are."""
    return dict(_COPIES)


def _copy_of(file: str) -> str | None:
    """The working copy of a file, by whichever of its names."""
    return _COPIES.get(os.path.realpath(file)) if _COPIES else None


def file_text(file: str) -> str:
    """The text of a file, or of its working copy.

    Raises:
        UnreadableError: it cannot be read.
        UsageError: it is a notebook, and what reads those is not installed.
    """
    copy = _copy_of(file)
    if copy is not None:
        return copy
    if file.partition(":cell ")[0].endswith(".ipynb"):
        from shapelint.syntax.notebooks import text_of

        return text_of(file)
    if is_live_cell(file):
        return "".join(linecache.getlines(file))
    return texts.source(file)


def is_live_cell(file: str) -> bool:
    """Whether a name is that of a cell that was run in this session: no file, but
    Python knows its text."""
    return file in linecache.cache and (
        file.startswith("<ipython-input-") or f"{os.sep}ipykernel_" in file
    )


def live_cell(file: str) -> str:
    """`In [3]` for the name of such a cell; nothing for another."""
    if not is_live_cell(file):
        return ""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    number = getattr(getattr(shell, "compile", None), "_filename_map", {}).get(file)
    return f"In [{number}]" if number is not None else "In [?]"


def file_version(file: str) -> tuple[int, int]:
    """Time and size of a file, so that what is remembered of it ends when it
    changes."""
    file = file.partition(":cell ")[0]  # of a notebook
    copy = _copy_of(file)
    if copy is not None:
        return (hash(copy), len(copy))
    if is_live_cell(file):
        return (hash(file), 0)  # a cell that is run again has another name
    try:
        status = os.stat(file)
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _lines(file: str, _version: tuple[int, int]) -> tuple[str, ...]:
    try:
        return tuple(file_text(file).split("\n"))
    except UsageError:
        return ()
