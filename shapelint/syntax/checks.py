"""The conditions that a file checks: in `assert`, in an `if` that raises, in
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
"""How the names of torch's own checks begin: `torch._assert`, `torch._check`,
`torch._check_is_size`."""


def edits_a_check(edits: Iterable[Edit], texts: Texts) -> bool:
    """Whether an edit touches a checked condition. Such an edit would silence the check
    and fix nothing."""
    return any(_reaches_a_condition(edit, texts) for edit in edits)


def _reaches_a_condition(edit: Edit, texts: Texts) -> bool:
    source = parse_file(edit.file, texts)
    if source is None:
        return False
    extents = map(source.extent, _conditions(source.tree))
    return any(edit.start < end and start < edit.end for start, end in extents)


@lru_cache(maxsize=64)
def _conditions(tree: ast.Module) -> tuple[ast.expr, ...]:
    """Find the checked conditions of a file."""
    functions = nodes_of(tree, ast.FunctionDef)
    checking = {function.name for function in functions if _only_checks(function)}
    found: list[ast.expr] = []
    for statement in nodes_of(tree, ast.stmt):
        condition = _condition(statement, checking)
        if condition is not None:
            found.append(condition)
    return tuple(found)


def _condition(statement: ast.stmt, checking: set[str]) -> ast.expr | None:
    """Return the condition that a statement checks, if it checks one. `checking` names
    the functions that only check their arguments."""
    if isinstance(statement, ast.Assert):
        return statement.test
    if isinstance(statement, ast.If):
        branches = (statement.body, statement.orelse)
        return statement.test if any(map(_raises, branches)) else None
    call = _call_of(statement)
    if call is None:
        return None
    # the whole call: an argument is as much the author's word as the condition is
    is_check = _is_torch_check(call) or last_name(call.func) in checking
    return call if is_check else None


def _raises(body: list[ast.stmt]) -> bool:
    """Whether a block ends with a `raise`."""
    return bool(body) and isinstance(body[-1], ast.Raise)


def _is_torch_check(call: ast.Call) -> bool:
    """Whether a call is one of torch's own checks."""
    return last_name(call.func).startswith(_OF_TORCH)


def _call_of(statement: ast.stmt) -> ast.Call | None:
    """Return the call if a statement consists of nothing else."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return statement.value
    return None


def _only_checks(function: ast.FunctionDef) -> bool:
    """Whether a function does nothing but check its arguments. It may assign local
    names on the way."""
    others = [statement for statement in function.body if not _is_check(statement)]
    has_checks = len(others) < len(function.body)
    return has_checks and all(map(_changes_nothing, others))


def _is_check(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assert):
        return True
    if isinstance(statement, ast.If):
        # with an `else`, the function does more than check
        return _raises(statement.body) and not statement.orelse
    call = _call_of(statement)
    return call is not None and _is_torch_check(call)


def _changes_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring or assigns a local name."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if not isinstance(statement, ast.Assign):
        return False
    return not any(map(_writes_into, statement.targets))


def _writes_into(target: ast.expr) -> bool:
    """Whether an assignment target is an attribute or an item: `self.size`,
    `sizes[0]`."""
    parts = (ast.Attribute, ast.Subscript)
    return any(isinstance(node, parts) for node in ast.walk(target))
