"""Replaces the number at a layer's definition by the one that arrives."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from shapelint import ops
from shapelint.changes import weights
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.places import Site
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.products import write_product
from shapelint.syntax.walked_calls import find_constructor_call


def number_candidates(
    call: Call,
    made: CallExpression | None,
    argument: tuple[int, str],
    value: int | str,
    sizes: tuple[int, ...],
    takes: int | None = None,
) -> list[Candidate]:
    """Rewrite the argument (position and name) in the form of the old one.

    `takes` is its present value. If a name is written, it is multiplied, so that every
    layer made there follows. If it is a parameter of a helper function or of a block's
    `__init__`, the number is changed where the helper is called, and in the helper
    itself only if that works too."""
    written = made.argument(*argument) if made is not None else None
    if made is None or written is None:
        return []
    # the outermost of them alone
    handed_in = list(callers_of(made, written, call.definition))[-1:]
    found = []
    for place, node in (*handed_in, (made, written)):
        product = ""
        if isinstance(value, int):
            product = write_product(place.source, node, value, sizes)
        for text in _texts_for(place, node, value, product, takes):
            is_product = text == product and text != str(value)
            likely = _likely_product(takes, sizes) if is_product else 0.0
            found.append(_write_number(call, place, node, argument[1], text, likely))
    return found


def _write_number(
    call: Call,
    place: CallExpression,
    node: ast.expr,
    name: str,
    text: str,
    likely: float,
) -> Candidate:
    return Candidate(
        f"`{_with_argument(place, node, text)}`",
        (place.replace_node(node, text),),
        call.layer,
        group=f"{name} here",
        likely=likely,
        says=f"`{text}` fits as `{name}`",
    )


def _texts_for(
    place: CallExpression,
    node: ast.expr,
    value: int | str,
    product: str,
    takes: int | None,
) -> list[str]:
    """The ways to write the value, without repetition: as a multiple of the present
    name, as a product, as a number."""
    texts = [str(value)]
    if isinstance(value, int):
        old = place.source.segment(node)
        texts = [*_write_multiple(node, old, value, takes), product, *texts]
    return list(dict.fromkeys(texts))


def _write_multiple(
    node: ast.expr, old: str, value: int, takes: int | None
) -> list[str]:
    """Write `c * 2` for a `c` that is half of what it should be."""
    is_named = isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))
    if not takes or not value or not is_named:
        return []
    if value % takes == 0:
        return [f"{old} * {value // takes}"]
    return [f"{old} // {takes // value}"] if takes % value == 0 else []


def _likely_product(takes: int | None, sizes: tuple[int, ...]) -> float:
    """How plausible it is that a product is wrong, by the sizes of its new factors."""
    if takes is None or len(sizes) != 3:
        return weights.NUMBER_AS_PRODUCT
    channels, area = sizes[0], math.prod(sizes[1:])
    if area > 0 and takes % area == 0:
        return weights.NUMBER_AS_PRODUCT_OF_OTHER_CHANNELS
    if channels and takes % channels == 0 and _is_square(takes // channels):
        return weights.NUMBER_AS_PRODUCT_OF_OTHER_SIZE
    return weights.NUMBER_AS_PRODUCT


def _is_square(area: int) -> bool:
    return math.isqrt(area) ** 2 == area


def callers_of(
    made: CallExpression, written: ast.expr, sites: tuple[Site, ...]
) -> Iterator[tuple[CallExpression, ast.expr]]:
    """The calls further out that hand a number in, and their arguments, innermost
    first: `conv_block(64, 8)` for the `cin` of a helper."""
    place, node = made, written
    for site in sites[1:]:
        outer = call_at(site, made.source.texts)
        parameter = find_parameter(place, node)
        if outer is None or parameter is None:
            return
        handed_in = outer.argument(*parameter)
        if handed_in is None:
            return
        place, node = outer, handed_in
        yield place, node


def find_parameter(place: CallExpression, node: ast.expr) -> tuple[int, str] | None:
    """The position and name of the enclosing function's parameter that an expression
    refers to, not counting `self`."""
    if not isinstance(node, ast.Name):
        return None
    function: ast.AST | None = place.node
    while function is not None and not isinstance(function, ast.FunctionDef):
        function = place.source.parents.get(function)
    if function is None:
        return None
    arguments = [*function.args.posonlyargs, *function.args.args]
    names = [argument.arg for argument in arguments]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    return (names.index(node.id), node.id) if node.id in names else None


def _with_argument(place: CallExpression, written: ast.expr, new: str) -> str:
    """The text of a call with one argument replaced, on one line."""
    old = place.source.segment(written)
    if written.lineno != place.node.lineno:
        return " ".join(place.text.split()).replace(old, new, 1)
    # columns count bytes
    line = place.text.encode()
    start = written.col_offset - place.node.col_offset
    end = start + len(old.encode())
    text = (line[:start] + new.encode() + line[end:]).decode()
    return " ".join(text.split())


def producer_candidates(
    walked: Walked, trace: Trace, call: Call, takes: int
) -> list[Candidate]:
    """Change the `out_channels` or `out_features` of the layer whose result arrives,
    possibly through layers that keep them."""
    current = trace.producer(call)
    while current is not None and ops.keeps_channels(current.op):
        current = trace.producer(current)
    if current is None or not current.is_module:
        return []
    op = ops.of(current.op)
    is_width = op.family in (Family.LINEAR, Family.CONVOLUTION)
    if not is_width or not op.gives:
        return []
    made = find_constructor_call(walked, current)
    argument = (op.arguments.index(op.gives[0]), op.gives[0])
    gives = _find_given_size(current)
    return number_candidates(current, made, argument, takes, (takes,), gives)


def _find_given_size(call: Call) -> int | None:
    """The channels or features of a layer's result."""
    value = call.attributes.get("out_features", call.attributes.get("out_channels"))
    return value if isinstance(value, int) else None
