"""Changes where a layer is called or made: to its input, or by another keyword."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.operands import (
    FormKind,
    find_operands,
    rewrite_operand,
    rewrite_operands,
)
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.facts.places import Position
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression


def rewrite_layer_input(walked: Walked, call: Call, takes: int) -> list[Candidate]:
    """Transpose or flatten the input so that its last dimension is the one that the
    layer requires."""

    def is_fitting(shapes: list[Shape]) -> bool:
        return bool(shapes[0]) and shapes[0][-1] == takes

    # flattens and dimensions of one have candidates of their own where a layer is called
    without = frozenset({FormKind.FLATTEN, FormKind.ONE})
    return list(rewrite_operands(walked, call, is_fitting, without))


def add_keyword(
    made: CallExpression, name: str, value: str, layer: str
) -> Iterator[Candidate]:
    """Add a keyword that is not written yet: `batch_first=True`."""
    written = [word for word in made.node.keywords if word.arg == name]
    if written or not (made.node.args or made.node.keywords):
        return
    end = made.source.span(made.node)
    before_bracket = Position(end.end_line or end.line, (end.end_column or 2) - 1)
    comma = "" if made.text.rstrip(")").rstrip().endswith(",") else ", "
    text = f"{name}={value}"
    edit = Edit(made.source.file, before_bracket, before_bracket, f"{comma}{text}")
    yield Candidate(
        f"`{made.callee}(..., {text})`",
        (edit,),
        layer,
        group=name,
        likely=weights.KEYWORD_ADDED,
        says=f"`{text}` fits",
    )


def cast_operand(
    walked: Walked, call: Call, position: int, method: str
) -> list[Candidate]:
    """Cast one operand to another dtype: `ids.long()`."""
    known = find_operands(walked, call)
    if position >= len(known):
        return []
    operand = known[position]
    text = f"{operand.text}{method}"
    return [rewrite_operand(operand, text, call.layer, weights.CAST)]
