"""Recurrent layers and their cells, whose results are several tensors."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import TensorFact
from shapelint.ops.record import Candidate, Cost, Family, Op


def recover_recurrent(failure: Failure) -> list[Candidate]:
    """Output and state (torch.nn.LSTM, "Outputs"), whatever the number of input
    features."""
    layer = failure.attributes
    x = failure.args[0] if failure.args else None
    if not isinstance(x, TensorFact) or len(x.shape) not in (2, 3):
        return []
    directions = 2 if layer["bidirectional"] else 1
    # with a projection the hidden state is narrower than the cell
    width = layer.get("proj_size") or layer["hidden_size"]
    batch = () if len(x.shape) == 2 else (x.shape[0 if layer["batch_first"] else 1],)
    states = layer["num_layers"] * directions
    hidden, cell = (states, *batch, width), (states, *batch, layer["hidden_size"])
    state = (hidden, cell) if failure.op == "module:LSTM" else hidden
    return [((*x.shape[:-1], width * directions), state)]


def recover_cell(failure: Failure) -> list[Candidate]:
    """The state after one step: (batch, hidden_size), twice for an LSTM."""
    x = failure.args[0]
    weights = [fact.shape for fact in failure.tensors if fact.name]
    if not weights:
        return []
    # the second weight is (gates * hidden_size, hidden_size); a cell that failed on its
    # first has no other
    has_second = len(weights) > 1 and len(weights[1]) == 2
    hidden = weights[1][1] if has_second else weights[0][0]
    state = (*x.shape[:-1], hidden)
    return [(state, state)] if failure.op == "lstm_cell" else [state]


def recover_cell_of_wrong_rank(failure: Failure) -> list[Candidate]:
    hidden = failure.attributes["hidden_size"]
    shape = failure.tensors[0].shape
    state = (*shape[:1], hidden) if len(shape) > 1 else (hidden,)
    return [(state, state)] if failure.op == "module:LSTMCell" else [state]


_REST = (
    *("bias", "batch_first", "dropout", "bidirectional"),
    "proj_size",
)


def _layer(layer: str, *own: str, projects: bool = False) -> Op:
    return Op(
        layer,
        family=Family.RECURRENT,
        arguments=(
            *("input_size", "hidden_size", "num_layers"),
            *own,
            *(_REST if projects else _REST[:-1]),
        ),
        takes=("input_size",),
        gives=("hidden_size", "proj_size") if projects else ("hidden_size",),
        counts=("num_layers",),
        takes_sequences=True,
        recover=recover_recurrent,
        word=layer.lower(),
        # `dropout` is between layers, 0 unless it is given
        by_mode_with="dropout",
    )


def _cell(layer: str, *own: str) -> Op:
    return Op(
        layer,
        family=Family.RECURRENT,
        arguments=("input_size", "hidden_size", "bias", *own),
        takes=("input_size",),
        gives=("hidden_size",),
        recover=recover_cell_of_wrong_rank,
    )


OPS = (
    _layer("LSTM", projects=True),
    _layer("GRU"),
    _layer("RNN", "nonlinearity"),
    _cell("LSTMCell"),
    _cell("GRUCell"),
    _cell("RNNCell", "nonlinearity"),
    Op(
        "lstm",
        family=Family.RECURRENT,
        word="lstm",
        kernels=("mkldnn_rnn_layer",),
        cost=Cost.RECURRENT,
    ),
    Op("gru", family=Family.RECURRENT, word="gru"),
    Op("rnn_tanh", family=Family.RECURRENT),
    Op("rnn_relu", family=Family.RECURRENT),
    Op("lstm_cell", family=Family.RECURRENT, recover=recover_cell),
    Op("gru_cell", family=Family.RECURRENT, recover=recover_cell),
    Op("rnn_tanh_cell", family=Family.RECURRENT, recover=recover_cell),
    Op("rnn_relu_cell", family=Family.RECURRENT, recover=recover_cell),
)
