"""The user's files as texts, on disk or edited: the only module that opens them to
read."""

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
from shapelint.syntax.notebooks import CELL, cells_of, notebook, require_text
from shapelint.syntax.parsing import UnreadableError

LARGEST = 64 * 2**20
"""Bytes of a file that are read at the most."""

JUST_NOW = 100_000_000
"""Nanoseconds after a change in which a further one may leave the time of the file as
it is: clocks of file systems tick every few milliseconds, on FAT more slowly."""


@dataclass(frozen=True)
class Texts:
    """The user's files: as edited copies have them, else as they lie on disk.

    It is passed down to all that reads a file, so that a target is imported, walked and
    judged by one text. What is derived from a text is cached by the text itself, never
    by the file's name alone."""

    copies: Mapping[str, str] = field(default_factory=dict)
    """Edited texts, by real path."""

    def with_copies(self, copies: Mapping[str, str]) -> Texts:
        """With further edited texts, by any path."""
        real = {os.path.realpath(file): text for file, text in copies.items()}
        return Texts({**self.copies, **real})

    def copy_of(self, file: str) -> str | None:
        """The edited text of a file, by whichever of its names; None where there is
        none."""
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
        name, _, cell = file.partition(CELL)
        if cell and name.endswith(".ipynb"):
            return cells_of(self.text_of(name))[int(cell) - 1]
        return text_of_live_cell(file) if is_live_cell(file) else _read_disk(file)

    def lines_of(self, file: str) -> tuple[str, ...]:
        """The lines of a file, without their ends; none where it cannot be read."""
        try:
            return _split(self.text_of(file))
        except UsageError:
            return ()

    def line_of(self, file: str, line: int) -> str:
        """A line of a file, counted from 1; empty where there is none."""
        lines = self.lines_of(file)
        return lines[line - 1] if 0 < line <= len(lines) else ""


DISK = Texts()
"""The files as they lie on disk: what people see, and what messages show."""


@lru_cache(maxsize=256)
def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))


def _read_disk(file: str) -> str:
    """The text of a file on disk; read again once its time, size or identity
    changed."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return _read_text(file)
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
        code = notebook(read_bytes(file).decode("utf-8"))
        require_text(code)
    except UnicodeError as error:
        raise UnreadableError(f"it is no text in UTF-8: {error}") from None
    return code


def read_bytes(file: str, named: bool = False) -> bytes:
    """The bytes of a regular file; of one that the user has `named` as a setting, of a
    pipe too.

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
                raise UnreadableError("it is no regular file")
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UnreadableError(getattr(error, "strerror", None) or str(error)) from None
    if len(content) > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MB")
    return content


def decode(content: bytes) -> tuple[str, str]:
    """A Python file's text with its own line ends, and its encoding.

    Raises:
        UnreadableError: it is not text in the encoding that it names.
    """
    encoding = "utf-8"
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = io.TextIOWrapper(io.BytesIO(content), encoding, newline="").read()
        require_text(text)
    except SyntaxError as error:
        no_other = "it is no text in UTF-8, and names no other encoding"
        is_default = "missing encoding" in error.msg
        raise UnreadableError(no_other if is_default else error.msg) from None
    except (LookupError, UnicodeError) as error:
        reason = str(error).partition(";")[0]
        raise UnreadableError(
            f"it is no text in the encoding `{encoding}`: {reason}"
        ) from None
    return text, encoding
