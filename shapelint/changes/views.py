"""Changes to a `view`, `reshape` or `expand` whose sizes do not fit."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.heads import pool_before_view
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.places import Position
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.families.reshaping import read_target_shape
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.products import write_product
from shapelint.syntax.walked_calls import call_expression, find_constructor_call


def use_reshape(walked: Walked, call: Call) -> Iterator[Candidate]:
    """Write `.reshape(...)` instead of `.view(...)`. It copies memory that is not
    contiguous."""
    view = _find_method(walked, call)
    if view is None:
        return
    span = view.call.source.span(view.func)
    end = Position(span.end_line or span.line, span.end_column or 1)
    start = Position(end.line, end.column - len(view.call.name))
    edit = Edit(view.call.source.file, start, end, "reshape")
    yield Candidate(
        "`.reshape(...)` instead of `.view(...)`",
        (edit,),
        likely=weights.USE_RESHAPE,
        says="`reshape` copies if it must",
    )


def ask_other_shape(walked: Walked, call: Call) -> Iterator[Candidate]:
    """Change the sizes to some that the elements fill."""
    view = _find_method(walked, call)
    if view is None or call.failure is None:
        return
    if call.failure.op == "expand":
        yield from _expand_all(view, call)
    elif ops.of(call.failure.op).flattens:
        yield from _keep_batch(view, call)


def change_with_layer(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """For `view(-1, 4096)` before `nn.Linear(4096, ...)`: pool to the old size, or
    change both numbers at once."""
    view = _find_attribute(walked, call)
    shape = call.inputs[0].shape if call.inputs else ()
    layer = _find_consumer(trace, call)
    wanted = read_target_shape(call.failure) if call.failure is not None else None
    if view is None or layer is None or wanted is None or len(shape) < 3:
        return
    takes = layer.attributes.get("in_features")
    features = math.prod(shape[1:])
    is_written_for_layer = len(wanted) == 2 and wanted[-1] == takes
    if takes is None or not is_written_for_layer or features == takes:
        return
    yield from pool_before_view(call, view.call, takes)
    made = find_constructor_call(walked, layer)
    if made is not None:
        yield from _both_numbers(view, made, layer, shape[1:])


def _both_numbers(
    view: _Method, made: CallExpression, layer: Call, sizes: Shape
) -> Iterator[Candidate]:
    """Change the number of a view and that of the layer after it, for samples with
    other `sizes`."""
    written, arguments = made.argument(0, "in_features"), view.call.node.args
    if written is None or len(arguments) != 2:
        return
    features = math.prod(sizes)
    text = write_product(made.source, written, features, sizes)
    layer_text = made.text.replace(made.source.segment(written), text, 1)
    source, number = view.call.source, arguments[1]
    inside = write_product(source, number, features, sizes)
    shown = view.call.text.replace(source.segment(number), inside, 1)
    for title, edit, likely in (
        (
            shown,
            view.call.replace_node(number, inside),
            weights.NUMBERS_OF_VIEW_AND_LAYER,
        ),
        (view.flattened, view.flatten(), weights.FLATTEN_FOR_VIEW_AND_LAYER),
    ):
        yield Candidate(
            f"`{title}` and `{layer_text}`",
            (edit, made.replace_node(written, text)),
            layer.layer,
            f"both {title}",
            likely=likely,
            says="this was written for another input size",
        )


@dataclass(frozen=True)
class _Method:
    """A method call in the user's source: `x.view(-1, 8192)`."""

    call: CallExpression
    func: ast.Attribute

    @property
    def owner(self) -> str:
        """The expression on which the method is called."""
        return self.call.source.segment(self.func.value)

    @property
    def flattened(self) -> str:
        """The owner with a flatten instead: `x.flatten(1)`."""
        return f"{self.owner}.flatten(1)"

    def flatten(self) -> Edit:
        """The edit that writes the flatten in place of the call."""
        return self.call.replace_node(self.call.node, self.flattened)


def _find_attribute(walked: Walked, call: Call) -> _Method | None:
    """A call written with a dot: a method, or `torch.reshape`."""
    expression = call_expression(walked, call)
    func = expression.node.func if expression is not None else None
    if expression is None or not isinstance(func, ast.Attribute):
        return None
    return _Method(expression, func)


def _find_method(walked: Walked, call: Call) -> _Method | None:
    return _find_attribute(walked, call) if call.is_method else None


def _find_consumer(trace: Trace, call: Call) -> Call | None:
    """The first call that uses a view's result and does not just keep its shape."""
    for other in trace.calls:
        if call.index in other.producers and not ops.keeps_shape(other.op):
            return other
    return None


def _expand_all(view: _Method, call: Call) -> Iterator[Candidate]:
    """Write `expand(n, -1)` with a -1 for each dimension that was left out."""
    expression, arguments = view.call, view.call.node.args
    rank = len(call.inputs[0].shape) if call.inputs else 0
    missing = rank - len(arguments)
    unclear = (ast.Starred, ast.Tuple, ast.List)
    is_plain = not any(isinstance(each, unclear) for each in arguments)
    if missing < 1 or not arguments or not is_plain:
        return
    last = arguments[-1]
    old = expression.source.segment(last)
    new = old + ", -1" * missing
    shown = " ".join(expression.text.replace(f"{old})", f"{new})").split())
    edits = (expression.replace_node(last, new),)
    yield Candidate(f"`{shown}`", edits, call.layer, likely=weights.EXPAND_ALL)


def _keep_batch(view: _Method, call: Call) -> Iterator[Candidate]:
    """For `view(-1, n)` of a batch: `flatten(1)`, or the number that fits."""
    assert call.failure is not None
    expression, arguments = view.call, view.call.node.args
    shape = call.failure.tensors[0].shape
    if len(arguments) != 2 or len(shape) < 2:
        return
    source = expression.source
    yield Candidate(f"`{view.flattened}`", (view.flatten(),), group="flatten")
    old = arguments[1]
    text = write_product(source, old, math.prod(shape[1:]), shape[1:])
    title = f"`{text}` instead of `{source.segment(old)}`"
    yield Candidate(title, (expression.replace_node(old, text),), group="number")
