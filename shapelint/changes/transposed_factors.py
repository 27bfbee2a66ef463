"""A product of equally laid out tensors, of which one is turned along the wrong
dimensions: `q @ k.transpose(-1, 1)` for `q @ k.transpose(-1, -2)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.other_values import constant
from shapelint.changes.text_at_place import group_of, write_text
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.origins import Place
from shapelint.syntax.walked_calls import call_expression


def turn_last_two(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """Turn the last two dimensions of the factor that is turned otherwise.

    Before it was turned it is laid out like the other one: for each row of the one a
    number for each row of the other is wanted."""
    if call.failure is None or not ops.is_of(call.op, Family.MATMUL):
        return
    for index in dict.fromkeys(call.producers):
        if not 0 <= index < len(trace.calls):
            continue
        turn = trace.calls[index]
        others = [fact.shape for fact in call.inputs if fact not in turn.outputs]
        is_turn = ops.is_of(turn.op, Family.TRANSPOSING)
        if not is_turn or not turn.inputs or turn.inputs[0].shape not in others:
            continue
        called = call_expression(walked, turn)
        if called is not None:
            yield from _turn_otherwise(turn, called)


def _turn_otherwise(turn: Call, called: CallExpression) -> Iterator[Candidate]:
    rank = len(turn.inputs[0].shape)
    nodes = called.node.args
    # of `torch.transpose(k, -1, 1)` the first is the tensor
    nodes = nodes[-2:] if called.name == "transpose" else []
    dims = [constant(node) for node in nodes]
    if rank < 2 or len(dims) != 2:
        return
    change = _find_wrong_dimension(nodes, dims, rank)
    if change is None:
        return
    node, text = change
    written = write_text(
        Place(called.source, node), text, turn.layer, weights.TURN_LAST_TWO
    )
    group = group_of(written.edits[0])
    yield replace(written, group=group, kind=ChangeKind.SOLVED)


def _find_wrong_dimension(
    nodes: list[ast.expr], dims: list[int | None], rank: int
) -> tuple[ast.expr, str] | None:
    """The one of two dimensions that is none of the last two, and what it should be."""
    last = {rank - 1, rank - 2}
    places = [dim % rank if dim is not None else None for dim in dims]
    wrong = [at for at, place in enumerate(places) if place not in last]
    if len(wrong) != 1 or places[1 - wrong[0]] is None:
        return None
    (missing,) = last - {places[1 - wrong[0]]}
    kept = dims[1 - wrong[0]]
    is_from_behind = kept is not None and kept < 0
    return nodes[wrong[0]], str(missing - rank if is_from_behind else missing)
