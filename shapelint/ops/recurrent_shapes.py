"""The shapes that RNN, GRU, LSTM and their cells take (torch.nn.LSTM,
torch.nn.LSTMCell, "Inputs")."""

from __future__ import annotations

from shapelint.facts.graph import Call
from shapelint.facts.tensors import Shape


def ranks_taken(call: Call) -> tuple[int, int]:
    """The numbers of dimensions that the input may have, without and with a batch."""
    return (1, 2) if _is_cell(call) else (2, 3)


def state_shape(call: Call, shape: Shape) -> Shape:
    """The shape of the hidden state for an input: (num_layers * directions, batch,
    hidden_size); for a cell, (batch, hidden_size)."""
    layer = call.attributes
    if _is_cell(call):
        return (*shape[:-1], layer["hidden_size"])
    directions = 2 if layer["bidirectional"] else 1
    count = layer["num_layers"] * directions
    width = layer["proj_size"] or layer["hidden_size"]
    if len(shape) == 2:
        return (count, width)
    batch = shape[0] if layer["batch_first"] else shape[1]
    return (count, batch, width)


def _is_cell(call: Call) -> bool:
    return call.op.endswith("Cell")
