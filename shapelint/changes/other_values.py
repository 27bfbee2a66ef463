"""Which other values a number or an order upstream of a failure could have."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

Pairs = list[tuple[int, int]]
"""Sizes that would need to be equal: what arrives, and what is taken."""

PAIRS = 6
"""Pairs that are looked at."""

VALUES = 10
"""Other values for one number."""

LARGEST = 10**7
"""Sizes below this are tried: none that a model has is larger."""

ORDERS = 30
"""Other orders of a permute."""


def other_values(value: int, pairs: Pairs) -> list[int]:
    """What a size could be instead: one side of a pair, scaled by their ratio, moved by
    their difference."""
    found: list[int] = []
    for one, other in pairs[:PAIRS]:
        found += _related(value, one, other)
        found += _related(value, other, one)
    sizes = [size for size in dict.fromkeys(found) if 0 < size < LARGEST]
    return [size for size in sizes if size != value][:VALUES]


def _related(value: int, one: int, other: int) -> Iterator[int]:
    """What a value could be if `one` is to become `other`."""
    if value == one:
        yield other
    if one and value * other % one == 0:
        yield value * other // one
    if one and one != value and value % one == 0:
        yield value // one * other
    yield value + other - one


def small_values(value: int) -> list[int]:
    """Heads, groups and factors near one that does not do."""
    near = (value - 1, value + 1, value // 2, value * 2)
    usual = (1, 2, 4, 8)
    further = (value + 2, value - 2, 16, 3)
    others = dict.fromkeys((*near, *usual, *further))
    return [each for each in others if each >= 1 and each != value]


def permutations(order: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Other orders, those with two places exchanged first."""

    def count_moved(other: tuple[int, ...]) -> int:
        return sum(a != b for a, b in zip(other, order, strict=True))

    others = [each for each in itertools.permutations(order) if each != order]
    return sorted(others, key=count_moved)[:ORDERS]


def parts_of(node: ast.expr) -> list[ast.expr]:
    """The expressions of a written shape, else the expression itself."""
    return node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]


def constant(node: ast.expr) -> int | None:
    """The number an expression writes, -1 included."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = constant(node.operand)
        return -inner if inner is not None else None
    return None
