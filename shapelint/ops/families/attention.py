"""Multi-head attention, the products inside it, and the Transformer layers."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.ops.record import Candidate, Cost, Family, Op


def recover_attention(failure: Failure) -> list[Candidate]:
    """The output has the query's positions and the layer's width. The weights, averaged
    over heads, are added if they were asked for."""
    # query, key, value, embed_dim_to_check, num_heads, ...
    query, key, width = failure.args[0].shape, failure.args[1].shape, failure.args[3]
    if len(query) not in (2, 3) or len(key) != len(query):
        return []
    batch = query[1:2] if len(query) == 3 else ()
    weights = (*batch, query[0], key[0])
    asked = failure.kwargs.get("need_weights", True)
    return [((*query[:-1], width), weights if asked else None)]


def recover_dot_product_attention(failure: Failure) -> list[Candidate]:
    """The output has the query's positions and the value's width."""
    query, value = failure.arg(0, "query"), failure.arg(2, "value")
    return [(*query.shape[:-1], value.shape[-1])]


_LAYER = (
    *("d_model", "nhead", "dim_feedforward", "dropout", "activation"),
    *("layer_norm_eps", "batch_first", "norm_first", "bias"),
)
_WHOLE = (
    *("d_model", "nhead", "num_encoder_layers", "num_decoder_layers"),
    *("dim_feedforward", "dropout", "activation", "custom_encoder", "custom_decoder"),
    *("layer_norm_eps", "batch_first", "norm_first", "bias"),
)


def _transformer(layer: str, arguments: tuple[str, ...]) -> Op:
    return Op(
        layer,
        family=Family.TRANSFORMER,
        takes_sequences=True,
        arguments=arguments,
        takes=("d_model",),
        gives=("d_model", "dim_feedforward"),
        counts=("nhead",),
        by_mode=True,
    )


OPS = (
    Op(
        "MultiheadAttention",
        family=Family.ATTENTION,
        takes_sequences=True,
        arguments=(
            *("embed_dim", "num_heads", "dropout", "bias", "add_bias_kv"),
            *("add_zero_attn", "kdim", "vdim", "batch_first"),
        ),
        takes=("embed_dim",),
        gives=("embed_dim",),
        counts=("num_heads",),
        word="attention",
        by_mode_with="dropout",
    ),
    Op(
        "multi_head_attention_forward",
        family=Family.ATTENTION,
        recover=recover_attention,
        word="attention",
    ),
    Op(
        "scaled_dot_product_attention",
        family=Family.ATTENTION,
        recover=recover_dot_product_attention,
        word="attention",
        kernels=("_scaled_dot_product*",),
        cost=Cost.ATTENTION,
    ),
    _transformer("TransformerEncoderLayer", _LAYER),
    _transformer("TransformerDecoderLayer", _LAYER),
    _transformer("Transformer", _WHOLE),
    Op(
        "TransformerEncoder",
        family=Family.TRANSFORMER,
        arguments=("encoder_layer", "num_layers", "norm"),
        counts=("num_layers",),
    ),
    Op(
        "TransformerDecoder",
        family=Family.TRANSFORMER,
        arguments=("decoder_layer", "num_layers", "norm"),
        counts=("num_layers",),
    ),
)
