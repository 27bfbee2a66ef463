"""Other dimensions for an op upstream of a failure: the dim of `cat`, `flatten`, `mean`
or `transpose`."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.other_values import Pairs, constant
from shapelint.changes.text_at_place import write_text
from shapelint.changes.upstream_calls import Upstream
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.ops.families.concatenation import is_concatenation
from shapelint.ops.record import Family
from shapelint.syntax.origins import Place


def other_dimensions(
    context: FailureContext, step: Upstream, place: Place
) -> Iterator[Candidate]:
    """Try other dimensions, first those with which the same op is called elsewhere."""
    old, call = constant(place.node), step.call
    rank = max((len(fact.shape) for fact in call.inputs), default=0)
    if old is None or not rank:
        return
    dims = tuple(arg for arg in call.args[1:] if isinstance(arg, int))
    usual = _usual_dimensions(context.trace, call.op)
    joins_too_much = _joins_too_much(call, context.pairs)
    for new in _list_others(call.op, rank, old):
        changed = tuple(new if dim == old else dim for dim in dims)
        likely = _likely_dimension(step, old, new)
        if changed in usual:
            likely += weights.DIMENSION_AS_ELSEWHERE
        if joins_too_much:
            likely += weights.DIMENSION_JOINED
        likely = _adjust_for_transpose(likely, call.op, rank, dims, changed)
        yield write_text(place, str(new), call.layer, likely, "dim")


def _list_others(op: str, rank: int, old: int) -> list[int]:
    """All dimensions except the present one, and -1 and -2, as people usually write the
    last two."""
    dims = dict.fromkeys([*range(rank + ops.of(op).adds_dim), -1, -2])
    spellings = {old, old - rank} if old < rank else {old}
    return [dim for dim in dims if dim not in spellings]


def _usual_dimensions(trace: Trace, op: str) -> set[tuple[int, ...]]:
    """The dimensions with which the same op is called elsewhere in the model."""
    usual: set[tuple[int, ...]] = set()
    for call in trace.calls:
        dims = call.args[1:]
        runs = call.op == op and call.failure is None
        if runs and all(isinstance(dim, int) for dim in dims):
            usual.add(dims)
    return usual


def _likely_dimension(step: Upstream, old: int, new: int) -> float:
    """How plausible a dimension is, regardless of the sizes."""
    op, takes_batch = step.call.op, old == 0
    likely = step.closeness + weights.DIMENSION
    if new == 1:
        likely += weights.DIMENSION_FIRST
        is_suspect = takes_batch or step.distance == 0
        if is_suspect and ops.of(op) is ops.of("flatten"):
            likely += weights.DIMENSION_OF_FLATTEN
    likely -= weights.DIMENSION_EACH * abs(new)
    if takes_batch and _merges_samples(op):
        likely += weights.DIMENSION_NOT_BATCH
    return likely


def _merges_samples(op: str) -> bool:
    """Whether an op along dimension 0 would mix the samples of a batch."""
    record = ops.of(op)
    return record.flattens or record.reduces or is_concatenation(op)


def _joins_too_much(call: Call, pairs: Pairs) -> bool:
    """Whether the required size is the size that arrives times the number of joined
    tensors: then they were joined along another dimension."""
    count = len(call.inputs)
    if count < 2 or not is_concatenation(call.op):
        return False
    return any(taken == arrives * count for arrives, taken in pairs)


def _adjust_for_transpose(
    likely: float, op: str, rank: int, old: tuple[int, ...], new: tuple[int, ...]
) -> float:
    """Adjust the likelihood for a transpose, whose two dimensions may become the
    same."""
    if len(new) != 2:
        return likely
    is_transpose = ops.is_of(op, Family.TRANSPOSING)
    if is_transpose and _is_one_dimension(old, rank):
        likely += weights.DIMENSION_TURNS_NOTHING
    # the first dimension of a matrix need not be the batch
    moves_batch = rank > 2 and 0 in new and 0 not in old
    if is_transpose and moves_batch:
        likely -= weights.DIMENSION_MOVES_BATCH
    if _is_one_dimension(new, rank):
        likely -= weights.DIMENSION_WOULD_TURN_NOTHING
    return likely


def _is_one_dimension(dims: tuple[int, ...], rank: int) -> bool:
    """Whether several dimensions are the same one, counted from either end."""
    return len({dim % rank for dim in dims}) == 1
