"""Every change upstream of a failure: each number, order and call on the way, with
other values for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.arguments import (
    list_written_arguments,
    makes_no_larger,
    may_be_size,
)
from shapelint.changes.failed_sizes import Aspect
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.function_changes import changes_of_function, is_patterned
from shapelint.changes.made_tensors import find_tensor_sizes, resize_square
from shapelint.changes.missing_flattens import flatten_after, flatten_before_transpose
from shapelint.changes.number_changes import Target, other_numbers, small_numbers_near
from shapelint.changes.orders import flip_flag, swap_neighbours
from shapelint.changes.other_dimensions import other_dimensions
from shapelint.changes.other_values import constant
from shapelint.changes.statement_changes import changes_of_statement
from shapelint.changes.upstream_calls import Upstream, arguments, single
from shapelint.changes.window_values import WINDOW
from shapelint.changes.windows import add_window_arguments, other_windows
from shapelint.facts.findings import Candidate
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.origins import Place, origins, place_of_argument
from shapelint.syntax.walked_calls import definition_of

_DIM_NAMES = ("start_dim", "end_dim", "dim")
_FLAGS = ("bidirectional", "batch_first")

_NOT_SIZES = {
    *("bias", "p", "inplace", "eps", "momentum", "affine", "dropout", "mode"),
    *("padding_idx", "device", "dtype"),
}
"""Arguments that are not sizes, whatever layer they belong to."""


def changes_upstream(context: FailureContext) -> list[Candidate]:
    """Each change once, the most plausible first."""
    found: dict[object, Candidate] = {}
    for each in _all_changes(context):
        known = found.get(each.edits)
        if known is None or known.likely < each.likely:
            found[each.edits] = each
    return sorted(found.values(), key=lambda item: -item.likely)


def _all_changes(context: FailureContext) -> Iterator[Candidate]:
    yield from changes_of_statement(context)
    for step in context.upstream:
        yield from _changes_at(context, step)


# -- a call on the way -------------------------------------------------------------------


def _changes_at(context: FailureContext, step: Upstream) -> Iterator[Candidate]:
    call, closeness = step.call, step.closeness
    if step.made is not None:
        yield from _changes_of_layer(context, step, step.made)
        yield from _swaps(context, step, step.made)
    if step.wrapper is not None:
        yield from _changes_of_wrapper(context, step, step.wrapper)
        yield from _swaps(context, step, step.wrapper)
    if step.called is not None:
        if not call.is_module:
            yield from changes_of_function(context, step, step.called)
        yield from _flattens(context, step, step.called)
    if _often_gets_own_table(call.op):
        for fact in call.inputs:
            if fact.name:
                yield from _changes_of_table(context, fact.name, closeness)


def _swaps(
    context: FailureContext, step: Upstream, made: CallExpression
) -> Iterator[Candidate]:
    """Swap a layer with its neighbour. Only tried close to the failure, where the order
    matters."""
    if step.distance <= 1:
        yield from swap_neighbours(context.trace, made, step.closeness)


def _flattens(
    context: FailureContext, step: Upstream, called: CallExpression
) -> Iterator[Candidate]:
    """Insert a flatten after a call, or before a transpose."""
    call, closeness = step.call, step.closeness
    is_just_before = call is not context.call and step.distance <= 3
    if is_just_before:
        yield from flatten_after(call, called, closeness)
    if ops.is_of(call.op, Family.TRANSPOSING):
        if context.has_other_ranks:
            closeness += weights.FLATTEN_EXPLAINS_RANK
        yield from flatten_before_transpose(call, called, closeness)


def _changes_of_layer(
    context: FailureContext, step: Upstream, made: CallExpression
) -> Iterator[Candidate]:
    """Change the arguments of one of torch's layers, or add arguments that are left
    out."""
    sites, _ = definition_of(context.walked, step.call)
    if context.aspect is not Aspect.CHANNELS and "Conv" in made.name:
        yield from add_window_arguments(context, step, made)
    for name, node in arguments(made):
        place = place_of_argument(made, node, sites)
        if name in WINDOW:
            yield from other_windows(context, step, place, name)
        elif name in ops.list_count_arguments() or is_patterned(made.name):
            yield from small_numbers_near(context, step, place)
        elif name in _DIM_NAMES:
            yield from other_dimensions(context, step, place)
        elif name in _FLAGS:
            yield from flip_flag(place, name, step.call.layer, step.closeness)
        elif name not in _NOT_SIZES and not _is_only_given(context, step, name, node):
            yield from _changes_of_size(context, step, place, name)


def _is_only_given(
    context: FailureContext, step: Upstream, name: str, node: ast.expr
) -> bool:
    """Whether a number sets what the failing layer gives, and nothing else in the
    model: another one fails in the same way."""
    call = step.call
    if call is not context.call or not isinstance(node, ast.Constant):
        return False
    if not ops.is_of(call.op, Family.LINEAR, Family.CONVOLUTION):
        return False
    op = ops.of(call.op)
    if name not in op.gives or name in op.takes:
        return False
    layers = {each.layer for each in context.trace.calls if each.is_module}
    made_here = {
        each.layer
        for each in context.trace.calls
        if each.definition[:1] == call.definition[:1]
    }
    return made_here <= {call.layer} and call.layer in layers


def _changes_of_size(
    context: FailureContext, step: Upstream, place: Place, name: str
) -> Iterator[Candidate]:
    """Change a size of a layer: any size of the failing layer, and the output sizes of
    the others."""
    call = step.call
    is_failing = call is context.call
    if not is_failing and name not in ops.list_output_arguments():
        return
    likely = step.closeness
    likely += weights.ARGUMENT_OF_FAILING if is_failing else weights.ARGUMENT_THAT_GIVES
    if context.aspect is Aspect.SPATIAL:
        likely -= weights.NUMBER_FOR_SPATIAL
    target = Target(place, call.layer, likely, name)
    for each in other_numbers(context, target, single(call.attributes.get(name))):
        if name != "output_size" or makes_no_larger(call, each):
            yield each


def _changes_of_wrapper(
    context: FailureContext, step: Upstream, made: CallExpression
) -> Iterator[Candidate]:
    """Change the arguments of a class or function of another name that makes the
    layer."""
    sites, _ = definition_of(context.walked, step.call)
    for name, node in list_written_arguments(made):
        if name in _NOT_SIZES or not may_be_size(node):
            continue
        place = place_of_argument(made, node, sites)
        if name in WINDOW:
            yield from other_windows(context, step, place, name)
        elif name in ops.list_count_arguments():
            yield from small_numbers_near(context, step, place)
        else:
            yield from _changes_of_wrapped_size(context, step, place, name)


def _changes_of_wrapped_size(
    context: FailureContext, step: Upstream, place: Place, name: str
) -> Iterator[Candidate]:
    """Change an argument that may set a size of the layer: any size of the failing
    layer, and possible output sizes of the others."""
    call = step.call
    is_failing = call is context.call
    value = single(call.attributes.get(name))
    # by position it can be anything: it is a size if the layer has one like it
    numbers = set() if name else _numbers_behind(place)
    if numbers:
        value = next((size for size in _sizes_of(step) if size in numbers), None)
        if value is None:
            return  # a kernel, a stride, or nothing of this layer's
    may_be_given = value is None or name in ops.list_output_arguments()
    if not is_failing and not may_be_given:
        return
    worth = weights.WRAPPED_ARGUMENT
    if is_failing:
        worth = weights.WRAPPED_ARGUMENT_OF_FAILING
    likely = step.closeness + worth
    if value is None:
        likely -= weights.WRAPPED_UNKNOWN
    if context.aspect is Aspect.SPATIAL:
        likely -= weights.NUMBER_FOR_SPATIAL
    target = Target(place, call.layer, likely, name)
    yield from other_numbers(context, target, value)


def _numbers_behind(place: Place) -> set[int]:
    """The numbers in an expression, and in the origins of its value."""
    numbers = {constant(origin.node) for origin in origins(place)}
    return {number for number in numbers if number is not None}


def _sizes_of(step: Upstream) -> list[int | None]:
    """The sizes of a layer, without those of its window."""
    return [
        single(value)
        for name, value in step.call.attributes.items()
        if name not in WINDOW and name not in ops.list_count_arguments()
    ]


def _changes_of_table(
    context: FailureContext, name: str, closeness: float
) -> Iterator[Candidate]:
    """Change the sizes with which a parameter or buffer was made:
    `nn.Parameter(torch.zeros(1, 17, dim))`."""
    path, _, attribute = name.rpartition(".")
    places = list(find_tensor_sizes(context.walked, path, attribute))
    for place in places:
        target = Target(place, path, closeness + weights.TABLE, attribute)
        yield from other_numbers(context, target, None)
    yield from resize_square(places, context.pairs, path, closeness)


def _often_gets_own_table(name: str) -> bool:
    """Whether an own weight or buffer is often the wrong operand of this op."""
    op = ops.of(name)
    joins = op.family in (Family.MATMUL, Family.LINEAR, Family.JOINING)
    return op.broadcasts or joins or name in ("getitem", "expand")
