"""Pooling by a window or to a given size, and unpooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Cost, Family, Keeps, Op
from shapelint.ops.sliding import (
    at_least_one,
    compute_window_output,
    expand_to_dims,
    split_spatial,
)


def _dims(failure: Failure) -> int:
    """The number of spatial dimensions in the op's name: 2 for `max_pool2d`."""
    return int(failure.op[-2])


def pool_geometry(failure: Failure) -> list[int]:
    """Spatial output sizes of a failed pooling, possibly below 1.

    Raises:
        NoWindowError: as `compute_window_output`.
    """
    dims = _dims(failure)
    _, sizes = split_spatial(failure.arg(0, "input"), dims)
    kernel = expand_to_dims(failure.arg(1, "kernel_size"), dims, 1)
    given = failure.arg(2, "stride")
    # a pooling without a stride puts its windows side by side
    stride = kernel if given in (None, ()) else expand_to_dims(given, dims, 1)
    given_padding = expand_to_dims(failure.arg(3, "padding"), dims, 0)
    # torch refuses more than half a kernel; the walk goes on as with the most it takes
    padding = tuple(
        min(pad, size // 2) for pad, size in zip(given_padding, kernel, strict=True)
    )
    is_max = failure.op.startswith("max")
    dilation = (
        expand_to_dims(failure.arg(4, "dilation"), dims, 1) if is_max else (1,) * dims
    )
    ceil = bool(failure.arg(5 if is_max else 4, "ceil_mode", False))
    columns = zip(sizes, kernel, stride, padding, dilation, strict=True)
    return [compute_window_output(*column, ceil) for column in columns]


def recover_pooling(failure: Failure) -> list[Shape]:
    lead, _ = split_spatial(failure.arg(0, "input"), _dims(failure))
    return [(*lead, *at_least_one(pool_geometry(failure)))]


def recover_pooling_to_a_size(failure: Failure) -> list[Shape]:
    dims = _dims(failure)
    shape = failure.arg(0, "input").shape
    lead = shape[: max(1, len(shape) - dims)]
    return [(*lead, *expand_to_dims(failure.arg(1, "output_size"), dims, 1))]


_MAX = ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode")
_AVERAGE = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")


def _poolings(dims: int) -> Iterator[Op]:
    shared: dict[str, Any] = {
        "family": Family.POOLING,
        "keeps": Keeps.CHANNELS,
        "spatial_dims": dims,
        "word": "pool",
    }
    ranks = (dims + 1, dims + 2)
    for kind, layer, arguments in (("max", "Max", _MAX), ("avg", "Avg", _AVERAGE)):
        yield Op(
            f"{kind}_pool{dims}d",
            f"{layer}Pool{dims}d",
            ranks=ranks,
            arguments=arguments,
            recover=recover_pooling,
            kernels=(f"{kind}_pool{dims}d_with_indices",) if kind == "max" else (),
            cost=Cost.WITH_INDICES if kind == "max" else Cost.POINTWISE,
            **shared,
        )
        yield Op(
            f"adaptive_{kind}_pool{dims}d",
            f"Adaptive{layer}Pool{dims}d",
            ranks=ranks,
            arguments=("output_size",),
            resizes=("output_size",),
            recover=recover_pooling_to_a_size,
            kernels=(
                f"adaptive_{kind}_pool{dims}d*",
                f"_adaptive_{kind}_pool{dims}d*",
            ),
            cost=Cost.RESIZED,
            **shared,
        )
    yield Op(
        f"lp_pool{dims}d",
        f"LPPool{dims}d",
        arguments=("norm_type", "kernel_size", "stride", "ceil_mode"),
        **shared,
    )
    yield Op(
        f"max_unpool{dims}d",
        f"MaxUnpool{dims}d",
        arguments=("kernel_size", "stride", "padding"),
        kernels=(f"max_unpool{dims}d*",),
        cost=Cost.RESIZED,
        **shared,
    )
    if dims > 1:
        yield Op(
            f"fractional_max_pool{dims}d",
            f"FractionalMaxPool{dims}d",
            arguments=("kernel_size", "output_size", "output_ratio"),
            resizes=("output_size",),
            **shared,
        )


OPS = tuple(op for dims in (1, 2, 3) for op in _poolings(dims))
