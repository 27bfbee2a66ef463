"""Another dimension upstream of a failure: the dim of `cat`, `flatten`, `mean`, or
`transpose`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.other_values import Pairs, constant
from shapelint.changes.text_at_place import write_text
from shapelint.changes.upstream_calls import Upstream
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.ops.families.joining import is_concatenation
from shapelint.ops.record import Family
from shapelint.syntax.origins import Place


def other_dimensions(
    context: FailureContext, step: Upstream, place: Place
) -> Iterator[Candidate]:
    """Another dimension, those first that the same op has elsewhere."""
    old, call = constant(place.node), step.call
    rank = max((len(fact.shape) for fact in call.inputs), default=0)
    if old is None or not rank:
        return
    usual = _usual_dimensions(context.trace, call.op)
    for new in _dimensions_of(call.op, rank):
        is_same = new == old or (new < 0 and new + rank == old)
        if is_same:
            continue
        likely = _likely_dimension(step, old, new)
        dims = [arg for arg in call.args[1:] if isinstance(arg, int)]
        changed = tuple(new if dim == old else dim for dim in dims)
        if usual[changed]:
            likely += weights.DIMENSION_AS_ELSEWHERE
        if is_concatenation(call.op) and _joins_too_much(call, context.pairs):
            likely += weights.DIMENSION_JOINED
        likely = _with_turn(likely, call.op, rank, tuple(dims), changed)
        yield write_text(place, str(new), call.layer, likely, "dim")


def _dimensions_of(op: str, rank: int) -> list[int]:
    """All dimensions, and the last two as they are mostly written."""
    return list(dict.fromkeys([*range(rank + ops.of(op).adds_dim), -1, -2]))


def _usual_dimensions(trace: Trace, op: str) -> Counter[tuple[int, ...]]:
    """The dimensions with which the same op runs elsewhere in the model."""
    alike = (
        other.args[1:]
        for other in trace.calls
        if other.op == op and other.failure is None
    )
    return Counter(args for args in alike if all(isinstance(arg, int) for arg in args))


def _likely_dimension(step: Upstream, old: int, new: int) -> float:
    """How likely a dimension is whatever the sizes are."""
    op = step.call.op
    likely = step.near + weights.DIMENSION
    if new == 1:
        likely += weights.DIMENSION_FIRST
    is_flatten = ops.of(op) is ops.of("flatten") and new == 1
    if is_flatten and (old == 0 or step.distance == 0):
        likely += weights.DIMENSION_OF_FLATTEN
    likely -= weights.DIMENSION_EACH * abs(new)
    if old == 0 and _merges_samples(op):
        likely += weights.DIMENSION_NOT_BATCH
    return likely


def _merges_samples(op: str) -> bool:
    """Whether an op of dimension 0 would mix the samples of a batch."""
    return ops.of(op).flattens or ops.of(op).reduces or is_concatenation(op)


def _joins_too_much(call: Call, pairs: Pairs) -> bool:
    """Whether as much more is taken as tensors are joined: they were joined along
    another dimension."""
    count = len(call.inputs)
    return count > 1 and any(taken == arrives * count for arrives, taken in pairs)


def _with_turn(
    likely: float, op: str, rank: int, old: tuple[int, ...], new: tuple[int, ...]
) -> float:
    """The likelihood with what it means for a transpose, whose two dimensions may be
    the same one."""
    is_transpose = ops.is_of(op, Family.TRANSPOSING) and len(old) == 2
    if is_transpose and _is_one_dimension(old, rank):
        likely += weights.DIMENSION_TURNS_NOTHING
    moves_batch = rank > 2 and 0 in new and 0 not in old
    if is_transpose and moves_batch:
        likely -= weights.DIMENSION_MOVES_BATCH
    if len(new) == 2 and _is_one_dimension(new, rank):
        likely -= weights.DIMENSION_WOULD_TURN_NOTHING
    return likely


def _is_one_dimension(dims: tuple[int, ...], rank: int) -> bool:
    """Whether all of several dimensions are the same one, counted from behind or not."""
    return len({dim % rank for dim in dims}) == 1
