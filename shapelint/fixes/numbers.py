"""The number written at a layer's definition, exchanged for the one that arrives."""

from __future__ import annotations

import ast

from shapelint.graph import Call, Trace, Walked
from shapelint.rules import Candidate
from shapelint.rules.evidence import made_by
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.places import Site
from shapelint.syntax.products import written_as

_KEEP_CHANNELS = {
    *(
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "ReLU",
        "relu",
        "GELU",
        "gelu",
        "SiLU",
        "silu",
        "LeakyReLU",
        "Dropout",
    ),
    *("MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "max_pool2d", "avg_pool2d", "ELU"),
    *("AdaptiveAvgPool2d", "Dropout2d", "GroupNorm", "InstanceNorm2d", "Upsample", "interpolate", "Sigmoid", "Tanh"),
    *("dropout", "leaky_relu", "max_pool1d", "Identity", "ReLU6", "Hardswish", "PReLU", "tanh", "sigmoid", "Mish"),
}


def number_candidates(
    call: Call, made: CallExpression | None, position: int, name: str, value: int | str, sizes: tuple[int, ...]
) -> list[Candidate]:
    """The argument written anew, in the manner of the old one.

    Where it is a parameter of a helper function or of a block's `__init__`, the number is changed where the
    helper is called; written in the helper itself only if that holds too.
    """
    written = made.argument(position, name) if made is not None else None
    if made is None or written is None:
        return []
    found = []
    for place, expression in [*_handed_in(made, written, call.definition), (made, written)]:
        old = place.source.segment(expression)
        texts = (
            [str(value)] if isinstance(value, str) else [written_as(place.source, expression, value, sizes), str(value)]
        )
        for text in dict.fromkeys(texts):
            title = f"`{_with_argument(place, expression, old, text)}`"
            found.append(Candidate(title, (place.replaced(expression, text),), call.layer, group=f"{name} here"))
    return found


def _handed_in(
    made: CallExpression, written: ast.expr, sites: tuple[Site, ...]
) -> list[tuple[CallExpression, ast.expr]]:
    """The calls that hand a number in, outermost first: `conv_block(64, 8)` for the `cin` of a helper."""
    found: list[tuple[CallExpression, ast.expr]] = []
    place, expression = made, written
    for site in sites[1:]:
        outer = call_at(site)
        parameter = _parameter(place, expression)
        if outer is None or parameter is None:
            break
        handed = outer.argument(*parameter)
        if handed is None:
            break
        place, expression = outer, handed
        found.insert(0, (place, expression))
    return found[:1]


def _parameter(place: CallExpression, expression: ast.expr) -> tuple[int, str] | None:
    """Position and name of the enclosing function's parameter that an expression is, `self` not counted."""
    if not isinstance(expression, ast.Name):
        return None
    node: ast.AST | None = place.node
    while node is not None and not isinstance(node, ast.FunctionDef):
        node = place.source.parents.get(node)
    if node is None:
        return None
    names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return (names.index(expression.id), expression.id) if expression.id in names else None


def _with_argument(place: CallExpression, written: ast.expr, old: str, new: str) -> str:
    """The call's text with one argument exchanged, on one line."""
    if written.lineno != place.node.lineno:
        return " ".join(place.text.split()).replace(old, new, 1)
    line = place.text.encode()
    start = written.col_offset - place.node.col_offset
    return " ".join((line[:start] + new.encode() + line[start + len(old.encode()) :]).decode().split())


def producer_candidates(walked: Walked, trace: Trace, call: Call, takes: int) -> list[Candidate]:
    """The `out_channels` or `out_features` of the layer whose result arrives, through layers that keep them."""
    current = trace.producer(call)
    while current is not None and current.op in _KEEP_CHANNELS:
        current = trace.producer(current)
    if current is None or current.kind != "module":
        return []
    name = "out_features" if current.op == "Linear" else "out_channels"
    if current.op != "Linear" and not current.op.startswith("Conv"):
        return []
    return number_candidates(current, made_by(walked, current), 1, name, takes, (takes,))
