"""Decides whether the user's own code catches the exception of a failing call. If so,
it must not be reported."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import nodes_at, tree_of
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
"""The exceptions that torch, einops and the checks of models raise for shapes, and
their base classes."""


def is_caught(ownership: Ownership) -> bool:
    """Whether some frame, up to the call of the model, is inside a `try` that would
    catch the exception."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_entry(frame):
        file, line = frame.f_code.co_filename, frame.f_lineno or 0
        if _may_catch(file, ownership) and _is_in_try(ownership.texts, file, line):
            return True
        frame = frame.f_back
    return False


def _may_catch(file: str, ownership: Ownership) -> bool:
    """Whether the `try` blocks of a file count. Those of the user and of libraries do,
    since they may try one way and then another. Our own catch everything, and torch's
    only clean up."""
    if ownership.owns(file):
        return True
    if Path(file).parent == Path(__file__).parent:
        return False
    return not (file.startswith("<") or any(part in file for part in _TORCH_PARTS))


def _is_in_try(texts: Texts, file: str, line: int) -> bool:
    try:
        text = texts.text_of(file)
        if "try" not in text and "suppress" not in text:
            return False
        tree = tree_of(text)
    except UsageError:
        return False
    return any(_guards(node, line) for node in nodes_at(tree, line))


def _guards(node: ast.AST, line: int) -> bool:
    """Whether a node catches what one of its lines raises."""
    if isinstance(node, ast.With):
        return any(map(_suppresses, node.items))
    if not isinstance(node, ast.Try):
        return False
    # a `try` does not catch exceptions of its handlers and its `else`
    last = node.body[-1]
    is_in_body = line <= (last.end_lineno or last.lineno)
    return is_in_body and any(map(_catches, node.handlers))


def _suppresses(item: ast.withitem) -> bool:
    """Whether a `with` item is `contextlib.suppress(...)`, under any name."""
    return "suppress" in ast.dump(item.context_expr)


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches a shape error and does more than reraise it."""
    if any(isinstance(statement, ast.Raise) for statement in handler.body):
        return False
    if handler.type is None:
        return True
    return any(map(_names_shape_error, ast.walk(handler.type)))


def _names_shape_error(node: ast.AST) -> bool:
    name = getattr(node, "id", None) or getattr(node, "attr", None)
    return name in _SHAPE_ERRORS
