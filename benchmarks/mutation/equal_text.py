"""Whether a mended file says the same as the original in other words: each expression
that differs is evaluated in both ways wherever it runs."""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

Pair = tuple[ast.expr, ast.expr]
"""An expression of the mended file, and what stands there in the original."""

PROBE = "__same_value__"


def is_same_text(mended: str, original: str) -> bool:
    """Whether two files are the same but for spaces and comments."""
    return ast.dump(ast.parse(mended)) == ast.dump(ast.parse(original))


def differences(mended: ast.AST, original: ast.AST) -> list[Pair] | None:
    """The smallest expressions in which two trees differ; None where they differ in
    more than expressions."""
    if ast.dump(mended) == ast.dump(original):
        return []
    found = _within(mended, original)
    if found is not None:
        return found
    is_value = isinstance(mended, ast.expr) and not isinstance(mended, ast.Starred)
    if is_value and isinstance(original, ast.expr) and _is_loaded(mended):
        assert isinstance(mended, ast.expr)
        return [(mended, original)]
    return None


def _is_loaded(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _within(mended: ast.AST, original: ast.AST) -> list[Pair] | None:
    """The differences of the parts of two nodes of one kind; None where the nodes
    differ themselves."""
    if type(mended) is not type(original):
        return None
    found: list[Pair] = []
    for name in mended._fields:
        one, other = getattr(mended, name, None), getattr(original, name, None)
        ones = one if isinstance(one, list) else [one]
        others = other if isinstance(other, list) else [other]
        if len(ones) != len(others):
            return None
        for here, there in zip(ones, others, strict=True):
            pairs = _of_parts(here, there)
            if pairs is None:
                return None
            found += pairs
    return found


def _of_parts(one: Any, other: Any) -> list[Pair] | None:
    if isinstance(one, ast.AST) and isinstance(other, ast.AST):
        return differences(one, other)
    return [] if one == other else None


def probed(mended: str, original: str) -> str | None:
    """The mended file, with each expression that differs compared with the original's;
    None where they differ in more than expressions."""
    tree = ast.parse(mended)
    pairs = differences(tree, ast.parse(original))
    if not pairs:
        return None
    ours = {id(one): (one, other) for one, other in pairs}

    class Exchange(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if id(node) not in ours:
                return self.generic_visit(node)
            one, other = ours[id(node)]
            nothing = ast.arguments([], [], None, [], [], None, [])
            later = ast.Lambda(nothing, other)
            return ast.Call(ast.Name(PROBE, ast.Load()), [one, later], [])

    return ast.unparse(ast.fix_missing_locations(Exchange().visit(tree)))


@contextlib.contextmanager
def watch() -> Iterator[list[bool]]:
    """Collect whether the values were the same, each time a probe runs."""
    found: list[bool] = []

    def probe(value: Any, original: Callable[[], Any]) -> Any:
        state = torch.get_rng_state()
        try:
            found.append(_is_same(value, original()))
        except Exception:  # the original's words mean nothing there
            found.append(False)
        torch.set_rng_state(state)
        return value

    setattr(builtins, PROBE, probe)
    try:
        yield found
    finally:
        delattr(builtins, PROBE)


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.nn.Module):
        return repr(one) == repr(other)
    if isinstance(one, torch.Tensor):
        is_tensor = isinstance(other, torch.Tensor) and one.shape == other.shape
        return is_tensor and bool(torch.equal(one, other))
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_is_same(*pair) for pair in pairs)
    return bool(one == other)
