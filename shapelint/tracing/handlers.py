"""Does the user's own code catch the exception of a failing call? Then it is not ours
to report."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import nodes_at, tree_of
from shapelint.syntax.texts import Texts
from shapelint.tracing.frames import ENTRIES, Ownership

_TORCH_PARTS = ("/torch/", "\\torch\\")


def is_caught(ownership: Ownership) -> bool:
    """Whether a frame of the stack, up to the call of the model, stands in a `try` that
    would catch."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name not in ENTRIES:
        file = frame.f_code.co_filename
        interesting = ownership.owns(file) or not (
            file.startswith("<") or any(p in file for p in _TORCH_PARTS)
        )
        if (
            interesting
            and not _is_ours(file)
            and _in_try(ownership.texts, file, frame.f_lineno or 0)
        ):
            return True
        frame = frame.f_back
    return False


def _is_ours(file: str) -> bool:
    return Path(file).parent == Path(__file__).parent


def _in_try(texts: Texts, file: str, line: int) -> bool:
    try:
        text = texts.text_of(file)
        if "try" not in text and "suppress" not in text:
            return False
        tree = tree_of(text)
    except UsageError:
        return False
    return any(_guards(node, line) for node in nodes_at(tree, line))


def _guards(node: ast.AST, line: int) -> bool:
    """Whether what a line raises ends in a `try` or `with suppress` around it."""
    if isinstance(node, ast.With):
        return any("suppress" in ast.dump(item.context_expr) for item in node.items)
    if not isinstance(node, ast.Try):
        return False
    # what the handlers and `else` raise, this `try` does not catch
    in_body = line <= (node.body[-1].end_lineno or node.body[-1].lineno)
    return in_body and any(_catches(handler) for handler in node.handlers)


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes a shape error and does not only raise it on."""
    names = {
        "RuntimeError",
        "Exception",
        "BaseException",
        "ValueError",
        "IndexError",
        "TypeError",
        "AssertionError",
    }
    caught = handler.type is None or any(
        isinstance(node, (ast.Name, ast.Attribute))
        and (getattr(node, "id", None) or getattr(node, "attr", "")) in names
        for node in ast.walk(handler.type)
    )
    return caught and not any(isinstance(node, ast.Raise) for node in handler.body)
