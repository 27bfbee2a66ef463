"""Ops that repeat a tensor, cut it into blocks, or put blocks together."""

from __future__ import annotations

import math

from shapelint.facts.graph import Call, Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.failed_arguments import dims_of
from shapelint.ops.record import Cost, Family, Op
from shapelint.ops.sliding import expand_to_dims
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import shape_text


def recover_repetition(failure: Failure) -> list[Shape]:
    shape, times = failure.args[0].shape, dims_of(failure)
    # missing dimensions and missing counts are both taken as 1, in front
    rank = max(len(shape), len(times))
    have = (1,) * (rank - len(shape)) + tuple(shape)
    by = [1] * (rank - len(times)) + times
    return [tuple(size * count for size, count in zip(have, by, strict=True))]


def recover_unfolding(failure: Failure) -> list[Shape]:
    """(N, C * kernel, blocks) for the function; the tensor method, which takes a
    dimension, a size and a step, adds one dimension."""
    shape = failure.args[0].shape
    kernel = failure.arg(1, "kernel_size")
    has_step = len(failure.args) > 3
    is_method = has_step and not failure.kwargs and isinstance(kernel, int)
    if len(shape) == 4 and kernel is not None and not is_method:
        # The number of blocks depends on strides and padding; one is enough to go on.
        return [(shape[0], shape[1] * math.prod(expand_to_dims(kernel, 2, 1)), 1)]
    return [(*shape, failure.args[3])] if has_step else []


def recover_folding(failure: Failure) -> list[Shape]:
    shape = failure.arg(0, "input").shape
    if len(shape) != 3:
        return []
    kernel = math.prod(expand_to_dims(failure.arg(2, "kernel_size"), 2, 1))
    size = expand_to_dims(failure.arg(1, "output_size"), 2, 1)
    return [(shape[0], max(1, shape[1] // kernel), *size)]


def explain_folding(call: Call, failure: Failure) -> tuple[str, str] | None:
    shape = failure.tensors[0].shape
    kernel = math.prod(expand_to_dims(failure.arg(2, "kernel_size"), 2, 1))
    size = shape_text(expand_to_dims(failure.arg(1, "output_size"), 2, 1))
    message = f"{subject(call)} cannot assemble {size} from blocks of shape {shape_text(shape)}"
    return message, f"blocks of {kernel} values expected"


OPS = (
    Op(
        "repeat",
        aliases=("tile",),
        family=Family.TILING,
        recover=recover_repetition,
        kernels=("repeat",),
        cost=Cost.REPEAT,
    ),
    Op(
        "unfold",
        "Unfold",
        family=Family.TILING,
        arguments=("kernel_size", "dilation", "padding", "stride"),
        recover=recover_unfolding,
        kernels=("im2col",),
        cost=Cost.UNFOLDED,
    ),
    Op(
        "fold",
        "Fold",
        family=Family.TILING,
        arguments=("output_size", "kernel_size", "dilation", "padding", "stride"),
        resizes=("output_size",),
        recover=recover_folding,
        misfit=explain_folding,
        kernels=("col2im",),
        cost=Cost.RESIZED,
    ),
)
