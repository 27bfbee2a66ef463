"""The sizes of a failed call: which of them should be equal, and whether they are
channels, spatial sizes or others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
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
"""The most operands of a call that are compared with each other."""

_WIDTHS = {
    "input_size": slice(0, 1),
    "hidden_size": slice(1, 3),
    "embed_dim": slice(0, 3),
}
"""Arguments of recurrent and attention layers that set the width of tensors, and which
these are: the input, its states, or query, key and value."""

Pair = tuple[int, int]


def find_required_pairs(call: Call) -> Pairs:
    """Pairs of different sizes that a failed call requires to be equal: the size that
    arrives, and the size that is required."""
    if call.failure is None:
        return []
    pairs = dict.fromkeys(_pairs_of(call.failure))
    return [pair for pair in pairs if pair[0] != pair[1]]


def _pairs_of(failure: Failure) -> Iterator[Pair]:
    op, shapes = ops.of(failure.op), _shapes_of(failure)
    if failure.op in _PAIRS_OF_OPS:
        return _PAIRS_OF_OPS[failure.op](failure)
    misfits = [pair for pair in _pairs_of_masks(failure) if pair[0] != pair[1]]
    if misfits:
        return iter(misfits)
    if op.regroups:
        return _pairs_of_view(failure)
    has_weight = len(shapes) > 1
    if has_weight and op.family is Family.CONVOLUTION:
        return _pairs_of_convolution(failure)
    if has_weight and _is_over_channels(op, shapes):
        return iter([(shapes[0][1], shapes[1][0])])
    is_scalar = shapes[:1] == [()]
    if has_weight and op.family is Family.LINEAR and not is_scalar:
        return iter([(shapes[0][-1], shapes[1][-1])])
    widths = [
        *_pairs_of_widths(failure, shapes),
        *_pairs_of_normalized(failure, shapes),
    ]
    # the input of a layer is not held against all its weights
    if any(one != other for one, other in widths):
        return iter(widths)
    return itertools.chain(widths, _pairs_of_operands(op, shapes[:_COMPARED]))


def _shapes_of(failure: Failure) -> list[Shape]:
    return [fact.shape for fact in failure.tensors]


# -- of ops whose own numbers say which sizes they take ---------------------------------


def _pairs_of_split(failure: Failure) -> Iterator[Pair]:
    """The size of a dimension, and the sum of its sections."""
    sections = failure.arg(1, "split_size_or_sections")
    length = _length_in(failure, failure.arg(2, "dim", 0))
    if length is not None and _is_shape(sections):
        yield length, sum(sections)


def _pairs_of_unflatten(failure: Failure) -> Iterator[Pair]:
    """The size of a dimension, and the product of its parts."""
    parts = failure.arg(2, "sizes")
    length = _length_in(failure, failure.arg(1, "dim"))
    if length is not None and _is_shape(parts):
        yield length, math.prod(size for size in parts if size != -1)


def _length_in(failure: Failure, dim: object) -> int | None:
    """The size of the first tensor in a dimension; None if it does not have that
    dimension."""
    shape = failure.tensors[0].shape
    if not isinstance(dim, int):
        return None
    return shape[dim] if -len(shape) <= dim < len(shape) else None


def _is_shape(value: object) -> TypeGuard[Sequence[int]]:
    return isinstance(value, (list, tuple))


def _pairs_of_shuffle(failure: Failure) -> Iterator[Pair]:
    """The channels, and the nearest multiples of the block below and above them."""
    shape = failure.tensors[0].shape
    factor = failure.arg(1, "upscale_factor")
    if len(shape) < 3 or not isinstance(factor, int) or not factor:
        return
    # (..., C * factor ** 2, H, W) becomes (..., C, H * factor, W * factor)
    # plain numbers: what is taken must not follow what arrives
    channels, block = shape[-3], int(factor) ** 2
    below = int(channels) // block * block
    if below:
        yield channels, below
    yield channels, below + block


def _pairs_of_masks(failure: Failure) -> Iterator[Pair]:
    """The sizes of an attention's masks, and those of the sequences they are for."""
    if failure.op != "multi_head_attention_forward":
        return
    query, key = failure.tensors[:2]
    if len(query.shape) != 3 or len(key.shape) != 3:
        return
    # (length, batch, features), whatever `batch_first` says
    (target, batch), source = query.shape[:2], key.shape[0]
    for name, wanted in (
        ("attn_mask", (target, source)),
        ("key_padding_mask", (batch, source)),
    ):
        mask = failure.kwargs.get(name)
        if isinstance(mask, TensorFact) and len(mask.shape) >= len(wanted):
            yield from zip(mask.shape[-2:], wanted, strict=True)


_PAIRS_OF_OPS: dict[str, Callable[[Failure], Iterator[Pair]]] = {
    "split": _pairs_of_split,
    "unflatten": _pairs_of_unflatten,
    "pixel_shuffle": _pairs_of_shuffle,
}


def _pairs_of_view(failure: Failure) -> Iterator[Pair]:
    """The number of elements, and the product of the written sizes; with a -1, also for
    one sample."""
    shape, given = failure.tensors[0].shape, failure.args[1:]
    # `x.view((2, 3))` is `x.view(2, 3)`
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


# -- of ops that hold a tensor against a weight, or against another one ------------------


def _pairs_of_convolution(failure: Failure) -> Iterator[Pair]:
    """The channels that arrive, and those that the weight requires."""
    shape, weight = _shapes_of(failure)[:2]
    spatial = len(weight) - 2
    if len(shape) > spatial:
        yield shape[-spatial - 1], channels_taken(failure)


def _pairs_of_widths(failure: Failure, shapes: list[Shape]) -> Iterator[Pair]:
    """The last dimension of the input, and each width for which the layer was made."""
    for name, places in _WIDTHS.items():
        width = failure.attributes.get(name)
        if isinstance(width, int):
            yield from ((shape[-1], width) for shape in shapes[places] if shape)


def _pairs_of_normalized(failure: Failure, shapes: list[Shape]) -> Iterator[Pair]:
    """The last dimension of the input, and that of a norm over features."""
    if not _is_over_features(failure.op) or not shapes[0]:
        return
    normalized = failure.arg(1, "normalized_shape")
    if _is_shape(normalized) and normalized:
        yield shapes[0][-1], normalized[-1]


def _pairs_of_operands(op: Op, shapes: list[Shape]) -> Iterator[Pair]:
    is_product = op.family is Family.MATMUL
    for left, right in itertools.combinations(shapes, 2):
        yield from _pair_differing(left, right)
        if is_product and left and len(right) > 1:
            yield left[-1], right[-2]


def _pair_differing(left: Shape, right: Shape) -> Iterator[Pair]:
    """Pairs of sizes that differ and do not broadcast, aligned from the last and from
    the first dimension."""
    from_behind = zip(reversed(left), reversed(right), strict=False)
    from_front = zip(left, right, strict=False)
    for one, other in (*from_behind, *from_front):
        if one != other and 1 not in (one, other):
            yield one, other


# -- what a failure is about -------------------------------------------------------------


class Aspect(Enum):
    """The kind of sizes that a failure is about."""

    SPATIAL = "spatial"
    CHANNELS = "channels"
    EITHER = "either"


def aspect_of(call: Call) -> Aspect:
    """The kind of sizes that a failed call is about."""
    failure = call.failure
    if failure is None:
        return Aspect.EITHER
    op = ops.of(failure.op)
    if op.family is Family.CONVOLUTION and not op.is_transposed:
        return _aspect_of_convolution(failure)
    if op.family is Family.POOLING:
        return Aspect.SPATIAL
    if op.family is Family.NORMALISATION and not _is_over_features(failure.op):
        return Aspect.CHANNELS
    if op.family is Family.JOINING or op.broadcasts:
        return _aspect_of_operands(failure)
    return Aspect.EITHER


def _aspect_of_convolution(failure: Failure) -> Aspect:
    """Channels if they do not fit the weight; otherwise the map is too small."""
    if len(failure.tensors) < 2:
        return Aspect.EITHER
    pairs = _pairs_of_convolution(failure)
    is_of_channels = any(arrives != taken for arrives, taken in pairs)
    return Aspect.CHANNELS if is_of_channels else Aspect.SPATIAL


def _aspect_of_operands(failure: Failure) -> Aspect:
    """The kind of the dimensions in which several feature maps (N, C, ...) differ."""
    shapes = _shapes_of(failure)
    ranks = {len(shape) for shape in shapes}
    if ranks not in ({4}, {5}):
        return Aspect.EITHER
    columns = enumerate(zip(*shapes, strict=True))
    differing = {at for at, sizes in columns if len({*sizes} - {1}) > 1}
    if is_concatenation(failure.op):
        # maps may differ in the dimension that they are joined in
        differing.discard(read_joined_dimension(failure))
    if differing == {1}:
        return Aspect.CHANNELS
    is_spatial = differing and min(differing) >= 2
    return Aspect.SPATIAL if is_spatial else Aspect.EITHER


def _is_over_channels(op: Op, shapes: list[Shape]) -> bool:
    """Whether a norm holds channels, the second dimension, against statistics or
    weights of one number each."""
    is_norm = op.family is Family.NORMALISATION and "normalized_shape" not in op.takes
    return is_norm and len(shapes[0]) > 1 and len(shapes[1]) == 1


def _is_over_features(op: str) -> bool:
    """Whether a norm is over the last dimensions rather than over channels."""
    return "normalized_shape" in ops.of(op).takes


# -- the operand that differs ------------------------------------------------------------


def odd_one_out(call: Call) -> int | None:
    """The position of the only tensor argument whose shape differs from those of all
    others, which agree."""
    # vectors and scalars among them are biases, masks and lengths
    tensors = {
        at: fact.shape for at, fact in enumerate(call.inputs) if len(fact.shape) > 1
    }
    if len(tensors) < 3:
        return None
    for position, shape in tensors.items():
        others = {other for at, other in tensors.items() if at != position}
        if len(others) == 1 and shape not in others:
            return position
    return _odd_outside_of_dim(call)


def _odd_outside_of_dim(call: Call) -> int | None:
    """Like `odd_one_out`, for tensors that are joined along a dimension in which their
    sizes may differ."""
    failure = call.failure
    if failure is None or not is_concatenation(failure.op):
        return None
    rank = _common_rank(call.inputs)
    if rank is None:
        return None
    at = read_joined_dimension(failure) % max(1, rank)
    shapes = [fact.shape[:at] + fact.shape[at + 1 :] for fact in call.inputs]
    single = [at for at, shape in enumerate(shapes) if shapes.count(shape) == 1]
    # of two shapes that differ neither is the odd one
    is_clear = len(single) == 1 and len(shapes) > 2
    return single[0] if is_clear else None


def _common_rank(facts: list[TensorFact]) -> int | None:
    ranks = {len(fact.shape) for fact in facts}
    return ranks.pop() if len(ranks) == 1 else None
