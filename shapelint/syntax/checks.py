"""Where a file says what must hold: conditions of `assert`, of what raises, of
`torch._assert` and `torch._check`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position
from shapelint.syntax.calls import called_name
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import parse_file

_OF_TORCH = ("_assert", "_check")
"""How the names of torch's own functions begin that raise where a condition does not
hold."""


def edits_a_check(edits: Iterable[Edit], texts: Texts) -> bool:
    """Whether a change would reach into a condition: then the check would hold, and
    nothing be mended."""
    for edit in edits:
        source = parse_file(edit.file, texts)
        if source is None:
            continue
        for condition in _conditions(source.tree):
            span = source.span(condition)
            start = Position(span.line, span.column or 1)
            end = Position(span.end_line or span.line, span.end_column or 1)
            if edit.start < end and start < edit.end:
                return True
    return False


@lru_cache(maxsize=64)
def _conditions(tree: ast.Module) -> tuple[ast.expr, ...]:
    """The conditions of a file."""
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    checking = {function.name for function in functions if _only_checks(function)}
    return tuple(part for node in nodes for part in _of(node, checking))


def _of(node: ast.AST, checking: set[str]) -> Iterator[ast.expr]:
    """What must hold, or must not, by one statement; of a call that checks, all that it
    is given."""
    if isinstance(node, ast.Assert) or (
        isinstance(node, ast.If) and (_raises(node.body) or _raises(node.orelse))
    ):
        yield node.test
    elif isinstance(node, ast.Expr) and (_is_torchs(node) or _called(node) in checking):
        yield node.value


def _raises(body: list[ast.stmt]) -> bool:
    """Whether a block ends by raising, whatever it says before."""
    return bool(body) and isinstance(body[-1], ast.Raise)


def _called(statement: ast.Expr) -> str:
    """The last part of the name of what a statement calls; empty where it is no
    call."""
    call = statement.value
    return called_name(call) if isinstance(call, ast.Call) else ""


def _is_torchs(statement: ast.Expr) -> bool:
    return _called(statement).startswith(_OF_TORCH)


def _only_checks(function: ast.FunctionDef) -> bool:
    """Whether a function checks what it is given and does nothing else; values may get
    names on the way."""
    checks = [_is_check(statement) for statement in function.body]
    others = [
        statement
        for statement, is_check in zip(function.body, checks, strict=True)
        if not is_check
    ]
    return any(checks) and all(_changes_nothing(statement) for statement in others)


def _is_check(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return _raises(statement.body) and not statement.orelse
    return isinstance(statement, ast.Assert) or (
        isinstance(statement, ast.Expr) and _is_torchs(statement)
    )


def _changes_nothing(statement: ast.stmt) -> bool:
    """A docstring, or a value that gets a name."""
    if isinstance(statement, ast.Assign):
        parts = [part for target in statement.targets for part in ast.walk(target)]
        return not any(
            isinstance(part, (ast.Attribute, ast.Subscript)) for part in parts
        )
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
