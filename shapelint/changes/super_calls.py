"""Calls of `super().__init__()` that are missing, late or miswritten."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.slip_edits import (
    Function,
    class_of,
    first_statement,
    method_named,
    remove_statement,
    slip_change,
)
from shapelint.facts.findings import Candidate
from shapelint.facts.slips import Slip
from shapelint.syntax.edits import insert_before, replacement
from shapelint.syntax.parsing import last_name
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile

CALL = "super().__init__()"

_INIT = "__init__"
_RIGHT = ("super()", "nn.Module", "Module", "torch.nn.Module")
"""How those are written on which `__init__` is called rightly."""


def super_candidates(slip: Slip, texts: Texts) -> Iterator[Candidate]:
    """Call `super().__init__()` as it should be, before anything is registered."""
    found = class_of(slip, texts)
    if found is None:
        return
    source, owner = found
    for each in (owner, *_parents_in_file(source, owner)):
        init = method_named(each, _INIT)
        if init is not None:
            yield from _correct(source, init, each.name)


def correct_super_call(
    source: ParsedFile, init: Function, owner: str
) -> Candidate | None:
    """The first correction of a constructor's call; None if it is right."""
    return next(_correct(source, init, owner), None)


def find_super_call(init: Function) -> ast.stmt | None:
    """The statement of a constructor that is, or was meant to be, the call of
    `super().__init__()`."""
    return next((each for each in init.body if _mentions_super(each)), None)


# -- corrections -------------------------------------------------------------------------


def _correct(source: ParsedFile, init: Function, owner: str) -> Iterator[Candidate]:
    statement = find_super_call(init)
    first = first_statement(init)
    likely = weights.SLIP_REACHED
    title = f"`{CALL}` as the first statement"
    if statement is None:
        yield slip_change(title, (insert_before(source, first, CALL),), likely)
        return
    if not _is_right(statement, owner):
        text = _rewrite(statement)
        yield slip_change(f"`{text}`", (replacement(source, statement, text),), likely)
        return
    removal = remove_statement(source, statement)
    if statement is not first and removal is not None:
        text = source.segment(statement)
        edits = (insert_before(source, first, text), removal)
        yield slip_change(f"`{text}` as the first statement", edits, likely)


def _mentions_super(statement: ast.stmt) -> bool:
    """Whether a statement calls `super`, or `__init__` of another class."""
    if not isinstance(statement, ast.Expr):
        return False
    nodes = [*ast.walk(statement.value)]
    is_super = any(isinstance(n, ast.Name) and n.id == "super" for n in nodes)
    return is_super or any(
        isinstance(n, ast.Attribute)
        and n.attr == _INIT
        and last_name(n.value) == "Module"
        for n in nodes
    )


def _is_right(statement: ast.stmt, owner: str) -> bool:
    """Whether a statement runs the constructor of the class above."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(value, ast.Call) or last_name(value.func) != _INIT:
        return False
    assert isinstance(value.func, ast.Attribute)
    on = ast.unparse(value.func.value)
    first = ast.unparse(value.args[0]) if value.args else ""
    if on in _RIGHT[1:]:
        return first == "self"
    return on in (_RIGHT[0], f"super({owner}, self)") and first != "self"


def _rewrite(statement: ast.stmt) -> str:
    """The call as it should be, with the arguments that are meant for the class
    above."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return CALL
    parts = [*value.args, *(word for word in value.keywords)]
    texts = [ast.unparse(part) for part in parts]
    return f"super().__init__({', '.join(text for text in texts if text != 'self')})"


def _parents_in_file(source: ParsedFile, owner: ast.ClassDef) -> list[ast.ClassDef]:
    """The classes of the same file that a class inherits from, nearest first."""
    classes = {
        node.name: node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }
    found: list[ast.ClassDef] = []
    waiting = [owner]
    while waiting:
        for base in waiting.pop(0).bases:
            parent = classes.get(last_name(base))
            if parent is not None and parent is not owner and parent not in found:
                found.append(parent)
                waiting.append(parent)
    return found
