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
    texts = _write_factors(source, factors, _merge_last(sizes, len(factors)))
    return " * ".join(texts)


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _merge_last(sizes: tuple[int, ...], count: int) -> tuple[int, ...]:
    """At most `count` sizes with the same product: (64, 49) of (64, 7, 7), where the
    last factor of `64 * 49` counts all that is left."""
    kept = count - 1
    return sizes if len(sizes) <= count else (*sizes[:kept], math.prod(sizes[kept:]))


def _write_factors(
    source: ParsedFile, factors: list[ast.expr], sizes: tuple[int, ...]
) -> list[str]:
    # of fewer sizes than factors, nobody knows which factor stood for which
    if len(sizes) < len(factors):
        return [str(size) for size in sizes]
    pairs = zip(factors, sizes, strict=True)
    return [_write_factor(source, factor, size) for factor, size in pairs]


def _write_factor(source: ParsedFile, factor: ast.expr, size: int) -> str:
    # whether a name has the right size, the verification of the fix shows
    is_name = isinstance(factor, (ast.Name, ast.Attribute))
    return source.segment(factor) if is_name else str(size)
