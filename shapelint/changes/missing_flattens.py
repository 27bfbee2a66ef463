"""Inserts a missing flatten: before a layer, after a call, or before a transpose."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.text_at_place import group_of
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.edits import replacement
from shapelint.syntax.products import write_product

MISSING_HERE = "a flatten is missing here"

TWO_MISTAKES = "a flatten is missing, and the number is another"
"""The explanation if the map would not fit even after a flatten."""


def missing_flatten(walked: Walked, call: Call, takes: int) -> list[Candidate]:
    """Write `x.flatten(1)` where the layer is called, if that gives the required
    features."""
    shape = call.input.shape if call.input is not None else ()
    if len(shape) < 3 or math.prod(shape[1:]) != takes:
        return []
    inserted = _flatten_layer(walked, call)
    if inserted is not None:
        says = "a flatten is missing before this"
        return [_candidate(call, *inserted, says, weights.FLATTEN_LAYER)]
    written = _flatten_operand(walked, call)
    if written is None:
        return []
    return [_candidate(call, *written, MISSING_HERE, weights.FLATTEN_AT_CALL)]


def _candidate(
    call: Call, edit: Edit, title: str, says: str, likely: float
) -> Candidate:
    return Candidate(title, (edit,), call.layer, "flatten", likely=likely, says=says)


def flatten_and_number(
    walked: Walked, trace: Trace, call: Call, made: CallExpression | None, takes: int
) -> list[Candidate]:
    """Insert a flatten and change `in_features`, if a feature map comes directly from a
    convolution."""
    shape = call.input.shape if call.input is not None else ()
    features = math.prod(shape[1:])
    if len(shape) != 4 or features == takes or not _is_feature_map(trace, call):
        return []
    written = made.argument(0, "in_features") if made is not None else None
    if made is None or written is None:
        return []
    text = write_product(made.source, written, features, shape[1:])
    shown = made.text.replace(made.source.segment(written), text, 1)
    inserted, title = _flatten_layer(walked, call), "`nn.Flatten()`"
    if inserted is None:
        inserted = _flatten_operand(walked, call)
        if inserted is None:
            return []
        title = inserted[1]
    both = Candidate(
        f"{title} and `{shown}`",
        (inserted[0], made.replace_node(written, text)),
        call.layer,
        "flatten",
        likely=weights.FLATTEN_AND_NUMBER,
        says=TWO_MISTAKES,
        kind=ChangeKind.FLATTEN_AND_NUMBER,
    )
    return [both]


def _is_feature_map(trace: Trace, call: Call) -> bool:
    """Whether the input has its channels in front, because it comes from a convolution
    or pooling, possibly through an activation."""
    current = trace.producer(call)
    while current is not None:
        if ops.is_of(current.op, Family.CONVOLUTION, Family.POOLING):
            return True
        if ops.is_of(current.op, Family.NORMALISATION) and _is_of_maps(current.op):
            return True
        if not ops.keeps_shape(current.op):
            return False
        current = trace.producer(current)
    return False


def _is_of_maps(op: str) -> bool:
    """Whether a layer works on maps of two or more dimensions, such as
    `BatchNorm2d`."""
    return (ops.spatial_dims(op) or 0) >= 2


def _flatten_operand(walked: Walked, call: Call) -> tuple[Edit, str] | None:
    """The edit that adds `.flatten(1)` to a layer's argument, and its text."""
    expression = call_at(call.site, walked.texts)
    operand = expression.argument(0, "input") if expression is not None else None
    if expression is None or operand is None:
        return None
    text = f"{expression.source.segment(operand)}.flatten(1)"
    return expression.replace_node(operand, text), f"`{text}`"


def _flatten_layer(walked: Walked, call: Call) -> tuple[Edit, str] | None:
    """The edit that inserts `nn.Flatten()` before a layer in a Sequential, and its
    text."""
    made = layer_call(call.definition, call.module_class, walked.texts)
    parent = made.source.parents.get(made.node) if made is not None else None
    if made is None or not isinstance(parent, ast.Call) or made.node not in parent.args:
        return None
    is_sequential = made.source.segment(parent.func).endswith("Sequential")
    # a class that was imported by its name alone has no prefix to give to Flatten
    if not is_sequential or not made.prefix:
        return None
    layer = f"{made.prefix}Flatten()"
    start = replacement(made.source, made.node, "").start
    edit = Edit(made.source.file, start, start, f"{layer}, ")
    return edit, f"`{layer}` before `{made.text}`"


# -- upstream ----------------------------------------------------------------------------


def flatten_after(
    call: Call, called: CallExpression, closeness: float
) -> Iterator[Candidate]:
    """Flatten the feature map that a call returns."""
    rank = len(call.output.shape) if call.output is not None else 0
    starts = {3: (1,), 4: (1, 2)}.get(min(rank, 4), ())
    for start in starts:
        text = f"{' '.join(called.text.split())}.flatten({start})"
        far = weights.FLATTEN_START_EACH * start
        likely = closeness + weights.FLATTEN_AFTER_CALL - far
        edit = replacement(called.source, called.node, text)
        yield _upstream(call, edit, f"`{text}`", likely)


def flatten_before_transpose(
    call: Call, called: CallExpression, closeness: float
) -> Iterator[Candidate]:
    """Write `x.flatten(2).transpose(1, 2)` for a feature map: positions behind
    channels, as in sequences."""
    func = called.node.func
    if not call.is_method or not isinstance(func, ast.Attribute):
        return
    if not call.inputs or len(call.inputs[0].shape) != 4:
        return
    text = f"{called.source.segment(func.value)}.flatten(2)"
    edit = replacement(called.source, func.value, text)
    title = f"`{text}.{called.name}(...)`"
    yield _upstream(call, edit, title, closeness + weights.FLATTEN_BEFORE_TURN)


def _upstream(call: Call, edit: Edit, title: str, likely: float) -> Candidate:
    group = group_of(edit)
    return Candidate(
        title, (edit,), call.layer, group, likely=likely, says=MISSING_HERE
    )
