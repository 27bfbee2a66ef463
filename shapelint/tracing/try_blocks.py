"""Does the user's own code catch the exception of a failing call? Then it is not ours
to report."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import Texts
from shapelint.tracing.frames import is_entry
from shapelint.tracing.ownership import Ownership

_TORCH_PARTS = ("/torch/", "\\torch\\")

_SHAPE_ERRORS = {
    "RuntimeError",
    "Exception",
    "BaseException",
    "ValueError",
    "IndexError",
    "TypeError",
    "AssertionError",
}
"""Exceptions that torch, einops and the checks of models raise for shapes, and those
above them."""


def is_caught(ownership: Ownership) -> bool:
    """Whether a frame of the stack, up to the call of the model, stands in a `try` that
    would catch."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_entry(frame):
        file, line = frame.f_code.co_filename, frame.f_lineno or 0
        if _may_catch(file, ownership) and _is_in_try(ownership.texts, file, line):
            return True
        frame = frame.f_back
    return False


def _may_catch(file: str, ownership: Ownership) -> bool:
    """Not our own frames, which catch everything, nor torch's, which only clean up:
    those of the user and of libraries, which may try one way and then another."""
    if ownership.owns(file):
        return True
    if Path(file).parent == Path(__file__).parent:
        return False
    return not (file.startswith("<") or any(part in file for part in _TORCH_PARTS))


def _is_in_try(texts: Texts, file: str, line: int) -> bool:
    try:
        text = texts.text_of(file)
    except UsageError:
        return False
    return any(start <= line <= end for start, end in _guarded_lines(text))


@lru_cache(maxsize=128)
def _guarded_lines(text: str) -> tuple[tuple[int, int], ...]:
    """First and last lines of what stands in a `try` that would catch."""
    try:
        tree = parse_python(text)
    except UsageError:
        return ()
    return tuple(map(_line_range, _guarded_bodies(tree)))


def _line_range(body: list[ast.stmt]) -> tuple[int, int]:
    first, last = body[0], body[-1]
    return first.lineno, last.end_lineno or last.lineno


def _guarded_bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(map(_catches, node.handlers)):
            yield node.body
        elif isinstance(node, ast.With) and any(map(_suppresses, node.items)):
            yield [node]


def _suppresses(item: ast.withitem) -> bool:
    """`contextlib.suppress(...)`, by whichever name it was imported."""
    return "suppress" in ast.dump(item.context_expr)


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes a shape error and does not only raise it on."""
    if any(isinstance(statement, ast.Raise) for statement in handler.body):
        return False
    if handler.type is None:
        return True
    return any(map(_names_shape_error, ast.walk(handler.type)))


def _names_shape_error(node: ast.AST) -> bool:
    name = getattr(node, "id", None) or getattr(node, "attr", None)
    return name in _SHAPE_ERRORS
