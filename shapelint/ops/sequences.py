"""Recurrent layers and multi-head attention: results of several tensors, as the layer's
own numbers have them."""

from __future__ import annotations

from typing import Any

from shapelint.facts.graph import Failure, TensorFact
from shapelint.ops import recovers


@recovers("module:LSTM", "module:GRU", "module:RNN")
def recurrent(failure: Failure) -> list[Any]:
    """Output and state (torch.nn.LSTM, "Outputs"), whatever the input's features
    were."""
    layer: dict[str, Any] = failure.kwargs["_attributes"]
    if (
        not failure.args
        or not isinstance(failure.args[0], TensorFact)
        or len(failure.args[0].shape) not in (2, 3)
    ):
        return []
    shape = failure.args[0].shape
    directions = 2 if layer["bidirectional"] else 1
    width = layer.get("proj_size") or layer["hidden_size"]
    batch = () if len(shape) == 2 else (shape[0 if layer["batch_first"] else 1],)
    hidden = (layer["num_layers"] * directions, *batch, width)
    cell = (layer["num_layers"] * directions, *batch, layer["hidden_size"])
    state = (hidden, cell) if failure.op == "module:LSTM" else hidden
    return [((*shape[:-1], width * directions), state)]


@recovers("multi_head_attention_forward")
def attention(failure: Failure) -> list[Any]:
    """The query's positions with the width of the layer, and the weights (averaged over
    heads) if asked for."""
    query, key, width = failure.args[0].shape, failure.args[1].shape, failure.args[3]
    if len(query) not in (2, 3) or len(key) != len(query):
        return []
    weights = (*query[1:2], query[0], key[0]) if len(query) == 3 else (query[0], key[0])
    asked = failure.kwargs.get("need_weights", True)
    return [((*query[:-1], width), weights if asked else None)]


@recovers("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def cell(failure: Failure) -> list[Any]:
    """The state of one step: (batch, hidden_size), twice for an LSTM."""
    x = failure.args[0]
    weights = [fact for fact in failure.tensors if fact.name]
    if not weights:
        return []
    hidden = (
        weights[1].shape[1]
        if len(weights) > 1 and len(weights[1].shape) == 2
        else weights[0].shape[0]
    )
    state = (*x.shape[:-1], hidden)
    return [(state, state)] if failure.op == "lstm_cell" else [state]


@recovers("module:LSTMCell", "module:GRUCell", "module:RNNCell")
def cell_of_wrong_rank(failure: Failure) -> list[Any]:
    layer: dict[str, Any] = failure.kwargs["_attributes"]
    shape = failure.tensors[0].shape
    state = (
        (*shape[:1], layer["hidden_size"])
        if len(shape) > 1
        else (layer["hidden_size"],)
    )
    return [(state, state)] if failure.op == "module:LSTMCell" else [state]


@recovers("scaled_dot_product_attention")
def dot_product_attention(failure: Failure) -> list[Any]:
    """The query's positions with the value's width."""
    query, value = failure.arg(0, "query"), failure.arg(2, "value")
    return [(*query.shape[:-1], value.shape[-1])]
