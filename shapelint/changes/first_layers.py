"""The first layer that gets a model input, and whether it took the input for a single
sample without a batch."""

from __future__ import annotations

from shapelint import ops
from shapelint.facts.graph import Call, Trace
from shapelint.ops.record import Family


def first_layer(trace: Trace) -> tuple[Call, int] | None:
    """The first layer that gets a model input and also takes it without a batch, and
    the number of dimensions it works on.

    A convolution works on the spatial dimensions, a recurrent or attention layer on
    time."""
    for call in trace.calls:
        dims = _sample_dims(call.op)
        if dims is not None and 0 in call.from_input:
            return call, dims
    return None


def _sample_dims(op: str) -> int | None:
    """The number of dimensions of a single sample, apart from channels or features;
    None for a layer that does not take single samples."""
    if ops.is_of(op, Family.CONVOLUTION):
        return ops.spatial_dims(op)
    return 1 if ops.of(op).takes_sequences else None


def lacks_batch(trace: Trace) -> bool:
    """Whether the first layer took the input for a single sample."""
    first = first_layer(trace)
    if first is None:
        return False
    call, dims = first
    return len(call.inputs[0].shape) == dims + 1


def note_missing_batch(trace: Trace) -> tuple[str, ...]:
    """A note, if the first layer took the input for a single sample without a batch."""
    first = first_layer(trace)
    if first is None or not lacks_batch(trace):
        return ()
    call, _ = first
    shape = ", ".join(map(str, call.inputs[0].shape))
    note = f"the input ({shape}) has no batch dimension; `{call.op}` takes it for one sample"
    return (note,)
