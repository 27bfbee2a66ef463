"""Inputs with another number of dimensions, or with them in another order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from shapelint.asked.inputs import TensorSpec
from shapelint.changes import weights
from shapelint.changes.first_layers import lacks_batch
from shapelint.changes.other_inputs import (
    COLOURS,
    WITH_BATCH,
    Specs,
    are_vectors,
    is_image,
    size_candidate,
    specs_given,
    with_batch,
)
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Trace
from shapelint.facts.walked_target import Walked

MOST_SAMPLE_DIMS = 3
"""The most dimensions of an input to which a batch is added although no layer shows
that it lacks one."""


def other_ranks(walked: Walked, trace: Trace) -> list[Candidate]:
    """Add a batch dimension to every input, or remove one, or add the single channel of
    a grey image. The model must then be clean.

    A batch of vectors is rarely left out by mistake, so inputs of one dimension always
    get it."""
    specs = specs_given(walked)
    if not specs:
        return []
    found = []
    if all(_may_lack_batch(spec) for spec in specs):
        found.append(_as_batches_of_one(specs, trace))
    if len(specs) == 1 and _may_lack_channel(specs[0]):
        found.append(_with_channel(specs[0]))
    if all(len(spec.shape) > 2 and spec.shape[0] == 1 for spec in specs):
        found.append(_with_dimension_less(specs))
    return [*found, *_without_ones(specs), *_in_other_orders(specs)]


def _without_ones(specs: Specs) -> Iterator[Candidate]:
    """Leave out the single channel of one input, for a model that takes sequences."""
    for at, spec in enumerate(specs):
        batch, *rest = spec.shape or (0,)
        if len(rest) > 2 and rest[0] == 1:
            changed = [*specs]
            changed[at] = replace(spec, shape=(batch, *rest[1:]))
            likely = weights.INPUT_WITHOUT_CHANNEL
            proposed = size_candidate(changed, "without its single channel", likely)
            yield replace(proposed, group="rank of input")


def _in_other_orders(specs: Specs) -> Iterator[Candidate]:
    """Put the channels of an image first, or exchange two inputs."""
    for at, spec in enumerate(specs):
        first = _with_channels_first(spec)
        if first is not None:
            changed = [*specs]
            changed[at] = first
            likely = weights.INPUT_MUST_DIFFER
            proposed = size_candidate(changed, "channels first", likely)
            yield replace(proposed, group="order")
    for one, other in itertools.combinations(range(len(specs)), 2):
        if _are_alike(specs[one], specs[other]):
            continue
        changed = [*specs]
        changed[one] = replace(specs[other], name=specs[one].name)
        changed[other] = replace(specs[one], name=specs[other].name)
        why = "the inputs exchanged"
        exchanged = size_candidate(changed, why, weights.INPUTS_EXCHANGED)
        yield replace(exchanged, group=why)


def _with_channels_first(spec: TensorSpec) -> TensorSpec | None:
    """An image whose last dimension looks like its channels, with these first."""
    if not is_image(spec):
        return None
    batch, *sides, channels = spec.shape
    if channels not in COLOURS or min(sides) <= max(COLOURS):
        return None
    return replace(spec, shape=(batch, channels, *sides))


def _are_alike(one: TensorSpec, other: TensorSpec) -> bool:
    return (one.shape, one.dtype) == (other.shape, other.dtype)


def _as_batches_of_one(specs: Specs, trace: Trace) -> Candidate:
    is_sure = are_vectors(specs) or lacks_batch(trace)
    likely = weights.INPUT_MUST_DIFFER if is_sure else weights.INPUT_MAY_LACK_BATCH
    return size_candidate(with_batch(specs), WITH_BATCH, likely)


def _may_lack_batch(spec: TensorSpec) -> bool:
    """Whether an input may be a single sample. Indices of two dimensions are a batch of
    sequences."""
    is_of_indices = not spec.dtype.startswith("float")
    most = 1 if is_of_indices else MOST_SAMPLE_DIMS
    return 1 <= len(spec.shape) <= most


def _may_lack_channel(spec: TensorSpec) -> bool:
    """Whether an input may be (H, W) or (N, H, W) of a grey image."""
    return spec.dtype == "float32" and len(spec.shape) in (2, 3)


def _with_channel(spec: TensorSpec) -> Candidate:
    batch, sides = spec.shape[:-2] or (1,), spec.shape[-2:]
    image = replace(spec, shape=(*batch, 1, *sides))
    why = "an image with its one channel"
    return size_candidate([image], why, weights.INPUT_MAY_LACK_CHANNEL)


def _with_dimension_less(specs: Specs) -> Candidate:
    single = [replace(spec, shape=spec.shape[1:]) for spec in specs]
    likely = weights.INPUT_WITH_DIMENSION_LESS
    return size_candidate(single, "a dimension less", likely)
