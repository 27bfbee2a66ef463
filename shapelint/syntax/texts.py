"""The texts of the user's files, on disk or edited. No other module opens them for
reading."""

from __future__ import annotations

import io
import os
import stat
import time
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from shapelint.facts.errors import UsageError
from shapelint.syntax.live_cells import is_live_cell, text_of_live_cell
from shapelint.syntax.notebooks import CELL, cells_of, join_cells, require_text
from shapelint.syntax.parsing import UnreadableError

LARGEST = 64 * 2**20
"""The most bytes of a file that are read."""

JUST_NOW = 100_000_000
"""For this many nanoseconds after a change, another change may leave the file's time as
it is: clocks of file systems tick every few milliseconds, on FAT more slowly."""


@dataclass(frozen=True)
class Texts:
    """The user's files: the edited copies, and for all other files the text on disk.

    It is passed to everything that reads a file, so that a target is imported, walked
    and judged by the same text. Whatever is derived from a text is cached by the text
    itself, never by the file name alone."""

    copies: Mapping[str, str] = field(default_factory=dict)
    """Edited texts, by real path."""

    def with_copies(self, copies: Mapping[str, str]) -> Texts:
        """Return these texts with further edited files, by any path."""
        real = {os.path.realpath(file): text for file, text in copies.items()}
        return Texts({**self.copies, **real})

    def copy_of(self, file: str) -> str | None:
        """The edited text of a file, by any of its paths; None if it was not edited."""
        return self.copies.get(os.path.realpath(file)) if self.copies else None

    def text_of(self, file: str) -> str:
        """The text of a file, of a notebook's code, or of one of its cells.

        Raises:
            UnreadableError: it cannot be read.
            UsageError: it is a notebook, and what reads those is not installed.
        """
        copy = self.copy_of(file)
        if copy is not None:
            return copy
        notebook, _, cell = file.partition(CELL)
        if cell and notebook.endswith(".ipynb"):
            return cells_of(self.text_of(notebook))[int(cell) - 1]
        if is_live_cell(file):
            return text_of_live_cell(file)
        return _read_disk(file)

    def lines_of(self, file: str) -> tuple[str, ...]:
        """The lines of a file without line ends; an empty list if it cannot be read."""
        try:
            return _split(self.text_of(file))
        except UsageError:
            return ()

    def line_of(self, file: str, line: int) -> str:
        """A line of a file, counted from 1; empty if it does not exist."""
        lines = self.lines_of(file)
        return lines[line - 1] if 0 < line <= len(lines) else ""


DISK = Texts()
"""The files on disk: what people see, and what messages show."""


@lru_cache(maxsize=256)
def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))


def _read_disk(file: str) -> str:
    """The text of a file on disk. It is read again if its time, size or identity has
    changed."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return _read_text(file)  # raises the right error
    # programs that restore a file set its modification time back; that of its last
    # change of any kind, no program sets
    changed_at = max(status.st_mtime_ns, status.st_ctime_ns)
    if 0 <= time.time_ns() - changed_at < JUST_NOW:
        return _read_text(file)
    state = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return _read_once(file, state)


@lru_cache(maxsize=256)
def _read_once(file: str, _state: tuple[int, ...]) -> str:
    return _read_text(file)


def _read_text(file: str) -> str:
    if not file.endswith(".ipynb"):
        text, _ = decode(read_bytes(file))
        return io.StringIO(text, newline=None).read()
    try:
        code = join_cells(read_bytes(file).decode("utf-8"))
        require_text(code)
    except UnicodeError as error:
        raise UnreadableError(f"it is not text in UTF-8: {error}") from None
    return code


def read_bytes(file: str, named: bool = False) -> bytes:
    """The bytes of a regular file. If the user `named` the file as a setting, it may
    also be a pipe.

    Raises:
        UnreadableError: it is something else, too large, or cannot be opened.
    """
    # without O_NONBLOCK, opening a FIFO waits until somebody writes to it
    without_waiting = 0 if named else getattr(os, "O_NONBLOCK", 0)
    flags = os.O_RDONLY | without_waiting | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(file, flags)
        with os.fdopen(descriptor, "rb") as stream:
            if not named and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableError("it is not a regular file")
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UnreadableError(getattr(error, "strerror", None) or str(error)) from None
    if len(content) > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MB")
    return content


def decode(content: bytes) -> tuple[str, str]:
    """Decode a Python file. Return its text, with its own line ends, and its encoding.

    Raises:
        UnreadableError: it is not text in the encoding that it names.
    """
    encoding = "utf-8"
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = io.TextIOWrapper(io.BytesIO(content), encoding, newline="").read()
        require_text(text)
    except SyntaxError as error:
        # the declaration of an encoding is missing, or wrong: Python's words for the
        # first speak of a declaration where most files have none
        no_other = "it is not text in UTF-8 and names no other encoding"
        is_missing = "missing encoding" in error.msg
        raise UnreadableError(no_other if is_missing else error.msg) from None
    except (LookupError, UnicodeError) as error:
        reason = str(error).partition(";")[0]
        raise UnreadableError(
            f"it is not text in the encoding `{encoding}`: {reason}"
        ) from None
    return text, encoding
