"""What the written arguments of a call are: sizes, factors of a product, owners of a
method."""

from __future__ import annotations

import ast

from shapelint.changes.other_values import constant
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.origins import Place


def small_numbers(called: CallExpression | None) -> set[int]:
    """Small numbers written where a call fails."""
    numbers = (
        {constant(node) for node in called.node.args} if called is not None else set()
    )
    return {number for number in numbers if number is not None and 2 <= number <= 8}


def only_numbers(node: ast.expr) -> bool:
    """Whether an expression holds no name."""
    return all(
        not isinstance(part, (ast.Name, ast.Attribute)) for part in ast.walk(node)
    )


def is_reached(call: Call, change: Candidate) -> bool:
    """Whether an adaptive pooling to that size makes a map no larger."""
    text, sizes = (
        change.edits[0].replacement,
        call.inputs[0].shape[2:] if call.inputs else (),
    )
    return not text.isdigit() or int(text) <= max(sizes, default=0)


def is_owner(place: Place) -> bool:
    """`self` of `self.act(x)`: an object, not a number."""
    return isinstance(place.source.parents.get(place.node), ast.Attribute)


def is_factor(place: Place) -> bool:
    """One number of several written as a product: `8` of `32 * 8 * 8`, of which the
    whole is the better change."""
    parent = place.source.parents.get(place.node)
    return isinstance(parent, ast.BinOp) and all(
        isinstance(node, (ast.Constant, ast.BinOp))
        for node in (parent.left, parent.right)
    )


def written(called: CallExpression) -> list[tuple[str, ast.expr]]:
    """The written arguments of a call, the positional ones without a name."""
    return [
        *(("", node) for node in called.node.args),
        *((word.arg or "", word.value) for word in called.node.keywords),
    ]


def is_size(node: ast.expr) -> bool:
    """Whether an expression may stand for a size: a number, a name, a product, or
    several of them."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    return isinstance(
        node, (ast.Name, ast.Attribute, ast.BinOp, ast.Tuple, ast.List, ast.UnaryOp)
    )
