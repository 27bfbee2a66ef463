"""Does the user's own code catch the exception of a failing call? Then it is not ours
to report."""

from __future__ import annotations

import ast
import sys
from functools import lru_cache
from pathlib import Path
from types import FrameType

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import parse_python
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
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(
            _catches(handler) for handler in node.handlers
        ):
            found.append(
                (node.body[0].lineno, node.body[-1].end_lineno or node.body[-1].lineno)
            )
        elif isinstance(node, ast.With) and any(
            "suppress" in ast.dump(item.context_expr) for item in node.items
        ):
            found.append((node.lineno, node.end_lineno or node.lineno))
    return tuple(found)


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
