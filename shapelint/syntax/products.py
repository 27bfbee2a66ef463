"""A number written as people write it: `32 * 8 * 8` where the old one was a product."""

from __future__ import annotations

import ast
import math

from shapelint.syntax.trees import ParsedFile


def write_product(
    source: ParsedFile, old: ast.expr, value: int, sizes: tuple[int, ...]
) -> str:
    """`value` in the manner of the expression it replaces.

    `sizes` is the feature map that `value` counts, (32, 8, 8); a product of as many
    factors keeps its form, and a factor that is a name stays where its size stayed."""
    factors = _factors(old)
    if len(factors) < 2 or math.prod(sizes) != value:
        return str(value)
    if len(sizes) > len(factors):
        # `64 * 49` for (64, 7, 7): the last factor counts all that is left
        kept = len(factors) - 1
        sizes = (*sizes[:kept], math.prod(sizes[kept:]))
    return " * ".join(_write_factors(source, factors, sizes))


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _write_factors(
    source: ParsedFile, factors: list[ast.expr], sizes: tuple[int, ...]
) -> list[str]:
    if len(factors) == len(sizes):
        pairs = zip(factors, sizes, strict=True)
        return [_write_factor(source, factor, size) for factor, size in pairs]
    is_square = len(sizes) == 3 and sizes[1] == sizes[2]
    if len(factors) == 2 and is_square and _is_power(factors[1]):
        return [_write_factor(source, factors[0], sizes[0]), f"{sizes[1]} ** 2"]
    return [str(size) for size in sizes]


def _is_power(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)


def _write_factor(source: ParsedFile, factor: ast.expr, size: int) -> str:
    # whether a name has the right size, the verification of the fix shows
    is_name = isinstance(factor, (ast.Name, ast.Attribute))
    return source.segment(factor) if is_name else str(size)
