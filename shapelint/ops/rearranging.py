"""Transposes, splits, indexing, resampling, reductions: what could be said of the
result all the same."""

from __future__ import annotations

import math
from typing import Any

from shapelint.facts.graph import Failure, Shape, TensorFact, facts_in
from shapelint.ops import recovers
from shapelint.ops.layers import spread

MOST_PARTS = 10_000
"""Results of one call that are stood in for; a model that unpacks them writes a name
for each."""


def dims_of(failure: Failure) -> list[int]:
    """The dimensions that a call names, by position or keyword."""
    named = [
        failure.kwargs[key]
        for key in ("dim", "dims", "dim0", "dim1", "axis", "start_dim")
        if key in failure.kwargs
    ]
    flat: list[int] = []
    for value in [*failure.args[1:], *named]:
        items = value if isinstance(value, (list, tuple)) else [value]
        flat += [
            item
            for item in items
            if isinstance(item, int) and not isinstance(item, bool)
        ]
    return flat


@recovers("transpose", "swapaxes", "swapdims")
def transposed(failure: Failure) -> list[Shape]:
    """Of a tensor with too few dimensions: its last two exchanged."""
    shape = failure.args[0].shape
    return [(*shape[:-2], shape[-1], shape[-2])] if len(shape) > 1 else [shape]


@recovers("permute")
def permuted(failure: Failure) -> list[Shape]:
    shape = failure.args[0].shape
    order = [dim for dim in dims_of(failure) if dim < len(shape)]
    return (
        [tuple(shape[dim] for dim in order)]
        if len(set(order)) == len(shape)
        else [shape]
    )


@recovers("unsqueeze")
def unsqueezed(failure: Failure) -> list[Shape]:
    return [(*failure.args[0].shape, 1)]


@recovers(
    "squeeze",
    "softmax",
    "log_softmax",
    "cumsum",
    "flip",
    "roll",
    "normalize",
    "triu",
    "tril",
    "sort",
    "glu",
)
def kept(failure: Failure) -> list[Shape]:
    """As it came in; half as wide for a gated linear unit."""
    shape = failure.tensors[0].shape
    return (
        [(*shape[:-1], max(1, shape[-1] // 2))]
        if failure.op == "glu" and shape
        else [shape]
    )


@recovers(
    "mean",
    "sum",
    "amax",
    "amin",
    "std",
    "var",
    "prod",
    "norm",
    "logsumexp",
    "any",
    "all",
    "argmax",
    "argmin",
)
def reduced(failure: Failure) -> list[Shape]:
    """Without the dimensions that are there."""
    shape = failure.args[0].shape
    gone = {
        dim % len(shape)
        for dim in dims_of(failure)
        if shape and -len(shape) <= dim < len(shape)
    }
    if failure.kwargs.get("keepdim"):
        return [tuple(1 if at in gone else size for at, size in enumerate(shape))]
    return [tuple(size for at, size in enumerate(shape) if at not in gone)]


@recovers("chunk", "split", "tensor_split", "unbind")
def parted(failure: Failure) -> list[Any]:
    """As many parts as were asked for, each with its share."""
    shape = failure.args[0].shape
    wanted = failure.arg(1, "chunks", failure.kwargs.get("split_size_or_sections", 1))
    named = failure.args[2:3] or [failure.kwargs.get("dim", 0)]
    dim = (
        named[0]
        if isinstance(named[0], int) and -len(shape) <= named[0] < len(shape)
        else -1
    )
    at = dim % len(shape)
    if isinstance(wanted, (list, tuple)):
        sizes = list(wanted)
    elif 0 < wanted <= MOST_PARTS:
        sizes = [max(1, shape[at] // wanted)] * wanted
    else:
        return []
    return [tuple((*shape[:at], size, *shape[at + 1 :]) for size in sizes)]


@recovers("getitem")
def indexed(failure: Failure) -> list[Shape]:
    """The part of the index that the tensor has."""
    shape, index = failure.args[0].shape, failure.args[1]
    items = list(index) if isinstance(index, tuple) else [index]
    if any(not isinstance(item, (int, slice, type(None))) for item in items):
        return []
    found: list[int] = []
    at = 0
    for item in items:
        if item is None:
            found.append(1)
        elif at < len(shape):
            if isinstance(item, slice):
                found.append(len(range(*item.indices(shape[at]))))
            at += 1
    return [(*found, *shape[at:])]


@recovers("pixel_shuffle", "pixel_unshuffle")
def shuffled(failure: Failure) -> list[Shape]:
    shape, factor = (
        failure.arg(0, "input").shape,
        failure.arg(1, "upscale_factor", failure.arg(1, "downscale_factor", 1)),
    )
    if len(shape) < 3 or factor < 1:
        return []
    if failure.op == "pixel_shuffle":
        return [
            (
                *shape[:-3],
                max(1, shape[-3] // factor**2),
                shape[-2] * factor,
                shape[-1] * factor,
            )
        ]
    return [
        (*shape[:-3], shape[-3] * factor**2, shape[-2] // factor, shape[-1] // factor)
    ]


@recovers("interpolate", "upsample")
def resampled(failure: Failure) -> list[Shape]:
    shape = failure.arg(0, "input").shape
    dims = len(shape) - 2
    size, scale = failure.arg(1, "size"), failure.arg(2, "scale_factor")
    if dims < 1:
        return [shape]
    if size is not None:
        return [(*shape[:2], *spread(size, dims, 1)[:dims])]
    factors = scale if isinstance(scale, (list, tuple)) else [scale or 1] * dims
    return [
        (
            *shape[:2],
            *(int(have * by) for have, by in zip(shape[2:], factors, strict=False)),
        )
    ]


@recovers("pad")
def padded(failure: Failure) -> list[Shape]:
    shape, amounts = list(failure.arg(0, "input").shape), failure.arg(1, "pad")
    for at in range(min(len(amounts) // 2, len(shape))):
        shape[-1 - at] += amounts[2 * at] + amounts[2 * at + 1]
    return [tuple(max(1, size) for size in shape)]


@recovers("repeat", "tile")
def repeated(failure: Failure) -> list[Shape]:
    shape, times = failure.args[0].shape, dims_of(failure)
    long = max(len(shape), len(times))
    have, by = (
        (1,) * (long - len(shape)) + tuple(shape),
        [1] * (long - len(times)) + times,
    )
    return [tuple(a * b for a, b in zip(have, by, strict=True))]


@recovers("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")
@recovers("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def pooled_to(failure: Failure) -> list[Shape]:
    dims = int(failure.op[-2])
    shape = failure.arg(0, "input").shape
    return [
        (
            *shape[: max(1, len(shape) - dims)],
            *spread(failure.arg(1, "output_size"), dims, 1),
        )
    ]


@recovers("unfold")
def unfolded(failure: Failure) -> list[Shape]:
    """(N, C * kernel, blocks); of the method of tensors: one dimension more."""
    shape = failure.args[0].shape
    kernel = failure.arg(1, "kernel_size")
    if (
        len(shape) != 4
        or kernel is None
        or (len(failure.args) > 3 and failure.kwargs == {} and isinstance(kernel, int))
    ):
        return [(*shape, failure.args[3])] if len(failure.args) > 3 else []
    return [(shape[0], shape[1] * math.prod(spread(kernel, 2, 1)), 1)]


@recovers("fold")
def folded(failure: Failure) -> list[Shape]:
    shape = failure.arg(0, "input").shape
    size, kernel = (
        spread(failure.arg(1, "output_size"), 2, 1),
        spread(failure.arg(2, "kernel_size"), 2, 1),
    )
    return (
        [(shape[0], max(1, shape[1] // math.prod(kernel)), *size)]
        if len(shape) == 3
        else []
    )


@recovers("einsum")
def summed(failure: Failure) -> list[Shape]:
    """Each letter by the first operand that has it."""
    equation = failure.args[0]
    if not isinstance(equation, str) or "..." in equation or "->" not in equation:
        return []
    given, wanted = equation.replace(" ", "").split("->")
    sizes: dict[str, int] = {}
    tensors: list[TensorFact] = list(facts_in(failure.args[1:]))
    for letters, fact in zip(given.split(","), tensors, strict=False):
        for letter, size in zip(letters, fact.shape, strict=False):
            sizes.setdefault(letter, size)
    if any(letter not in sizes for letter in wanted):
        return []
    return [tuple(sizes[letter] for letter in wanted)]


@recovers("gather", "take_along_dim")
def gathered(failure: Failure) -> list[Shape]:
    return [failure.tensors[1].shape]


@recovers("index_select")
def selected(failure: Failure) -> list[Shape]:
    shape, dim, index = (
        failure.args[0].shape,
        failure.arg(1, "dim", 0),
        failure.tensors[1],
    )
    at = dim % len(shape) if -len(shape) <= dim < len(shape) else 0
    return [(*shape[:at], math.prod(index.shape), *shape[at + 1 :])]


@recovers("cosine_similarity", "pairwise_distance")
def compared(failure: Failure) -> list[Shape]:
    shape = failure.tensors[0].shape
    return [shape[:-1]]


_LOSSES = (
    *(
        "cross_entropy",
        "nll_loss",
        "smooth_l1_loss",
        "huber_loss",
        "binary_cross_entropy",
        "soft_margin_loss",
    ),
    *(
        "binary_cross_entropy_with_logits",
        "kl_div",
        "poisson_nll_loss",
        "gaussian_nll_loss",
        "multi_margin_loss",
    ),
    *(
        "multilabel_margin_loss",
        "ctc_loss",
        "triplet_margin_loss",
        "margin_ranking_loss",
        "cosine_embedding_loss",
    ),
)


@recovers(*_LOSSES)
def loss(failure: Failure) -> list[Shape]:
    """One number, or one for each target where nothing is averaged."""
    if failure.kwargs.get("reduction") == "none" and len(failure.tensors) > 1:
        return [failure.tensors[1].shape]
    return [()]
