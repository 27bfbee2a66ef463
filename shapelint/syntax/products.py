"""Writes a number the way the old one was written: `32 * 8 * 8` if that was a
product."""

from __future__ import annotations

import ast
import math

from shapelint.syntax.trees import ParsedFile


def write_product(
    source: ParsedFile, old: ast.expr, value: int, sizes: tuple[int, ...]
) -> str:
    """Write `value` in the form of the expression it replaces.

    `sizes` are the dimensions whose product `value` is, such as (32, 8, 8). A product
    with as many factors keeps its form, and a factor that is a name stays if its size
    did not change."""
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
    """Merge the last sizes so that at most `count` remain, with the same product: (64,
    7, 7) becomes (64, 49), because the last factor of `64 * 49` stands for all
    remaining sizes."""
    kept = count - 1
    return sizes if len(sizes) <= count else (*sizes[:kept], math.prod(sizes[kept:]))


def _write_factors(
    source: ParsedFile, factors: list[ast.expr], sizes: tuple[int, ...]
) -> list[str]:
    # with fewer sizes than factors, it is not known which factor stood for which
    if len(sizes) < len(factors):
        return [str(size) for size in sizes]
    pairs = zip(factors, sizes, strict=True)
    return [_write_factor(source, factor, size) for factor, size in pairs]


def _write_factor(source: ParsedFile, factor: ast.expr, size: int) -> str:
    # whether a name has the right size, the verification of the fix shows
    is_name = isinstance(factor, (ast.Name, ast.Attribute))
    return source.segment(factor) if is_name else str(size)
