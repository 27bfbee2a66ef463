"""A number written as people write it: `32 * 8 * 8` where the old one was a product."""

from __future__ import annotations

import ast
import math

from shapelint.syntax.trees import ParsedFile


def written_as(
    source: ParsedFile, old: ast.expr, value: int, sizes: tuple[int, ...]
) -> str:
    """`value` in the manner of the expression it replaces.

    `sizes` is the feature map that `value` counts, (32, 8, 8); a product of as many
    factors keeps its form, and a factor that is a name stays where its size stayed."""
    factors = _factors(old)
    if len(factors) < 2 or math.prod(sizes) != value:
        return str(value)
    if len(sizes) > len(factors):
        sizes = (*sizes[: len(factors) - 1], math.prod(sizes[len(factors) - 1 :]))
    texts = _power_or_size(source, factors, sizes)
    return " * ".join(texts) if texts else str(value)


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _power_or_size(
    source: ParsedFile, factors: list[ast.expr], sizes: tuple[int, ...]
) -> list[str] | None:
    if len(factors) == len(sizes):
        return [
            _factor(source, factor, size)
            for factor, size in zip(factors, sizes, strict=True)
        ]
    last = factors[-1]
    is_power = isinstance(last, ast.BinOp) and isinstance(last.op, ast.Pow)
    if len(factors) == 2 and is_power and len(sizes) == 3 and sizes[1] == sizes[2]:
        return [_factor(source, factors[0], sizes[0]), f"{sizes[1]} ** 2"]
    return [str(size) for size in sizes]


def _factor(source: ParsedFile, factor: ast.expr, size: int) -> str:
    """A name is kept: the verification shows whether it has the right size."""
    if isinstance(factor, ast.Constant):
        return str(size)
    return (
        source.segment(factor)
        if isinstance(factor, (ast.Name, ast.Attribute))
        else str(size)
    )
