"""What a model gives with more samples than it was given: the same, and more of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from shapelint.facts.graph import Trace
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.tracing.fake_tensors import is_fake
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.torch_private import no_modes

MORE_SAMPLES = 2
"""How many more samples a fix is tried with: no size of a model is tied to a batch by
that."""

ROUNDING = 1e-3
"""Results that are as close as this, relative to the largest of them, are the same."""

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


def has_batch_second(trace: Trace) -> bool:
    """Whether a layer takes (time, batch, features): the first dimension is no batch
    then, and what it holds is mixed on purpose."""
    return any(
        call.attributes.get("batch_first") is False
        and len(call.inputs) > 0
        and len(call.inputs[0].shape) == 3
        for call in trace.calls
    )


def keeps_samples_apart(
    model: torch.nn.Module, args: Args, kwargs: Kwargs
) -> bool | None:
    """Whether a model gives the same for each of equal samples, and for the others of
    them when the last is another one; None where the results have no values, or are not
    the same twice.

    A change that lets positions be counted along the batch fits every size, and gives
    each sample another result. One that joins samples lets them change each other's."""
    with no_modes():
        # in train mode a batch norm joins samples on purpose
        model.eval()
    samples = next(tensors_in((args, kwargs))).shape[0]
    with _drawn_constants(model):
        result = _results_of(model, args, kwargs)
        _change_last_sample(args, kwargs)
        other = _results_of(model, args, kwargs)
        are_apart = _are_apart(result, other, samples)
        if are_apart is not False:
            return are_apart
        again = _results_of(model, args, kwargs)
    with no_modes():
        is_noise = not all(map(_are_close, other, again))
    return None if is_noise else False


def _are_apart(
    equal: list[torch.Tensor], other: list[torch.Tensor], samples: int
) -> bool | None:
    """Whether the results of `equal` samples are the same, and stay so where the last
    sample is another."""
    with no_modes():
        for tensor, changed in zip(equal, other, strict=False):
            if is_fake(tensor) or not tensor.dim() or tensor.shape[0] != samples:
                return None
            if not _are_close(tensor, tensor[:1].expand_as(tensor)):
                return False
            if not _are_close(tensor[:-1], changed[:-1]):
                return False
    return True


def _results_of(
    model: torch.nn.Module, args: Args, kwargs: Kwargs
) -> list[torch.Tensor]:
    return list(tensors_in(model(*_copied(args), **_copied(kwargs))))


def _copied(value: Any) -> Any:
    """A value whose tensors may be written into."""
    if isinstance(value, torch.Tensor):
        with no_modes():
            return value.clone()
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    if type(value) is dict:
        return {name: _copied(item) for name, item in value.items()}
    return value


def _are_close(one: torch.Tensor, other: torch.Tensor) -> bool:
    if is_fake(one) or is_fake(other) or one.shape != other.shape:
        return one.shape == other.shape
    # kernels add in another order for another position of a batch
    scale = float(one.abs().max()) if one.numel() and one.is_floating_point() else 0.0
    return torch.allclose(
        one, other, rtol=ROUNDING, atol=ROUNDING * scale, equal_nan=True
    )


def _change_last_sample(args: Args, kwargs: Kwargs) -> None:
    """Give the last sample other numbers, within the same range."""
    given = list(tensors_in((args, kwargs)))
    samples = given[0].shape[0]
    with no_modes():
        for tensor in given:
            if tensor.dim() and tensor.shape[0] == samples and _holds_floats(tensor):
                tensor[-1] = 1 - tensor[-1]


def _holds_floats(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and not is_fake(tensor)


@contextmanager
def _drawn_constants(model: torch.nn.Module) -> Iterator[None]:
    """Parameters that are the same everywhere, as tables of zeros are made, hold other
    numbers inside: nobody could see what they are added to."""
    constant = [
        parameter
        for parameter in model.parameters()
        if parameter.dim() > 1 and _holds_floats(parameter) and _is_constant(parameter)
    ]
    kept = []
    with no_modes(), torch.no_grad():
        for parameter in constant:
            kept.append((parameter, parameter.detach().clone()))
            steps = torch.arange(parameter.numel(), dtype=torch.float32)
            parameter.copy_(torch.sin(steps).view_as(parameter))
    try:
        yield
    finally:
        with no_modes(), torch.no_grad():
            for parameter, old in kept:
                parameter.copy_(old)


def _is_constant(parameter: torch.Tensor) -> bool:
    with no_modes(), torch.no_grad():
        flat = parameter.detach().flatten()
        return bool(flat.numel()) and bool((flat == flat[0]).all())


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
