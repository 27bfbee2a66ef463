"""Python text as a syntax tree; whatever is wrong with it is one error of ours."""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from shapelint.facts.errors import UsageError

T = TypeVar("T")

DEPTH = 50_000
"""Calls within calls while files are read: nested expressions and long chains of `elif`
are walked recursively."""

STACK = 512 * 2**20
"""Bytes of the stack for that; only what is used of it takes memory."""


class UnreadableError(UsageError):
    """A file that cannot be read, or is not Python; `line` and `column` say where, from
    1, if that is known."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


def parse_python(text: str) -> ast.Module:
    """The syntax tree of a text.

    Raises:
        UnreadableError: it is not Python, or nested more deeply than Python takes.
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
        # a daemon, so that Ctrl-C does not wait for it
        thread = threading.Thread(target=run, daemon=True)
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
