"""The hidden state of a recurrent layer, (layers * directions, batch, width), used whole
where the last layer's is meant: `h[-1]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.operands import find_operands
from shapelint.changes.text_at_place import group_of
from shapelint.changes.torch_prefixes import torch_prefix
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import call_at, operation_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile

REACH = 8
"""How many calls may be between a state and the call that fails."""

_RESHAPES = (Family.RESHAPING, Family.DIMENSIONS, Family.TRANSPOSING, Family.TILING)


@dataclass(frozen=True)
class StateUse:
    """An expression that holds the state of all layers, and the whole expression in
    which a call reads it: `h` in `h.squeeze(0)`."""

    source: ParsedFile
    state: ast.expr
    whole: ast.expr
    op: str
    directions: int

    @property
    def text(self) -> str:
        return self.source.segment(self.state)


def _is_widening(op: str) -> bool:
    """Whether an op is done to the state of one layer too, so that it stays."""
    is_repeating = ops.is_of(op, Family.TILING) or op.startswith("expand")
    return is_repeating or op == "unsqueeze"


def take_last_layer(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """The state of the last layer, in both directions, in place of the whole state."""
    seen = set()
    for use in _uses_on_the_way(walked, trace, call):
        for position, (node, text) in enumerate(_forms(use)):
            edit = replacement(use.source, node, text)
            if edit in seen:
                continue
            seen.add(edit)
            yield Candidate(
                f"`{text}`",
                (edit,),
                call.layer,
                group=f"state {position}@{group_of(edit)}",
                likely=weights.LAYOUT - weights.LAYOUT_EACH * position,
                says="the state holds every layer and direction",
                kind=ChangeKind.LAYOUT,
            )


def _forms(use: StateUse) -> Iterator[tuple[ast.expr, str]]:
    """The expressions to replace, and what by."""
    last = _last_layer(use)
    if last is None:
        return
    if use.op == "getitem":
        # `h[-1]` is one direction; of one direction it is right
        if use.directions == 2:
            yield use.whole, last
        return
    if _is_widening(use.op):
        yield use.state, last
        if use.directions == 1:
            yield use.state, f"{use.text}[-1:]"
        return
    yield use.whole, last
    yield use.whole, f"{last}.unsqueeze(1)"
    if use.whole is not use.state:
        yield use.state, last
    yield use.whole, f"{last}.unsqueeze(0)"


def _last_layer(use: StateUse) -> str | None:
    if use.directions == 1:
        return f"{use.text}[-1]"
    prefix = torch_prefix(use.source)
    if prefix is None:
        return None
    return f"{prefix}cat([{use.text}[-2], {use.text}[-1]], dim=-1)"


# -- from the failure back to the layer ---------------------------------------------------


def _uses_on_the_way(walked: Walked, trace: Trace, call: Call) -> Iterator[StateUse]:
    """Where the states of recurrent layers enter the calls that lead to a failure,
    nearest first."""
    queue, seen = [(call, 0)], {call.index}
    for current, distance in queue:  # grows while it is read
        if ops.is_of(current.op, Family.RECURRENT):
            continue
        for position, index in enumerate(current.producers):
            if index < 0:
                continue
            producer = trace.calls[index]
            if _is_state(current, position, producer):
                use = _find_use(walked, current, position, producer)
                if use is not None:
                    yield use
            if index not in seen and distance < REACH:
                seen.add(index)
                queue.append((producer, distance + 1))


def _is_state(call: Call, position: int, producer: Call) -> bool:
    """Whether an argument is the hidden or the cell state of a recurrent layer."""
    is_layer = producer.is_module and "num_layers" in producer.attributes
    if not is_layer or not ops.is_of(producer.op, Family.RECURRENT):
        return False
    if len(producer.outputs) < 2 or position >= len(call.inputs):
        return False
    result, state = producer.outputs[0].shape, producer.outputs[1].shape
    shape = call.inputs[position].shape
    return len(state) == 3 and shape == state != result


def _find_use(
    walked: Walked, call: Call, position: int, producer: Call
) -> StateUse | None:
    directions = 2 if producer.attributes.get("bidirectional") else 1
    operation = operation_at(call.site, walked.texts)
    if operation is not None and isinstance(operation[1], ast.Subscript):
        source, part = operation[0], operation[1]
        return StateUse(source, part.value, part, call.op, directions)
    called = call_at(call.site, walked.texts)
    is_method = called is not None and isinstance(called.node.func, ast.Attribute)
    if called is not None and is_method and ops.is_of(call.op, *_RESHAPES):
        func = called.node.func
        state = func.value if isinstance(func, ast.Attribute) else called.node
        if called.prefix == "torch.":
            state = called.node.args[0]
        return StateUse(called.source, state, called.node, call.op, directions)
    shape = call.inputs[position].shape
    operands = [each for each in find_operands(walked, call) if each.shape == shape]
    if not operands or not isinstance(
        operands[0].node, (ast.Name, ast.Attribute, ast.Subscript)
    ):
        return None
    node = operands[0].node
    return StateUse(operands[0].source, node, node, "", directions)
