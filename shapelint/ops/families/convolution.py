"""Convolutions and transposed convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapelint.facts.graph import Failure
from shapelint.facts.numbers import whole
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Cost, Family, Op
from shapelint.ops.sliding import (
    at_least_one,
    compute_transposed_output,
    compute_window_output,
    expand_to_dims,
    split_spatial,
)

_STRIDE, _PADDING = 3, 4
_DILATION, _GROUPS = 5, 6
_OUTPUT_PADDING, _TRANSPOSED_DILATION = 5, 7
"""Positions of the arguments of `conv_transpose2d` that differ from those of
`conv2d`."""


def channels_taken(failure: Failure) -> int:
    """The number of channels that a failed convolution takes, transposed or not."""
    # (out, in / groups, ...), of a transposed one (in, out / groups, ...)
    weight = failure.arg(1, "weight")
    if "transpose" in failure.op:
        taken: int = weight.shape[0]
        return taken
    per_group: int = weight.shape[1]
    return per_group * _groups(failure)


def _groups(failure: Failure) -> int:
    groups: int = whole(failure.arg(_GROUPS, "groups", 1) or 1)
    return groups


def conv_geometry(failure: Failure, sizes: Shape | None = None) -> list[int]:
    """Spatial output sizes of a failed convolution, possibly below 1. `sizes` replaces
    the spatial sizes of its input.

    Raises:
        NoWindowError: as `compute_window_output`.
    """
    kernel = failure.arg(1, "weight").shape[2:]
    dims = len(kernel)
    if sizes is None:
        _, sizes = split_spatial(failure.arg(0, "input"), dims)
    padding = failure.arg(_PADDING, "padding")
    if padding == "same":
        return list(sizes)
    stride = expand_to_dims(failure.arg(_STRIDE, "stride"), dims, 1)
    dilation = expand_to_dims(failure.arg(_DILATION, "dilation"), dims, 1)
    pads = expand_to_dims(None if padding == "valid" else padding, dims, 0)
    columns = zip(sizes, kernel, stride, pads, dilation, strict=True)
    return [compute_window_output(*column) for column in columns]


def recover_convolution(failure: Failure) -> list[Shape]:
    """The output as if the channels were right. If they came last, they are moved to
    the front first."""
    shape, weight = failure.arg(0, "input").shape, failure.arg(1, "weight")
    gives, dims = weight.shape[0], len(weight.shape) - 2
    rank, takes = len(shape), channels_taken(failure)
    found: list[Shape] = []
    # channels last, as images come from files: a batch of them, then a single one
    if rank == dims + 2 and shape[1] != takes and shape[-1] == takes:
        sizes = conv_geometry(failure, shape[1:-1])
        found.append((shape[0], gives, *at_least_one(sizes)))
    if rank == dims + 1 and shape[0] != takes and shape[-1] == takes:
        sizes = conv_geometry(failure, shape[:-1])
        found.append((gives, *at_least_one(sizes)))
    # `Conv1d` for an image: its kernel says what `Conv2d` would have
    if rank > dims + 2 and _is_alike_in_all_dimensions(failure):
        found.append((shape[0], gives, *_sizes_of_higher_rank(failure)))
    if rank >= dims:
        sizes = conv_geometry(failure)
        found.append((*_batch(shape, dims), gives, *at_least_one(sizes)))
    return found


def _is_alike_in_all_dimensions(failure: Failure) -> bool:
    """Whether stride and padding are the same in every dimension, so that they also fit
    a convolution of higher rank."""
    given = (failure.arg(_STRIDE, "stride"), failure.arg(_PADDING, "padding"))
    return not any(
        isinstance(value, str)
        or (isinstance(value, (tuple, list)) and len(set(value)) > 1)
        for value in given
    )


def _sizes_of_higher_rank(failure: Failure) -> Shape:
    """The output sizes of the convolution that has the input's rank and the same
    numbers: of `Conv2d` instead of `Conv1d`."""
    x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
    kernel = weight.shape[2]
    stride = _read_first(failure.arg(_STRIDE, "stride"), 1)
    padding = _read_first(failure.arg(_PADDING, "padding"), 0)
    if "transpose" not in failure.op:
        dilation = _read_first(failure.arg(_DILATION, "dilation"), 1)
        return at_least_one(
            [
                compute_window_output(size, kernel, stride, padding, dilation)
                for size in x.shape[2:]
            ]
        )
    dilation = _read_first(failure.arg(_TRANSPOSED_DILATION, "dilation"), 1)
    extra = _read_first(failure.arg(_OUTPUT_PADDING, "output_padding"), 0)
    return at_least_one(
        [
            compute_transposed_output(size, kernel, stride, padding, dilation, extra)
            for size in x.shape[2:]
        ]
    )


def _read_first(value: Any, default: int) -> int:
    return expand_to_dims(value, 1, default)[0]


def _batch(shape: Shape, dims: int) -> Shape:
    """The batch dimension of a convolution's output: empty for (C, H, W), (1,) for (H,
    W)."""
    if len(shape) == dims + 1:
        return ()
    # without channels too, it is an image of one channel; a batch of 1 is the usual fix
    return (1,) if len(shape) == dims else shape[:1]


def recover_transposed_convolution(failure: Failure) -> list[Shape]:
    """The output as if the channels were right. For an input of higher rank, the output
    of the layer for that rank is tried first."""
    x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
    kernel = weight.shape[2:]
    dims = len(kernel)
    _, sizes = split_spatial(x, dims)
    stride = expand_to_dims(failure.arg(_STRIDE, "stride"), dims, 1)
    padding = expand_to_dims(failure.arg(_PADDING, "padding"), dims, 0)
    extra = expand_to_dims(failure.arg(_OUTPUT_PADDING, "output_padding"), dims, 0)
    dilation = expand_to_dims(failure.arg(_TRANSPOSED_DILATION, "dilation"), dims, 1)
    columns = zip(sizes, kernel, stride, padding, dilation, extra, strict=True)
    out = [compute_transposed_output(*column) for column in columns]
    batch = x.shape[:1] if len(x.shape) != dims + 1 else ()
    gives = weight.shape[1] * _groups(failure)
    found: list[Shape] = [(*batch, gives, *at_least_one(out))]
    if len(x.shape) > dims + 2:
        found.insert(0, (x.shape[0], gives, *_sizes_of_higher_rank(failure)))
    return found


_ARGUMENTS = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    *("dilation", "groups", "bias", "padding_mode"),
)
_TRANSPOSED_ARGUMENTS = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    *("output_padding", "groups", "bias", "dilation", "padding_mode"),
)


_KERNELS = ("convolution", "_convolution", "convolution_overrideable")
"""The kernels of all convolutions, transposed ones included."""


def _convolutions() -> Iterator[Op]:
    for dims in (1, 2, 3):
        yield Op(
            f"conv{dims}d",
            f"Conv{dims}d",
            family=Family.CONVOLUTION,
            spatial_dims=dims,
            ranks=(dims + 1, dims + 2),
            arguments=_ARGUMENTS,
            takes=("in_channels",),
            gives=("out_channels",),
            counts=("groups",),
            recover=recover_convolution,
            word="conv",
            # one record must have them; which one makes no difference to the cost
            kernels=_KERNELS if dims == 1 else (),
            cost=Cost.CONVOLUTION,
        )
        yield Op(
            f"conv_transpose{dims}d",
            f"ConvTranspose{dims}d",
            family=Family.CONVOLUTION,
            spatial_dims=dims,
            is_transposed=True,
            ranks=(dims + 1, dims + 2),
            arguments=_TRANSPOSED_ARGUMENTS,
            takes=("in_channels",),
            gives=("out_channels",),
            counts=("groups",),
            recover=recover_transposed_convolution,
            word="upconv",
        )


def _lazy_convolutions() -> Iterator[Op]:
    """Lazy convolutions declare only the channels they give. Those they take are known
    after the first call."""
    for dims in (1, 2, 3):
        for infix, arguments in (
            ("", _ARGUMENTS),
            ("Transpose", _TRANSPOSED_ARGUMENTS),
        ):
            yield Op(
                f"LazyConv{infix}{dims}d",
                family=Family.CONVOLUTION,
                spatial_dims=dims,
                is_transposed=bool(infix),
                arguments=arguments[1:],
                gives=("out_channels",),
                counts=("groups",),
            )


OPS = (
    *_convolutions(),
    *_lazy_convolutions(),
)
