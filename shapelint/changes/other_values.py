"""Other values for a number or an order upstream of a failure."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

Pairs = list[tuple[int, int]]
"""Sizes that should be equal: the size that arrives, and the size that is required."""

PAIRS = 6
"""The most pairs that are used."""

VALUES = 10
"""The most other values for one number."""

LARGEST = 10**7
"""Only sizes below this are tried. No model has a larger one."""

MOST_TIMES = 64
"""The most by which a size is scaled, unless it is the very one that must differ. Totals
of a view give larger ratios, which nobody means."""

ORDERS = 30
"""The most other orders of a permute."""


def other_values(value: int, pairs: Pairs) -> list[int]:
    """Other values for a size: one side of a pair, the size scaled by their ratio, or
    shifted by their difference."""
    found: dict[int, None] = {}
    for one, other in pairs[:PAIRS]:
        found |= dict.fromkeys(_list_related(value, one, other))
        found |= dict.fromkeys(_list_related(value, other, one))
    found.pop(value, None)
    wanted = {size for pair in pairs for size in pair if value in pair}
    most = value * MOST_TIMES
    sizes = [size for size in found if 0 < size <= most or size in wanted]
    sizes = [size for size in sizes if size < LARGEST]
    return sizes[:VALUES]


def _list_related(value: int, one: int, other: int) -> Iterator[int]:
    """The values that the size may have if `one` must become `other`."""
    if value == one:
        yield other
    if one:
        scaled, rest = divmod(value * other, one)
        if not rest:
            yield scaled
        times, rest = divmod(value, one)
        if not rest:
            yield times * other
    yield value + other - one


def small_values(value: int) -> list[int]:
    """Numbers of heads, groups or factors close to one that does not work."""
    near = (value - 1, value + 1, value // 2, value * 2)
    usual = (1, 2, 4, 8)
    further = (value + 2, value - 2, 16, 3)
    others = dict.fromkeys((*near, *usual, *further))
    others.pop(value, None)
    return [each for each in others if each >= 1]


def permutations(order: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Other orders, those with the fewest moved places first."""

    def count_moved(other: tuple[int, ...]) -> int:
        return sum(a != b for a, b in zip(other, order, strict=True))

    others = [each for each in itertools.permutations(order) if each != order]
    return sorted(others, key=count_moved)[:ORDERS]


def parts_of(node: ast.expr) -> list[ast.expr]:
    """The expressions of a written shape, or the expression itself."""
    return node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]


def constant(node: ast.expr) -> int | None:
    """The whole number that an expression is, possibly negative; None for any other
    expression."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = constant(node.operand)
        return -inner if inner is not None else None
    return None
