"""Other inputs that might be what was meant: with a batch dimension, channels first, other channels."""

from __future__ import annotations

from shapelint.errors import UsageError
from shapelint.graph import Call, Shape, Trace, Walked
from shapelint.inputs import TensorSpec, parse_inputs
from shapelint.rules import Candidate

_WINDOWED = {"1": 1, "2": 2, "3": 3}


def spatial_dims(op: str) -> int | None:
    """How many spatial dimensions a Conv, Pool or Norm works on, by its name: `Conv2d` and `conv2d` say 2."""
    if not op.lower().endswith("d") or len(op) < 3:
        return None
    lowered = op.lower()
    return _WINDOWED.get(op[-2]) if any(word in lowered for word in ("conv", "pool", "norm")) else None


def first_layer(trace: Trace) -> tuple[Call, int] | None:
    """The first convolution that is fed a model input, and how many spatial dimensions it has."""
    for call in trace.calls:
        dims = spatial_dims(call.op)
        if dims is not None and "conv" in call.op.lower() and 0 in call.from_input:
            return call, dims
    return None


def input_candidates(walked: Walked, trace: Trace) -> list[Candidate]:
    """Inputs under which the model might be clean."""
    first = first_layer(trace)
    if first is None or not walked.input_spellings:
        return []
    call, dims = first
    given = call.inputs[0].shape
    found: list[Candidate] = []
    if len(given) == dims + 1:
        found += _other(walked, given, (1, *given), "a batch dimension in front")
    return found


def unbatched_note(trace: Trace) -> tuple[str, ...]:
    """A note where the first convolution took the input for a single sample without a batch."""
    first = first_layer(trace)
    if first is None or len(first[0].inputs[0].shape) != first[1] + 1:
        return ()
    shape = first[0].inputs[0].shape
    return (
        f"the input ({', '.join(map(str, shape))}) has no batch dimension; `{first[0].op}` takes it for one sample",
    )


def permuted_input(walked: Walked, given: Shape) -> list[Candidate]:
    """Channels moved from last to first, with a batch dimension if there was none."""
    return _other(walked, given, (given[0], given[-1], *given[1:-1]), "channels first")


def other_channels(walked: Walked, given: Shape, channels: int, dims: int) -> list[Candidate]:
    """The input with the channels that the first layer takes."""
    at = len(given) - dims - 1
    wanted = (*given[:at], channels, *given[at + 1 :])
    return _other(walked, given, wanted, f"{channels} channels")


def larger_batch(walked: Walked) -> list[Candidate]:
    """Every input with a batch of two."""
    specs = _specs(walked)
    if not specs or any(not spec.shape or spec.shape[0] != 1 for spec in specs):
        return []
    doubled = [TensorSpec((2, *spec.shape[1:]), spec.dtype, spec.name) for spec in specs]
    return [_candidate(doubled, "a batch of two or more")]


def _specs(walked: Walked) -> list[TensorSpec]:
    try:
        return list(parse_inputs(walked.input_spellings))
    except UsageError:
        return []


def _other(walked: Walked, given: Shape, wanted: Shape, why: str) -> list[Candidate]:
    specs = _specs(walked)
    at = next((index for index, spec in enumerate(specs) if spec.shape == given), None)
    if at is None:
        return []
    specs[at] = TensorSpec(wanted, specs[at].dtype, specs[at].name)
    return [_candidate(specs, why)]


def _candidate(specs: list[TensorSpec], why: str) -> Candidate:
    words = tuple(spec.spelling for spec in specs)
    return Candidate(f"`{' '.join('--input ' + word for word in words)}`, {why}", inputs=words, group=why)
