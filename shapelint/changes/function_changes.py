"""Changes to the arguments of a function or method on the way to a failure: sizes,
dimensions, orders, windows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.arguments import (
    list_written_arguments,
    makes_no_larger,
    may_be_size,
)
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.number_changes import Target, other_numbers, small_numbers_near
from shapelint.changes.orders import reorder_permute
from shapelint.changes.other_dimensions import other_dimensions
from shapelint.changes.other_values import parts_of
from shapelint.changes.upstream_calls import Upstream, single
from shapelint.changes.window_values import POOLING, WINDOW
from shapelint.changes.windows import other_windows
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.ops.record import Dims, Family
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.origins import Place

_MOST_HEADS = 64
"""Numbers of a view up to this may count heads or groups."""


def changes_of_function(
    context: FailureContext, step: Upstream, called: CallExpression
) -> Iterator[Candidate]:
    op = step.call.op
    sites = context.walked.definitions.get(step.call.layer, ())
    pattern = called.argument(1, "pattern")
    if is_patterned(called.name) and isinstance(pattern, ast.Constant):
        for word in called.node.keywords:
            place = Place(called.source, word.value, (), sites)
            yield from small_numbers_near(context, step, place)
        return
    if op == "permute":
        yield from reorder_permute(step.call, called, step.closeness)
    if not _may_take_sizes(op):
        return
    for position, (name, node) in enumerate(list_written_arguments(called)):
        place = Place(called.source, node, (), sites)
        yield from _changes_of_argument(context, step, place, position, name)


def _changes_of_argument(
    context: FailureContext, step: Upstream, place: Place, position: int, name: str
) -> Iterator[Candidate]:
    """Change one argument. `name` is empty if it is positional."""
    op = step.call.op
    if ops.is_of(op, Family.POOLING):
        window = name or dict(enumerate(POOLING)).get(position, "")
        if window in WINDOW:
            yield from other_windows(context, step, place, window)
            return
    if ops.of(op).dims is Dims.NONE:
        if may_be_size(place.node):
            yield from _changes_of_sizes(context, step, place, position)
        return
    yield from other_dimensions(context, step, place)
    # `x.chunk(3, 1)`: the parts may be wrong as well as the dimension
    if ops.is_of(op, Family.SPLITTING):
        yield from small_numbers_near(context, step, place)


def is_patterned(name: str) -> bool:
    """Whether a function or layer belongs to einops. Its keywords are lengths of
    axes."""
    return ops.is_of(f"einops.{name.lower()}", Family.EINOPS)


def _may_take_sizes(op: str) -> bool:
    """Whether a number passed to a function may be a size or a dimension that
    determines the result's shape."""
    if ops.keeps_shape(op) or op in ("getitem", "permute"):
        return False
    return not ops.is_of(op, Family.ELEMENTWISE, Family.RESAMPLING)


def _changes_of_sizes(
    context: FailureContext, step: Upstream, place: Place, position: int
) -> Iterator[Candidate]:
    """Change the sizes of a view or similar. Their present values are known from the
    run."""
    call = step.call
    likely = step.closeness
    is_failing = step.distance == 0
    likely += weights.VIEW_OF_FAILING if is_failing else weights.VIEW_UPSTREAM
    is_pooling = ops.is_of(call.op, Family.POOLING)
    values = _given_values(call)
    nodes = parts_of(place.node)
    for index, node in enumerate(nodes):
        at = index if len(nodes) > 1 else position
        value = single(values[at]) if at < len(values) else None
        target = Target(replace(place, node=node), call.layer, likely)
        for each in _changes_of_one(context, step, target, value):
            if not is_pooling or makes_no_larger(call, each):
                yield each


def _given_values(call: Call) -> tuple[object, ...]:
    """The arguments of a function. A single shape is split into its sizes."""
    values: tuple[object, ...] = call.args[1:] if call.is_method else call.args
    if len(values) == 1 and isinstance(values[0], (list, tuple)):
        return tuple(values[0])
    return values


def _changes_of_one(
    context: FailureContext, step: Upstream, target: Target, value: int | None
) -> Iterator[Candidate]:
    """Other values for one size of a view or similar."""
    yield from other_numbers(context, target, value)
    if value is None or value <= 0:
        return
    is_named = isinstance(target.place.node, (ast.Name, ast.Attribute))
    if is_named and 1 < value <= _MOST_HEADS:
        more = weights.VIEW_SMALL
        yield from small_numbers_near(context, step, target.place, more)
    if ops.of(step.call.op).regroups:
        yield target.write("-1", target.likely - weights.VIEW_INFERRED)
