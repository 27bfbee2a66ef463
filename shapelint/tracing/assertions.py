"""Reads the numbers that the model's own `assert` or `raise` compared, from the frame
in which it ran."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import TypeGuard

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import nodes_at, tree_of
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.torch_private import no_modes

_READ_ONLY = (
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.Constant,
    ast.BinOp,
    ast.UnaryOp,
    ast.Tuple,
    ast.List,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
)
"""Expressions that can be evaluated again without side effects."""

_SIZE_QUESTIONS = {"size", "dim", "len", "numel", "ndimension"}
"""Functions and methods that can be called again without side effects."""


def find_compared_numbers(
    traceback: TracebackType | None, ownership: Ownership
) -> tuple[tuple[int, int], ...]:
    """The pairs of unequal whole numbers that the raising statement compared.

    Operands are evaluated again only if they consist of names, attributes, items,
    arithmetic and questions about sizes."""
    innermost = _innermost_own(traceback, ownership)
    if innermost is None:
        return ()
    frame, line = innermost.tb_frame, innermost.tb_lineno
    try:
        tree = tree_of(ownership.texts.text_of(frame.f_code.co_filename))
    except UsageError:
        return ()
    found: list[tuple[int, int]] = []
    for condition in _conditions_at(tree, line):
        for node in ast.walk(condition):
            found += _pairs(node, frame)
    return tuple(dict.fromkeys(pair for pair in found if pair[0] != pair[1]))


def _innermost_own(
    traceback: TracebackType | None, ownership: Ownership
) -> TracebackType | None:
    found = None
    while traceback is not None:
        if ownership.owns(traceback.tb_frame.f_code.co_filename):
            found = traceback
        traceback = traceback.tb_next
    return found


def _conditions_at(tree: ast.Module, line: int) -> Iterator[ast.expr]:
    """The condition of an `assert` on a line, or of the innermost `if` around a
    `raise`."""
    around: list[ast.If] = []
    raises = False
    for node in nodes_at(tree, line):
        if isinstance(node, ast.Assert):
            yield node.test
        elif isinstance(node, ast.If):
            around.append(node)
        elif isinstance(node, ast.Raise):
            raises = True
    if raises and around:
        yield max(around, key=lambda node: node.lineno).test


def _pairs(node: ast.AST, frame: FrameType) -> Iterator[tuple[int, int]]:
    """The two sides of a comparison, or the two operands of a remainder."""
    if isinstance(node, ast.Compare):
        left, right = node.left, node.comparators[0]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        left, right = node.left, node.right
    else:
        return
    yield from _fitting_pairs(_value(left, frame), _value(right, frame))


def _fitting_pairs(left: object, right: object) -> Iterator[tuple[int, int]]:
    if _is_int(left) and _is_int(right) and right:
        yield left, right
    elif isinstance(left, (tuple, list)) and isinstance(right, (tuple, list)):
        for one, other in zip(left, right, strict=False):
            if _is_int(one) and _is_int(other):
                yield one, other


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _value(node: ast.expr, frame: FrameType) -> object:
    if not all(map(_is_harmless, ast.walk(node))):
        return None
    try:
        code = compile(ast.Expression(node), "<condition>", "eval")
        with no_modes():
            # The user's own words, in their own frame.
            value: object = eval(code, frame.f_globals, frame.f_locals)  # noqa: S307
    except Exception:  # an operand that cannot be evaluated again is ignored
        return None
    return value


def _is_harmless(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return isinstance(node, _READ_ONLY)
    called = node.func
    name = (
        called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    )
    return name in _SIZE_QUESTIONS
