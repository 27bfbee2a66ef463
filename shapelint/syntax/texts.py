"""Files of the user's as text and as Python: whatever is wrong with one is one error of
ours."""

from __future__ import annotations

import ast
import io
import os
import stat
import sys
import threading
import tokenize
from collections.abc import Callable
from typing import TypeVar

from shapelint.facts.errors import UsageError

T = TypeVar("T")

LARGEST = 64 * 2**20
"""Bytes of a file that are read at the most."""

DEPTH = 50_000
"""Calls within calls while files are read: nested expressions and long chains of `elif`
are walked recursively."""

STACK = 512 * 2**20
"""Bytes of the stack for that; only what is used of it takes memory."""


class UnreadableError(UsageError):
    """A file that cannot be read, or is no Python; `line` and `column` say where, from
    1, if that is known."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


def read_bytes(file: str, named: bool = False) -> bytes:
    """The bytes of a regular file; of one that the user has `named` as a setting, of a
    pipe too.

    Raises:
        UnreadableError: it is something else, too large, or cannot be opened.
    """
    without_waiting = (
        0 if named else getattr(os, "O_NONBLOCK", 0)
    )  # for somebody to write to a FIFO
    try:
        descriptor = os.open(
            file, os.O_RDONLY | without_waiting | getattr(os, "O_BINARY", 0)
        )
        with os.fdopen(descriptor, "rb") as stream:
            if not named and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableError("it is no regular file")
            found = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UnreadableError(getattr(error, "strerror", None) or str(error)) from None
    if len(found) > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MB")
    return found


def source(file: str) -> str:
    """The text of a Python file, decoded as Python would, with newlines as line ends.

    Raises:
        UnreadableError: as `read_bytes`, or it is no text in the encoding that it
        names."""
    read = read_bytes(file)
    return io.StringIO(decoded(read)[0], newline=None).read()


def decoded(read: bytes) -> tuple[str, str]:
    """A Python file's text with its own line ends, and its encoding.

    Raises:
        UnreadableError: it is no text in the encoding that it names.
    """
    encoding = "utf-8"
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(read).readline)
        text = io.TextIOWrapper(io.BytesIO(read), encoding, newline="").read()
        require_text(text)
    except SyntaxError as error:
        no_other = "it is no text in UTF-8, and names no other encoding"
        raise UnreadableError(
            no_other if "missing encoding" in error.msg else error.msg
        ) from None
    except (LookupError, UnicodeError) as error:
        reason = str(error).partition(";")[0]
        raise UnreadableError(
            f"it is no text in the encoding `{encoding}`: {reason}"
        ) from None
    return text, encoding


def require_text(text: str) -> None:
    """Refuse what no file can hold: halves of characters, as a notebook may escape
    them.

    Raises:
        UnicodeError: there is one.
    """
    text.encode("utf-8")


def syntax(text: str) -> ast.Module:
    """The syntax tree of a text.

    Raises:
        UnreadableError: it is no Python, or nested more deeply than Python takes.
    """
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(
            f"it is no Python: {error.msg}", error.lineno or 1, error.offset or 1
        ) from None
    except ValueError as error:
        raise UnreadableError(f"it is no Python: {error}") from None
    except (RecursionError, MemoryError):
        raise UnreadableError(
            "it is nested more deeply than Python can parse"
        ) from None


def with_deep_stack(action: Callable[[], T]) -> T:
    """Do something that recurses over syntax trees, in a thread with room for it."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:
            errors.append(error)

    size, depth = threading.stack_size(STACK), sys.getrecursionlimit()
    try:
        thread = threading.Thread(
            target=run, daemon=True
        )  # Ctrl-C does not wait for it
        sys.setrecursionlimit(max(DEPTH, depth))
        thread.start()
    finally:
        threading.stack_size(size)
    try:
        thread.join()
    finally:
        sys.setrecursionlimit(depth)
    if errors:
        raise errors[0]
    return results[0]
