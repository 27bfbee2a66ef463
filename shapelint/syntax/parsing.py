"""Parses Python text. Everything that can be wrong with it is one exception,
`UnreadableError`."""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

from shapelint.facts.errors import UsageError

T = TypeVar("T")
Node = TypeVar("Node", bound=ast.AST)

DEPTH = 50_000
"""The recursion limit while files are read, since nested expressions and long chains of
`elif` are walked recursively."""

STACK = 512 * 2**20
"""The stack size in bytes for that depth. Only the used part takes memory."""


class UnreadableError(UsageError):
    """The file cannot be read, or is not Python. `line` and `column` count from 1, if
    they are known."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


def parse_python(text: str) -> ast.Module:
    """Parse a text into a syntax tree.

    Raises:
        UnreadableError: it is not Python, or nested more deeply than Python takes.
    """
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(
            f"it is not Python: {error.msg}", error.lineno or 1, error.offset or 1
        ) from None
    except ValueError as error:
        raise UnreadableError(f"it is not Python: {error}") from None
    except (RecursionError, MemoryError):
        raise UnreadableError(
            "it is nested more deeply than Python can parse"
        ) from None


@lru_cache(maxsize=16)
def tree_of(text: str) -> ast.Module:
    """Like `parse_python`, but cached by text.

    Many edits of a file are tried one after the other, and each edited text is parsed
    several times while it is walked."""
    return parse_python(text)


def nodes_of(tree: ast.AST, kind: type[Node]) -> Iterator[Node]:
    """The nodes of a kind, outer ones before those inside them."""
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def last_name(node: ast.AST) -> str:
    """`Linear` for `nn.Linear` and for `Linear`; empty for an expression that is not a
    name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def nodes_at(tree: ast.AST, line: int) -> Iterator[ast.AST]:
    """The nodes whose lines include `line`, outer ones first.

    Only these branches are visited: walking a whole tree takes as long as parsing
    it."""
    for node in ast.iter_child_nodes(tree):
        # without a place: the case of a `match`, the item of a `with`
        first = getattr(node, "lineno", line)
        last = getattr(node, "end_lineno", None) or first
        if first <= line <= last:
            yield node
            yield from nodes_at(node, line)


def run_with_deep_stack(action: Callable[[], T]) -> T:
    """Run a function that recurses over syntax trees in a thread with a large stack."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:
            errors.append(error)

    # both hold for the process: the size of the stack while the thread begins, the
    # limit until it has ended
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
