"""Finds the model's own weights and buffers among the arguments of a call: position
tables and masks."""

from __future__ import annotations

from shapelint import ops
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import TensorFact
from shapelint.ops.record import Family

_STEPS = 4
"""How many calls an argument is traced back: a table may be sliced, moved and
unsqueezed."""


def is_own_tensor(trace: Trace, call: Call, position: int) -> bool:
    """Whether an argument is a weight or buffer of the model, possibly sliced or
    cast."""
    if call.inputs[position].name:
        return True
    producer = trace.producer(call, position)
    for _ in range(_STEPS):
        if producer is None or not _passes_through(producer.op):
            return False
        if producer.inputs and producer.inputs[0].name:
            return True
        producer = trace.producer(producer)
    return False


def _passes_through(op: str) -> bool:
    """Whether an op returns a part of its input, or its input in another form."""
    is_moved = ops.is_of(op, Family.CASTING, Family.INDEXING)
    return is_moved or op in ("unsqueeze", "narrow")


def holds_own_table(trace: Trace, call: Call) -> bool:
    """Whether an argument is a weight or buffer of the model, or was computed by one
    call from nothing else, as masks and positions are."""
    for position, fact in enumerate(call.inputs):
        producer = trace.producer(call, position)
        made_of = producer.inputs if producer is not None else []
        if fact.name or (made_of and all(each.name for each in made_of)):
            return True
    return False


def find_position_table(
    trace: Trace, call: Call
) -> tuple[TensorFact, TensorFact] | None:
    """The model's own position table (..., positions, features) and the sequence
    (batch, tokens, features) to which it is added, if their lengths differ."""
    if len(call.inputs) != 2:
        return None
    for position, table in enumerate(call.inputs):
        sequence = call.inputs[1 - position]
        if _is_of_other_length(table, sequence) and is_own_tensor(
            trace, call, position
        ):
            return table, sequence
    return None


def _is_of_other_length(table: TensorFact, sequence: TensorFact) -> bool:
    """Whether two tensors have the same features but lengths that do not broadcast."""
    if len(table.shape) < 2 or len(sequence.shape) < 3:
        return False
    *leading, rows, features = table.shape
    *batch, tokens, width = sequence.shape
    # of the dimensions before, only the nearest is looked at: heads, or the batch
    fits_before = not leading or leading[-1] in (batch[-1], 1)
    return features == width and fits_before and rows not in (tokens, 1)
