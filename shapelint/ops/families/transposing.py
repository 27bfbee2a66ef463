"""Ops that reorder dimensions."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.failed_arguments import dims_of
from shapelint.ops.record import Dims, Family, Op


def recover_transposition(failure: Failure) -> list[Shape]:
    """If the tensor has too few dimensions, swap its last two."""
    shape = failure.args[0].shape
    return [(*shape[:-2], shape[-1], shape[-2])] if len(shape) > 1 else [shape]


def recover_permutation(failure: Failure) -> list[Shape]:
    """Keep the dimensions that exist, in the requested order."""
    shape = failure.args[0].shape
    order = [dim for dim in dims_of(failure) if dim < len(shape)]
    is_whole = len(set(order)) == len(shape)
    return [tuple(shape[dim] for dim in order)] if is_whole else [shape]


OPS = (
    Op(
        "transpose",
        aliases=("swapaxes", "swapdims"),
        family=Family.TRANSPOSING,
        dims=Dims.ALL,
        recover=recover_transposition,
    ),
    Op(
        "permute",
        family=Family.TRANSPOSING,
        dims=Dims.ALL,
        recover=recover_permutation,
    ),
    Op("movedim", family=Family.TRANSPOSING, dims=Dims.SOME),
    Op("t", family=Family.TRANSPOSING),
    Op("T", family=Family.TRANSPOSING, is_layout=True),
    Op("mT", family=Family.TRANSPOSING, is_layout=True),
)
