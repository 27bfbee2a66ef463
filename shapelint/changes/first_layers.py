"""The first layer that is fed a model input, and whether it took it for a single sample
without a batch."""

from __future__ import annotations

from shapelint.facts.graph import Call, Trace

_WINDOWED = {"1": 1, "2": 2, "3": 3}

_SEQUENCES = dict.fromkeys(
    (
        "RNN",
        "LSTM",
        "GRU",
        "MultiheadAttention",
        "TransformerEncoderLayer",
        "TransformerDecoderLayer",
    ),
    1,
)
"""Layers of sequences that take a single sample too."""


def spatial_dims(op: str) -> int | None:
    """How many spatial dimensions a Conv, Pool or Norm works on, by its name: `Conv2d`
    and `conv2d` say 2."""
    lowered = op.lower()
    if not lowered.endswith("d") or len(op) < 3:
        return None
    is_windowed = any(word in lowered for word in ("conv", "pool", "norm"))
    return _WINDOWED.get(op[-2]) if is_windowed else None


def first_layer(trace: Trace) -> tuple[Call, int] | None:
    """The first layer that is fed a model input and takes it without a batch too, and
    the dimensions it works on.

    A convolution works on those of space, a recurrent or attention layer on that of
    time."""
    for call in trace.calls:
        is_convolution = "conv" in call.op.lower()
        dims = spatial_dims(call.op) if is_convolution else _SEQUENCES.get(call.op)
        if dims is not None and 0 in call.from_input:
            return call, dims
    return None


def lacks_batch(trace: Trace) -> bool:
    """Whether the first layer took the input for a single sample."""
    first = first_layer(trace)
    if first is None:
        return False
    call, dims = first
    return len(call.inputs[0].shape) == dims + 1


def unbatched_note(trace: Trace) -> tuple[str, ...]:
    """A note where the first layer took the input for a single sample without a
    batch."""
    first = first_layer(trace)
    if first is None or not lacks_batch(trace):
        return ()
    call, _ = first
    shape = ", ".join(map(str, call.inputs[0].shape))
    note = f"the input ({shape}) has no batch dimension; `{call.op}` takes it for one sample"
    return (note,)
