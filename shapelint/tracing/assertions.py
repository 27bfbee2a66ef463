"""The numbers that a model's own `assert` or `raise` compared, read from the frame in
which it stood."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import parse_python
from shapelint.tracing.frames import Ownership
from shapelint.tracing.torch_private import no_modes

_READ_ONLY = (
    *(
        ast.Name,
        ast.Attribute,
        ast.Subscript,
        ast.Constant,
        ast.BinOp,
        ast.Tuple,
        ast.List,
        ast.UnaryOp,
    ),
    *(ast.Slice, ast.expr_context, ast.operator, ast.unaryop),
)
_ASKING = {"size", "dim", "len", "numel", "ndimension"}


def compared(
    traceback: TracebackType | None, ownership: Ownership
) -> tuple[tuple[int, int], ...]:
    """Pairs of whole numbers that the statement which raised compared and found not to
    fit.

    Operands are evaluated again only where they are names, attributes, items,
    arithmetic or questions for sizes."""
    frame, line = _innermost(traceback, ownership)
    if frame is None:
        return ()
    try:
        tree = parse_python(ownership.texts.text_of(frame.f_code.co_filename))
    except UsageError:
        return ()
    found: list[tuple[int, int]] = []
    for test in _tests(tree, line):
        for node in ast.walk(test):
            found += _pairs(node, frame)
    return tuple(dict.fromkeys(pair for pair in found if pair[0] != pair[1]))


def _innermost(
    traceback: TracebackType | None, ownership: Ownership
) -> tuple[FrameType | None, int]:
    found: tuple[FrameType | None, int] = (None, 0)
    while traceback is not None:
        if ownership.owns(traceback.tb_frame.f_code.co_filename):
            found = traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next
    return found


def _tests(tree: ast.Module, line: int) -> Iterator[ast.expr]:
    """The condition of an assertion at a line, or of the innermost `if` around a
    `raise`."""
    around: list[ast.If] = []
    raises = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (
            node.end_lineno or 0
        ):
            yield node.test
        elif isinstance(node, ast.If) and node.lineno <= line <= (node.end_lineno or 0):
            around.append(node)
        elif isinstance(node, ast.Raise) and node.lineno <= line <= (
            node.end_lineno or 0
        ):
            raises = True
    if raises and around:
        yield max(around, key=lambda node: node.lineno).test


def _pairs(node: ast.AST, frame: FrameType) -> Iterator[tuple[int, int]]:
    """The two sides of a comparison; of a remainder, the number and what it is divided
    by."""
    sides: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators[:1]]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        sides = [node.left, node.right]
    values = [_value(side, frame) for side in sides]
    if len(values) != 2:
        return
    left, right = values
    if _is_int(left) and _is_int(right) and right:
        yield left, right
    elif isinstance(left, (tuple, list)) and isinstance(right, (tuple, list)):
        yield from (
            (a, b)
            for a, b in zip(left, right, strict=False)
            if _is_int(a) and _is_int(b)
        )


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _value(node: ast.expr, frame: FrameType) -> Any:
    if not all(_harmless(part) for part in ast.walk(node)):
        return None
    try:
        with no_modes():
            return eval(  # noqa: S307 - the user's own words, in their own frame
                compile(ast.Expression(node), "<condition>", "eval"),
                frame.f_globals,
                frame.f_locals,
            )
    except Exception:  # what cannot be read again says nothing
        return None


def _harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        return name in _ASKING
    return isinstance(node, _READ_ONLY)
