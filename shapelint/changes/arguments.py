"""The written arguments of a call: their names, and whether each may be a size."""

from __future__ import annotations

import ast

from shapelint.changes.other_values import constant
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.origins import Place

Argument = tuple[str, ast.expr]
"""Name and expression of an argument. The name is "" if it is positional."""


def list_written_arguments(called: CallExpression) -> list[Argument]:
    """The written arguments of a call. Positional ones have the name ""."""
    positional = [("", node) for node in called.node.args]
    named = [(word.arg or "", word.value) for word in called.node.keywords]
    return [*positional, *named]


def small_numbers(called: CallExpression | None) -> set[int]:
    """Small numbers in the expression of a failing call."""
    nodes = called.node.args if called is not None else []
    numbers = {constant(node) for node in nodes}
    return {number for number in numbers if number is not None and 2 <= number <= 8}


def is_only_numbers(node: ast.expr) -> bool:
    """Whether an expression contains no name."""
    names = (ast.Name, ast.Attribute)
    return not any(isinstance(part, names) for part in ast.walk(node))


def makes_no_larger(call: Call, change: Candidate) -> bool:
    """Whether an adaptive pooling to the new size does not enlarge the map."""
    text = change.edits[0].replacement
    if not text.isdigit():
        return True
    sizes = call.inputs[0].shape[2:] if call.inputs else ()
    return int(text) <= max(sizes, default=0)


def is_owner(place: Place) -> bool:
    """Whether an expression is the owner of a called method, such as `self` of
    `self.act(x)`, and so no number."""
    return isinstance(place.source.parents.get(place.node), ast.Attribute)


def is_factor(place: Place) -> bool:
    """Whether a number is one factor of a written product, such as `8` of `32 * 8 * 8`.
    Changing the whole product is better."""
    parent = place.source.parents.get(place.node)
    if not isinstance(parent, ast.BinOp):
        return False
    numbers = (ast.Constant, ast.BinOp)
    return isinstance(parent.left, numbers) and isinstance(parent.right, numbers)


def may_be_size(node: ast.expr) -> bool:
    """Whether an expression may be a size: a number, a name, a product, or several of
    them."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    sizes = (ast.Name, ast.Attribute, ast.BinOp, ast.Tuple, ast.List, ast.UnaryOp)
    return isinstance(node, sizes)
