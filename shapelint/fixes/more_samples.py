"""What a model gives with more samples than it was given: the same, and more of it."""

from __future__ import annotations

import torch

from shapelint import ops
from shapelint.facts.graph import Trace
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.ops.record import Draws
from shapelint.tracing.fake_tensors import is_fake
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.torch_private import no_modes

MORE_SAMPLES = 2
"""How many more samples a fix is tried with: no size of a model is tied to a batch by
that."""

Walks = tuple[Trace, Trace]
"""One walk with the samples that were given, and one with more."""


def outputs_grow(before: Walks, after: Walks) -> bool:
    """Whether the outputs of a changed model follow the batch: with more samples they
    have the same rank, and other sizes only in proportion to the samples.

    What grew `before` the change, a failed call having been recovered, grows `after`
    it."""
    small, large = after
    if small.output is None or large.output is None:
        return True
    ones, others = small.output.tensors, large.output.tensors
    if len(ones) != len(others):
        return False
    samples = (count_samples(small), count_samples(large))
    if not _keep_batches(before, after, samples):
        return False
    grew = _which_grow(before, len(ones), samples)
    for one, other, must_grow in zip(ones, others, grew, strict=True):
        if not _is_in_proportion(one.shape, other.shape, samples):
            return False
        if must_grow and one.shape == other.shape:
            return False
    return True


def _keep_batches(before: Walks, after: Walks, samples: tuple[int, int]) -> bool:
    """Whether each first dimension that was the batch is the batch after the change
    too: four times as many samples also grow in proportion."""
    return all(
        sizes == samples
        for was, sizes in zip(_first_sizes(before), _first_sizes(after), strict=False)
        if was == samples
    )


def _first_sizes(walks: Walks) -> list[tuple[int, ...]]:
    """The first dimension of each output, in both walks."""
    pairs = zip(*(_outputs_of(trace) for trace in walks), strict=False)
    return [tuple(fact.shape[0] for fact in pair if fact.shape) for pair in pairs]


def count_samples(trace: Trace) -> int:
    """The first dimension of the first input."""
    first = next((fact for value in trace.inputs for fact in value.tensors), None)
    return first.shape[0] if first is not None and first.shape else 1


def draws_noise(trace: Trace) -> bool:
    """Whether equal samples may well give other results."""
    return any(ops.of(call.op).draws is not Draws.NOTHING for call in trace.calls)


def have_equal_results(
    model: torch.nn.Module, args: Args, kwargs: Kwargs
) -> bool | None:
    """Whether a model gives the same for each of equal samples; None where the results
    have no values.

    A change that lets positions be counted along the batch fits every size, and gives
    each sample another result."""
    result = model(*args, **kwargs)
    samples = next(tensors_in((args, kwargs))).shape[0]
    with no_modes():
        for tensor in tensors_in(result):
            if is_fake(tensor) or not tensor.dim() or tensor.shape[0] != samples:
                return None
            first = tensor[:1].expand_as(tensor)
            if not torch.allclose(tensor, first, rtol=1e-3, atol=1e-5, equal_nan=True):
                return False
    return True


def _which_grow(walks: Walks, count: int, samples: tuple[int, int]) -> list[bool]:
    """Which of `count` outputs grow with the samples; none where there are others."""
    ones, others = (_outputs_of(trace) for trace in walks)
    if len(ones) != count or len(others) != count:
        return [False] * count
    return [
        one.shape != other.shape and _is_in_proportion(one.shape, other.shape, samples)
        for one, other in zip(ones, others, strict=True)
    ]


def _outputs_of(trace: Trace) -> tuple[TensorFact, ...]:
    return trace.output.tensors if trace.output is not None else ()


def _is_in_proportion(one: Shape, other: Shape, samples: tuple[int, int]) -> bool:
    few, many = samples
    return len(one) == len(other) and all(
        size in (grown, grown * few / many)
        for size, grown in zip(one, other, strict=True)
    )
