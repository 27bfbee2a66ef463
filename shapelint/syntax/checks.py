"""Where a file says what must hold: conditions of `assert`, of what raises, of
`torch._assert` and `torch._check`."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache

from shapelint.facts.diagnostics import Edit
from shapelint.syntax.parsing import last_name, nodes_of
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import parse_file

_OF_TORCH = ("_assert", "_check")
"""How the names of torch's own functions begin that raise where a condition does not
hold: `torch._assert`, `torch._check`, `torch._check_is_size`."""


def edits_a_check(edits: Iterable[Edit], texts: Texts) -> bool:
    """Whether a change reaches into a condition: then the check would hold, and nothing
    would be mended."""
    return any(_reaches_a_condition(edit, texts) for edit in edits)


def _reaches_a_condition(edit: Edit, texts: Texts) -> bool:
    source = parse_file(edit.file, texts)
    if source is None:
        return False
    extents = map(source.extent, _conditions(source.tree))
    return any(edit.start < end and start < edit.end for start, end in extents)


@lru_cache(maxsize=64)
def _conditions(tree: ast.Module) -> tuple[ast.expr, ...]:
    """The conditions of a file."""
    functions = nodes_of(tree, ast.FunctionDef)
    checking = {function.name for function in functions if _only_checks(function)}
    conditions = (_condition(node, checking) for node in nodes_of(tree, ast.stmt))
    return tuple(each for each in conditions if each is not None)


def _condition(node: ast.stmt, checking: set[str]) -> ast.expr | None:
    """What must hold, or must not, by one statement.

    Of a call of a function that only checks, that is the whole call: an argument is as
    much the author's word as the condition is."""
    if isinstance(node, ast.Assert):
        return node.test
    if isinstance(node, ast.If):
        return node.test if _raises(node.body) or _raises(node.orelse) else None
    is_check = _is_torchs(node) or _name_called(node) in checking
    return node.value if is_check and isinstance(node, ast.Expr) else None


def _raises(body: list[ast.stmt]) -> bool:
    """Whether a block ends by raising, whatever it says before."""
    return bool(body) and isinstance(body[-1], ast.Raise)


def _is_torchs(statement: ast.stmt) -> bool:
    """Whether a statement calls a check of torch's own."""
    return _name_called(statement).startswith(_OF_TORCH)


def _name_called(statement: ast.stmt) -> str:
    """The last part of the name of what a statement calls; empty where it is not a
    call."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return last_name(call.func) if isinstance(call, ast.Call) else ""


def _only_checks(function: ast.FunctionDef) -> bool:
    """Whether a function checks its arguments and does nothing else; values may get
    names on the way."""
    others = [statement for statement in function.body if not _is_check(statement)]
    has_checks = len(others) < len(function.body)
    return has_checks and all(map(_changes_nothing, others))


def _is_check(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return _raises(statement.body) and not statement.orelse
    return isinstance(statement, ast.Assert) or _is_torchs(statement)


def _changes_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring, or gives a value a name."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if not isinstance(statement, ast.Assign):
        return False
    parts = [part for target in statement.targets for part in ast.walk(target)]
    return not any(isinstance(part, (ast.Attribute, ast.Subscript)) for part in parts)
