"""SHP107."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.heads import SAME_SHAPE, pooled_before
from shapelint.changes.other_inputs import input_candidates
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Shape, Trace, Walked
from shapelint.facts.places import Position
from shapelint.ops import mismatches as rearranging
from shapelint.ops.reshaping import wanted_sizes
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.edits import replacement
from shapelint.syntax.products import written_as
from shapelint.syntax.walked_calls import (
    at_call,
    call_expression,
    failed_calls,
    located,
    made_by,
    shape_text,
    subject,
)

OPS = (
    "view",
    "reshape",
    "unflatten",
    "expand",
    "flatten",
    "view_as",
    "reshape_as",
    "expand_as",
)


class ReshapeSizeMismatch(Rule):
    """
    ## What it does
    Finds `view`, `reshape`, `flatten`, `unflatten` and `expand` to sizes that the
    tensor does not have, `view` of memory that is not contiguous, and splits, indices,
    pixel shuffles and folds that do not fit.

    ## Why is this bad?
    The forward raises. A `view(-1, 8192)` was written for one image size and meets
    another; where the numbers happen to divide it does worse and folds pixels into the
    batch.

    ## Fix
    Say what stays: `flatten(1)` or `x.view(x.size(0), -1)`. After `permute` or
    `transpose`: `reshape`."""

    code = "SHP107"
    name = "reshape-size-mismatch"
    supersedes = ("SHP119",)
    follows = ("SHP111",)
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.conv(x).view(-1, 8 * 20 * 20)
""",
        ("2,3,16,16",),
        raises="RuntimeError: shape '[-1, 3200]' is invalid for input of size 4096",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.conv(x).flatten(1)
""",
        ("2,3,16,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        yield from self._rearranged(walked)
        for trace, call in failed_calls(walked, *OPS):
            failure = call.failure
            assert failure is not None
            if not failure.tensors:
                continue
            shape = failure.tensors[0].shape
            wanted = _wanted(failure)
            contiguity = (
                failure.op in ("view", "view_as")
                and wanted is not None
                and _fits(shape, wanted)
            )
            if contiguity:
                message = (
                    f"{subject(call)} of {shape_text(shape)} needs contiguous memory"
                )
                label = "permuted or expanded before; `.reshape()` copies where it must"
            else:
                message = f"{subject(call)} cannot make {_text(failure, wanted)} of {shape_text(shape)}"
                label = _counted(failure, shape, wanted)
            diagnostic = replace(
                self.diagnostic(message),
                label=label,
                expected=shape_text(wanted) if wanted else None,
                found=shape_text(shape),
            )
            candidates = [
                *_with_its_layer(walked, trace, call),
                *_candidates(walked, call, contiguity),
                *input_candidates(walked, trace),
            ]
            diagnostic = (
                located(diagnostic, walked, trace, call)
                if call.is_module
                else at_call(diagnostic, walked, trace, call)
            )
            yield Finding(diagnostic, trace.mode, call.index, tuple(candidates))

    def _rearranged(self, walked: Walked) -> Iterator[Finding]:
        """Splits, indices, pixel shuffles, folds."""
        for trace, call in failed_calls(walked, *rearranging.OPS):
            found = rearranging.told(call)
            if found is None:
                continue
            assert call.failure is not None
            shape = shape_text(call.failure.tensors[0].shape)
            diagnostic = replace(self.diagnostic(found[0]), label=found[1], found=shape)
            is_layer = call.is_module
            placed = (
                located(diagnostic, walked, trace, call)
                if is_layer
                else at_call(diagnostic, walked, trace, call)
            )
            yield Finding(
                placed, trace.mode, call.index, tuple(input_candidates(walked, trace))
            )


def _wanted(failure: Failure) -> Shape | None:
    if failure.op in ("view_as", "reshape_as", "expand_as"):
        return failure.tensors[1].shape if len(failure.tensors) > 1 else None
    if failure.op in ("view", "reshape", "expand"):
        try:
            return wanted_sizes(failure)
        except (TypeError, ValueError):
            return None
    return None


def _text(failure: Failure, wanted: Shape | None) -> str:
    if wanted is not None:
        return shape_text(wanted)
    if failure.op == "unflatten":
        sizes = failure.arg(2, "sizes")
        text = (
            shape_text(tuple(sizes)) if isinstance(sizes, (list, tuple)) else str(sizes)
        )
        return f"{text} of dimension {failure.arg(1, 'dim')}"
    return "that"


def _fits(shape: Shape, wanted: Shape) -> bool:
    known = math.prod(size for size in wanted if size != -1)
    total = math.prod(shape)
    return known != 0 and (total % known == 0 if -1 in wanted else total == known)


def _counted(failure: Failure, shape: Shape, wanted: Shape | None) -> str:
    total = math.prod(shape)
    if wanted is None or failure.op == "expand":
        return failure.message
    known = math.prod(size for size in wanted if size != -1)
    if -1 in wanted:
        return f"{total} elements are no multiple of {known}"
    return f"{total} elements, not {known}"


def _candidates(walked: Walked, call: Call, contiguity: bool) -> list[Candidate]:
    expression = call_expression(walked, call)
    if (
        expression is None
        or not isinstance(expression.node.func, ast.Attribute)
        or not call.is_method
    ):
        return []
    if contiguity:
        return [_reshaped(expression)]
    assert call.failure is not None
    if call.failure.op == "expand":
        return _expanded(expression, call)
    return (
        _batch_kept(expression, call) if call.failure.op in ("view", "reshape") else []
    )


def _expanded(expression: CallExpression, call: Call) -> list[Candidate]:
    """`expand(n, -1)` with a -1 for each dimension it leaves out."""
    args, rank = expression.node.args, len(call.inputs[0].shape) if call.inputs else 0
    missing = rank - len(args)
    if (
        missing < 1
        or not args
        or any(isinstance(arg, (ast.Starred, ast.Tuple, ast.List)) for arg in args)
    ):
        return []
    text = expression.source.segment(args[-1]) + ", -1" * missing
    shown = expression.text.replace(
        f"{expression.source.segment(args[-1])})", f"{text})"
    )
    return [
        Candidate(
            f"`{' '.join(shown.split())}`",
            (expression.replaced(args[-1], text),),
            call.layer,
            likely=3.0,
        )
    ]


def _with_its_layer(walked: Walked, trace: Trace, call: Call) -> list[Candidate]:
    """`view(-1, 4096)` before `nn.Linear(4096, ...)`: a pooling to the old size, or
    both numbers at once."""
    expression, shape = (
        call_expression(walked, call),
        call.inputs[0].shape if call.inputs else (),
    )
    if (
        expression is None
        or len(shape) < 3
        or not isinstance(expression.node.func, ast.Attribute)
    ):
        return []
    layer = next(
        (
            other
            for other in trace.calls
            if call.index in other.producers and other.op not in SAME_SHAPE
        ),
        None,
    )
    takes = layer.attributes.get("in_features") if layer is not None else None
    wanted = _wanted(call.failure) if call.failure is not None else None
    features = math.prod(shape[1:])
    if (
        layer is None
        or wanted is None
        or takes != wanted[-1]
        or features == takes
        or len(wanted) != 2
    ):
        return []
    found = pooled_before(call, expression, takes)
    made = made_by(walked, layer)
    written = made.argument(0, "in_features") if made is not None else None
    if made is None or written is None or len(expression.node.args) != 2:
        return found
    text = written_as(made.source, written, features, shape[1:])
    layer_text = made.text.replace(made.source.segment(written), text, 1)
    number = expression.node.args[1]
    inside = written_as(expression.source, number, features, shape[1:])
    view = expression.text.replace(expression.source.segment(number), inside, 1)
    flat = f"{expression.source.segment(expression.node.func.value)}.flatten(1)"
    for title, edit, likely in (
        (view, expression.replaced(number, inside), 2.4),
        (flat, replacement(expression.source, expression.node, flat), 2.2),
    ):
        edits = (edit, made.replaced(written, text))
        says = "written for another size"
        found.append(
            Candidate(
                f"`{title}` and `{layer_text}`",
                edits,
                layer.layer,
                f"both {title}",
                likely=likely,
                says=says,
            )
        )
    return found


def _reshaped(expression: CallExpression) -> Candidate:
    func = expression.node.func
    span = expression.source.span(func)
    end = Position(span.end_line or span.line, span.end_column or 1)
    start = Position(end.line, end.column - len(expression.name))
    edit = Edit(expression.source.file, start, end, "reshape")
    return Candidate(
        "`.reshape(...)` in place of `.view(...)`",
        (edit,),
        likely=4.0,
        says="`reshape` copies where it must",
    )


def _batch_kept(expression: CallExpression, call: Call) -> list[Candidate]:
    """`view(-1, n)` of a batch: `flatten(1)`, or the number that fits."""
    args = expression.node.args
    assert call.failure is not None
    shape = call.failure.tensors[0].shape
    if len(args) != 2 or len(shape) < 2:
        return []
    found = []
    features = math.prod(shape[1:])
    if isinstance(expression.node.func, ast.Attribute):
        owner = expression.source.segment(expression.node.func.value)
        edit = replacement(expression.source, expression.node, f"{owner}.flatten(1)")
        found.append(Candidate(f"`{owner}.flatten(1)`", (edit,), group="flatten"))
    text = written_as(expression.source, args[1], features, shape[1:])
    title = f"`{text}` in place of `{expression.source.segment(args[1])}`"
    found.append(
        Candidate(title, (expression.replaced(args[1], text),), group="number")
    )
    return found
