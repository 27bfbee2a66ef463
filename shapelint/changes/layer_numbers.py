"""The number written at a layer's definition, exchanged for the one that arrives."""

from __future__ import annotations

import ast
import math

from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.facts.places import Site
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.products import written_as
from shapelint.syntax.walked_calls import made_by

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
    *(
        "MaxPool1d",
        "MaxPool2d",
        "MaxPool3d",
        "AvgPool1d",
        "AvgPool2d",
        "AvgPool3d",
        "max_pool2d",
        "avg_pool2d",
        "ELU",
    ),
    *(
        "AdaptiveAvgPool2d",
        "Dropout2d",
        "GroupNorm",
        "InstanceNorm2d",
        "Upsample",
        "interpolate",
        "Sigmoid",
        "Tanh",
    ),
    *(
        "dropout",
        "leaky_relu",
        "max_pool1d",
        "Identity",
        "ReLU6",
        "Hardswish",
        "PReLU",
        "tanh",
        "sigmoid",
        "Mish",
    ),
}


def number_candidates(
    call: Call,
    made: CallExpression | None,
    argument: tuple[int, str],
    value: int | str,
    sizes: tuple[int, ...],
    takes: int | None = None,
) -> list[Candidate]:
    """The argument (position and name) written anew, in the manner of the old one.

    `takes` is the number it stands for now: a name is then multiplied, so that every
    layer made there follows. Where it is a parameter of a helper function or of a
    block's `__init__`, the number is changed where the helper is called; written in the
    helper itself only if that holds too."""
    written = made.argument(*argument) if made is not None else None
    if made is None or written is None:
        return []
    found = []
    for place, expression in [
        *_handed_in(made, written, call.definition),
        (made, written),
    ]:
        old = place.source.segment(expression)
        texts, product = [str(value)], ""
        if isinstance(value, int):
            product = written_as(place.source, expression, value, sizes)
            texts = [*_multiplied(expression, old, value, takes), product, *texts]
        for text in dict.fromkeys(texts):
            title = f"`{_with_argument(place, expression, old, text)}`"
            edits = (place.replaced(expression, text),)
            likely = 0.0
            if text == product and text != str(value):
                likely = 1.5 if _other_size(takes, sizes) else 2.8
                likely = 2.0 if _other_channels(takes, sizes) else likely
            says = f"`{text}` fits as `{argument[1]}`"
            group = f"{argument[1]} here"
            found.append(
                Candidate(
                    title, edits, call.layer, group=group, likely=likely, says=says
                )
            )
    return found


def _other_size(takes: int | None, sizes: tuple[int, ...]) -> bool:
    """Whether a layer was made for as many channels of another square size: then
    something before it may be wrong."""
    if takes is None or len(sizes) != 3 or not sizes[0] or takes % sizes[0]:
        return False
    return math.isqrt(takes // sizes[0]) ** 2 == takes // sizes[0]


def _other_channels(takes: int | None, sizes: tuple[int, ...]) -> bool:
    """Whether a layer was made for other channels of the same map: then the layer that
    gives them may be wrong."""
    area = math.prod(sizes[1:])
    return takes is not None and len(sizes) == 3 and area > 0 and takes % area == 0


def _multiplied(
    expression: ast.expr, old: str, value: int, takes: int | None
) -> list[str]:
    """`c * 2` for a `c` that should have been twice as large."""
    if (
        not takes
        or not value
        or not isinstance(expression, (ast.Name, ast.Attribute, ast.Subscript))
    ):
        return []
    if value % takes == 0:
        return [f"{old} * {value // takes}"]
    return [f"{old} // {takes // value}"] if takes % value == 0 else []


def _handed_in(
    made: CallExpression, written: ast.expr, sites: tuple[Site, ...]
) -> list[tuple[CallExpression, ast.expr]]:
    """The calls that hand a number in, outermost first: `conv_block(64, 8)` for the
    `cin` of a helper."""
    found: list[tuple[CallExpression, ast.expr]] = []
    place, expression = made, written
    for site in sites[1:]:
        outer = call_at(site, made.source.texts)
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
    """Position and name of the enclosing function's parameter that an expression is,
    `self` not counted."""
    if not isinstance(expression, ast.Name):
        return None
    node: ast.AST | None = place.node
    while node is not None and not isinstance(node, ast.FunctionDef):
        node = place.source.parents.get(node)
    if node is None:
        return None
    names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return (
        (names.index(expression.id), expression.id) if expression.id in names else None
    )


def _with_argument(place: CallExpression, written: ast.expr, old: str, new: str) -> str:
    """The call's text with one argument exchanged, on one line."""
    if written.lineno != place.node.lineno:
        return " ".join(place.text.split()).replace(old, new, 1)
    line = place.text.encode()
    start = written.col_offset - place.node.col_offset
    return " ".join(
        (line[:start] + new.encode() + line[start + len(old.encode()) :])
        .decode()
        .split()
    )


def _gives(call: Call) -> int | None:
    """The channels or features that a layer gives now."""
    value = call.attributes.get("out_features", call.attributes.get("out_channels"))
    return value if isinstance(value, int) else None


def producer_candidates(
    walked: Walked, trace: Trace, call: Call, takes: int
) -> list[Candidate]:
    """The `out_channels` or `out_features` of the layer whose result arrives, through
    layers that keep them."""
    current = trace.producer(call)
    while current is not None and current.op in _KEEP_CHANNELS:
        current = trace.producer(current)
    if current is None or not current.is_module:
        return []
    name = "out_features" if current.op == "Linear" else "out_channels"
    if current.op != "Linear" and not current.op.startswith("Conv"):
        return []
    return number_candidates(
        current, made_by(walked, current), (1, name), takes, (takes,), _gives(current)
    )
