"""How messages and reports name an op."""

from __future__ import annotations

from shapelint import ops
from shapelint.facts.graph import Call
from shapelint.ops.record import Family

_WORDS = (
    (Family.CONVOLUTION, ("conv",)),
    (Family.NORMALISATION, ("norm",)),
    (Family.DROPOUT, ("dropout", "droppath", "stochasticdepth")),
    (Family.POOLING, ("pool", "upsample", "interpolate", "pixelshuffle")),
    (Family.ATTENTION, ("attention", "attn", "transformer")),
    (Family.RECURRENT, ("rnn", "lstm", "gru")),
    (Family.EMBEDDING, ("embed",)),
    (Family.LINEAR, ("linear",)),
    (Family.ACTIVATION, ("relu", "elu", "silu", "swish", "mish", "sigmoid", "tanh")),
    (Family.ACTIVATION, ("softmax", "softplus", "softsign", "glu")),
    (Family.RESHAPING, ("view", "reshape", "flatten", "permute", "transpose")),
    (Family.RESHAPING, ("squeeze", "expand", "rearrange", "repeat", "chunk", "split")),
    (Family.RESHAPING, ("unbind", "contiguous", "roll", "flip", "pad", "identity")),
    (Family.RESHAPING, ("fold", "tile", "clone")),
)
"""Words in the name of a user's class that tell its family. The first match decides, so
that `DropPathAttention` is a dropout and `ConvNorm` a convolution."""

_PIPELINE_WORDS = {
    Family.CONVOLUTION: "conv",
    Family.POOLING: "pool",
    Family.ATTENTION: "attention",
}
"""The names of layers that are not torch's own in the pipeline report."""


def subject(call: Call) -> str:
    """How a message names a call: `Linear` for a layer, `linear` for a function, `+`
    for an operator, `.view()` for a method."""
    if call.is_module:
        return f"`{call.op}`"
    # `x + y` arrives as a method or as a function; a message shows what was written
    symbol = ops.of(call.op).symbol
    if call.is_method and not symbol:
        return f"`.{call.op}()`"
    return f"`{symbol or call.op}`"


def colour_of(name: str) -> str:
    """The colour of an op's block in a picture; "" if it has none of its own."""
    return _family_of(name).colour


def pipeline_word(name: str) -> str:
    """The name of an op in the pipeline report; "" if the report leaves it out."""
    if ops.is_known(name):
        return ops.of(name).word
    return _PIPELINE_WORDS.get(_family_of(name), "")


def _family_of(name: str) -> Family:
    if ops.is_known(name):
        return ops.of(name).family
    lowered = name.lower()
    for family, words in _WORDS:
        if any(word in lowered for word in words):
            return family
    return Family.UNKNOWN
