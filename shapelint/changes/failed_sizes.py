"""The sizes of a failed call: which would need to be equal, and what kind they are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TypeGuard

from shapelint import ops
from shapelint.changes.other_values import Pairs
from shapelint.facts.graph import Call, Failure
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.ops.families.concatenation import is_concatenation, read_joined_dimension
from shapelint.ops.families.convolution import channels_taken
from shapelint.ops.record import Family, Op

_COMPARED = 6
"""Operands of a call that are compared with each other."""

_WIDTHS = ("input_size", "hidden_size", "embed_dim")
"""Arguments of recurrent and attention layers that say a width of what they take."""

Pair = tuple[int, int]


def find_required_pairs(call: Call) -> Pairs:
    """Pairs of sizes that a failed call would need to be equal: what arrives, and what
    is taken."""
    failure = call.failure
    if failure is None:
        return []
    shapes = [fact.shape for fact in failure.tensors]
    pairs = _pairs_of(failure, shapes)
    return list(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))


def _pairs_of(failure: Failure, shapes: list[Shape]) -> Iterator[Pair]:
    op = ops.of(failure.op)
    if failure.op == "unflatten":
        return _pairs_of_unflatten(failure)
    if failure.op == "split" and _is_shape(failure.arg(1, "split_size_or_sections")):
        return _pairs_of_split(failure, shapes[0])
    if failure.op == "pixel_shuffle" and len(shapes[0]) > 2:
        return _pairs_of_shuffle(failure, shapes[0][-3])
    if op.regroups:
        return _pairs_of_view(failure)
    if op.family is Family.LINEAR and len(shapes) > 1 and shapes[0]:
        return iter([(shapes[0][-1], shapes[1][-1])])
    if op.family is Family.CONVOLUTION and len(shapes) > 1:
        return _pairs_of_convolution(failure, shapes)
    widths = _pairs_of_widths(failure, shapes)
    operands = _pairs_of_operands(op, shapes[:_COMPARED])
    return itertools.chain(widths, operands)


def _is_shape(value: object) -> TypeGuard[Sequence[int]]:
    return isinstance(value, (list, tuple))


def _pairs_of_split(failure: Failure, shape: Shape) -> Iterator[Pair]:
    """What there is in a dimension, and the sum of its sections."""
    dim = failure.arg(2, "dim", 0)
    if isinstance(dim, int) and -len(shape) <= dim < len(shape):
        yield shape[dim], sum(failure.arg(1, "split_size_or_sections"))


def _pairs_of_convolution(failure: Failure, shapes: list[Shape]) -> Iterator[Pair]:
    dims = len(shapes[1]) - 2
    if len(shapes[0]) > dims:
        yield shapes[0][-dims - 1], channels_taken(failure)


def _pairs_of_unflatten(failure: Failure) -> Iterator[Pair]:
    shape = failure.tensors[0].shape
    dim, sizes = failure.arg(1, "dim"), failure.arg(2, "sizes")
    if not isinstance(dim, int) or not _is_shape(sizes):
        return
    if -len(shape) <= dim < len(shape):
        yield shape[dim], math.prod(size for size in sizes if size != -1)


def _pairs_of_view(failure: Failure) -> Iterator[Pair]:
    """All that is there, and all that is named; with a -1, of one sample too."""
    shape, given = failure.tensors[0].shape, failure.args[1:]
    if len(given) == 1 and _is_shape(given[0]):
        given = tuple(given[0])
    named = [size for size in given if isinstance(size, int) and size != -1]
    total, known = math.prod(shape), math.prod(named)
    if not known:
        return
    yield total, known
    batch = shape[0] if shape else 1
    if -1 in given and batch:
        yield total // batch, known


def _pairs_of_shuffle(failure: Failure, channels: int) -> Iterator[Pair]:
    """The multiples of the block below and above the channels."""
    factor = failure.arg(1, "upscale_factor")
    if not isinstance(factor, int) or not factor:
        return
    block = factor**2
    below = channels // block * block
    for size in (below, below + block):
        if size:
            yield channels, size


def _pairs_of_widths(failure: Failure, shapes: list[Shape]) -> Iterator[Pair]:
    """The last dimension of what arrives, and a width that the layer was made with."""
    attributes = failure.attributes
    widths = [value for key, value in attributes.items() if key in _WIDTHS]
    # query, key and value of an attention; input and states of a recurrent layer
    for shape in shapes[:3]:
        for width in widths:
            if shape and isinstance(width, int):
                yield shape[-1], width
    if _is_over_features(failure.op):
        normalized = failure.arg(1, "normalized_shape")
        if _is_shape(normalized) and normalized and shapes[0]:
            yield shapes[0][-1], normalized[-1]


def _pairs_of_operands(op: Op, shapes: list[Shape]) -> Iterator[Pair]:
    is_product = op.family is Family.MATMUL
    for left, right in itertools.combinations(shapes, 2):
        yield from _pair_differing(left, right)
        if is_product and left and len(right) > 1:
            yield left[-1], right[-2]


def _pair_differing(left: Shape, right: Shape) -> Iterator[Pair]:
    """Sizes that differ and do not broadcast, from behind and from the front."""
    common = min(len(left), len(right))
    for at in (*range(-1, -common - 1, -1), *range(common)):
        if left[at] != right[at] and 1 not in (left[at], right[at]):
            yield left[at], right[at]


# -- what a failure is about -------------------------------------------------------------


class Aspect(Enum):
    """What kind of sizes a failure is about."""

    SPATIAL = "spatial"
    CHANNELS = "channels"
    EITHER = "either"


def aspect_of(call: Call) -> Aspect:
    """The kind of sizes that a failed call is about."""
    failure = call.failure
    if failure is None:
        return Aspect.EITHER
    op, shapes = ops.of(failure.op), [fact.shape for fact in failure.tensors]
    is_convolution = op.family is Family.CONVOLUTION and not op.is_transposed
    if is_convolution and len(shapes) > 1:
        pairs = _pairs_of_convolution(failure, shapes)
        is_of_channels = any(arrives != taken for arrives, taken in pairs)
        return Aspect.CHANNELS if is_of_channels else Aspect.SPATIAL
    if op.family is Family.POOLING:
        return Aspect.SPATIAL
    if op.family is Family.NORMALISATION and not _is_over_features(failure.op):
        return Aspect.CHANNELS
    ranks = {len(shape) for shape in shapes}
    is_of_maps = ranks in ({4}, {5})
    is_of_several = op.family is Family.JOINING or op.broadcasts
    if is_of_maps and is_of_several:
        return _aspect_of_maps(failure, shapes)
    return Aspect.EITHER


def _aspect_of_maps(failure: Failure, shapes: list[Shape]) -> Aspect:
    """Which dimensions of several feature maps (N, C, ...) differ."""
    # maps may differ in the dimension that they are joined in
    joined = read_joined_dimension(failure) if is_concatenation(failure.op) else None
    differing = {
        at
        for at in range(len(shapes[0]))
        if len({shape[at] for shape in shapes} - {1}) > 1 and at != joined
    }
    if differing == {1}:
        return Aspect.CHANNELS
    is_spatial = differing and min(differing) >= 2
    return Aspect.SPATIAL if is_spatial else Aspect.EITHER


def _is_over_features(op: str) -> bool:
    """Whether a norm is over the last dimensions, and not over channels."""
    return "normalized_shape" in ops.of(op).takes


# -- the operand that differs ------------------------------------------------------------


def odd_one_out(call: Call) -> int | None:
    """Position of the one tensor argument whose shape differs from those of all others,
    which agree."""
    tensors = [
        (at, fact.shape) for at, fact in enumerate(call.inputs) if len(fact.shape) > 1
    ]
    if len(tensors) < 3:
        return None
    for position, shape in tensors:
        others = {other for at, other in tensors if at != position}
        if len(others) == 1 and shape not in others:
            return position
    return _odd_outside_of_dim(call)


def _odd_outside_of_dim(call: Call) -> int | None:
    """The same for tensors that are joined, whose sizes may differ in the dimension
    they are joined in."""
    failure = call.failure
    if failure is None or not is_concatenation(failure.op):
        return None
    dim, rank = read_joined_dimension(failure), _common_rank(call.inputs)
    if not isinstance(dim, int) or rank is None:
        return None
    at = dim % max(1, rank)
    shapes = [fact.shape[:at] + fact.shape[at + 1 :] for fact in call.inputs]
    single = [
        position for position, shape in enumerate(shapes) if shapes.count(shape) == 1
    ]
    return single[0] if len(single) == 1 and len(shapes) > 2 else None


def _common_rank(facts: list[TensorFact]) -> int | None:
    ranks = {len(fact.shape) for fact in facts}
    return ranks.pop() if len(ranks) == 1 else None
