"""Layers that permute dimensions: classes of the user's own file, torchvision's and
einops'."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.facts.tensors import Shape
from shapelint.syntax.trees import ParsedFile

_AXES = "b c d h w"
"""Names of axes in patterns, of which the spatial ones differ in number."""


def write_permuting_layer(source: ParsedFile, order: Shape) -> str | None:
    """The expression of a layer that permutes dimensions into this order, where the file
    has a class for that."""
    numbers = ", ".join(map(str, order))
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        if _fixed_order(node) == order:
            return f"{node.name}()"
        if _permutes(node):
            is_starred = _takes_star(node)
            return (
                f"{node.name}({numbers})" if is_starred else f"{node.name}(({numbers}))"
            )
    for name, prefix in _imported(source.tree, "torchvision.ops", "Permute"):
        return f"{prefix}{name}([{numbers}])"
    for name, prefix in _imported(source.tree, "einops.layers.torch", "Rearrange"):
        return f'{prefix}{name}("{_pattern(order)}")'
    return None


def _permutes(owner: ast.ClassDef) -> bool:
    """Whether the forward of a class only permutes its input, by what it was made
    with."""
    result, init = _permute_returned(owner), _method(owner, "__init__")
    if result is None or init is None:
        return False
    is_fixed = any(isinstance(node, ast.Constant) for node in ast.walk(result))
    return not is_fixed and _takes_order(init)


def _fixed_order(owner: ast.ClassDef) -> Shape | None:
    """The order into which a class permutes, if it is written in its forward."""
    result = _permute_returned(owner)
    init = _method(owner, "__init__")
    if result is None or (init is not None and len(init.args.args) > 1):
        return None
    constants = [node for node in ast.walk(result) if isinstance(node, ast.Constant)]
    numbers = [node.value for node in constants if isinstance(node.value, int)]
    return tuple(numbers) or None


def _permute_returned(owner: ast.ClassDef) -> ast.Call | None:
    """The permute that the forward of a class consists of."""
    forward = _method(owner, "forward")
    if forward is None or len(forward.args.args) != 2:
        return None
    body = [item for item in forward.body if not _is_docstring(item)]
    if len(body) != 1 or not isinstance(body[0], ast.Return):
        return None
    result = body[0].value
    if isinstance(result, ast.Call) and _is_contiguous(result.func):
        result = result.func.value if isinstance(result.func, ast.Attribute) else None
    if not isinstance(result, ast.Call) or not isinstance(result.func, ast.Attribute):
        return None
    return result if result.func.attr == "permute" else None


def _method(owner: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    functions = (item for item in owner.body if isinstance(item, ast.FunctionDef))
    return next((item for item in functions if item.name == name), None)


def _is_docstring(statement: ast.stmt) -> bool:
    is_expression = isinstance(statement, ast.Expr)
    return is_expression and isinstance(getattr(statement, "value", None), ast.Constant)


def _is_contiguous(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and func.attr == "contiguous"


def _takes_order(init: ast.FunctionDef) -> bool:
    """Whether a constructor takes an order and nothing else."""
    named = len(init.args.args) - 1 + len(init.args.kwonlyargs)
    return named == (0 if init.args.vararg is not None else 1)


def _takes_star(owner: ast.ClassDef) -> bool:
    init = _method(owner, "__init__")
    return init is not None and init.args.vararg is not None


def _imported(tree: ast.Module, module: str, name: str) -> Iterator[tuple[str, str]]:
    """The names under which a class is imported, each with the prefix to write."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == module:
            for alias in node.names:
                if alias.name == name:
                    yield alias.asname or name, ""


def _pattern(order: Shape) -> str:
    """`b c h w -> b h w c` for the order (0, 2, 3, 1)."""
    names = _AXES.split()
    if len(order) < 5:
        names.remove("d")
    if len(order) < 4:
        names.remove("h")
    given = names[: len(order)]
    if order[1] == len(order) - 1:
        # what comes last is what is named as channels
        given = [given[0], *given[2:], given[1]]
    return f"{' '.join(given)} -> {' '.join(given[at] for at in order)}"
