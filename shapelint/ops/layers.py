"""Linear, convolution, normalisation and pooling: the layer's own numbers say what it
would give."""

from __future__ import annotations

import math
from typing import Any

from shapelint.facts.graph import Failure, Shape, TensorFact
from shapelint.ops import recovers


def spread(value: Any, dims: int, default: int) -> tuple[int, ...]:
    """A stride, padding or the like for each spatial dimension."""
    if value is None or value == ():
        return (default,) * dims
    if isinstance(value, int):
        return (value,) * dims
    values = tuple(int(item) for item in value)
    return values * dims if len(values) == 1 else values


class NoWindowError(ValueError):
    """A kernel, stride or dilation below 1, or a padding below 0: no size of input
    makes it a window."""


def window_output(
    size: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    ceil: bool = False,
) -> int:
    """Length of a sliding window's output (torch.nn.Conv2d, torch.nn.MaxPool2d,
    "Shape"); may be below 1.

    Raises:
        NoWindowError: torch refuses a window of these numbers for every size.
    """
    _require_window(kernel, stride, padding, dilation)
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if ceil:
        out = -(-room // stride) + 1
        return out - 1 if (out - 1) * stride >= size + padding else out
    return room // stride + 1


def transposed_output(
    size: int, kernel: int, stride: int, padding: int, dilation: int, extra: int
) -> int:
    """Length of a transposed convolution's output (torch.nn.ConvTranspose2d, "Shape");
    may be below 1.

    Raises:
        NoWindowError: as `window_output`.
    """
    _require_window(kernel, stride, padding, dilation)
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1


def _require_window(kernel: int, stride: int, padding: int, dilation: int) -> None:
    if min(kernel, stride, dilation) < 1 or padding < 0:
        raise NoWindowError


def _spatial(x: TensorFact, dims: int) -> tuple[Shape, Shape]:
    """Leading sizes and the last `dims` sizes, missing ones taken as 1."""
    sizes = x.shape[-dims:] if len(x.shape) >= dims else x.shape
    return x.shape[: max(0, len(x.shape) - dims)], (1,) * (dims - len(sizes)) + sizes


@recovers("linear")
def linear(failure: Failure) -> list[Shape]:
    """As if the features were right; of a map that was not flattened, as if it had
    been."""
    x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
    kept, flat = (*x.shape[:-1], weight.shape[0]), (*x.shape[:1], weight.shape[0])
    if len(x.shape) > 2 and math.prod(x.shape[1:]) == weight.shape[1]:
        return [flat, kept]
    return [kept, flat] if len(x.shape) > 3 else [kept]


@recovers("bilinear")
def bilinear(failure: Failure) -> list[Shape]:
    x, weight = failure.arg(0, "input1"), failure.arg(2, "weight")
    return [(*x.shape[:-1], weight.shape[0])]


def conv_geometry(failure: Failure, sizes: Shape | None = None) -> list[int]:
    """Spatial output sizes of a failed convolution, possibly below 1; of other input
    sizes if they are given.

    Raises:
        NoWindowError: as `window_output`.
    """
    dims = len(failure.arg(1, "weight").shape) - 2
    if sizes is None:
        _, sizes = _spatial(failure.arg(0, "input"), dims)
    kernel = failure.arg(1, "weight").shape[2:]
    stride = spread(failure.arg(3, "stride"), dims, 1)
    dilation = spread(failure.arg(5, "dilation"), dims, 1)
    padding = failure.arg(4, "padding")
    if padding == "same":
        return list(sizes)
    pads = spread(None if padding == "valid" else padding, dims, 0)
    return [
        window_output(*item)
        for item in zip(sizes, kernel, stride, pads, dilation, strict=True)
    ]


@recovers("conv1d", "conv2d", "conv3d")
def convolution(failure: Failure) -> list[Shape]:
    """As if the channels were right; channels that came last are taken to the front
    first."""
    shape, weight = failure.arg(0, "input").shape, failure.arg(1, "weight")
    dims = len(weight.shape) - 2
    takes = weight.shape[1] * (failure.arg(6, "groups", 1) or 1)
    found: list[Shape] = []
    if len(shape) == dims + 2 and shape[1] != takes and shape[-1] == takes:
        found.append(
            (
                shape[0],
                weight.shape[0],
                *(max(1, size) for size in conv_geometry(failure, shape[1:-1])),
            )
        )
    if len(shape) == dims + 1 and shape[0] != takes and shape[-1] == takes:
        found.append(
            (
                weight.shape[0],
                *(max(1, size) for size in conv_geometry(failure, shape[:-1])),
            )
        )
    if len(shape) > dims + 2 and not _several(
        failure.arg(3, "stride"), failure.arg(4, "padding")
    ):
        found.append((shape[0], weight.shape[0], *_of_higher_rank(failure)))
    if len(shape) >= dims:
        out = tuple(max(1, size) for size in conv_geometry(failure))
        found.append((*_batch(shape, dims), weight.shape[0], *out))
    return found


def _several(*values: Any) -> bool:
    return any(
        isinstance(value, str)
        or (isinstance(value, (tuple, list)) and len(set(value)) > 1)
        for value in values
    )


def _of_higher_rank(failure: Failure) -> Shape:
    """What the convolution of the input's rank would give with the same numbers:
    `Conv2d` where `Conv1d` stands."""
    x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
    dims, is_transposed = len(x.shape) - 2, "transpose" in failure.op
    names = ("stride", "padding", "output_padding" if is_transposed else "")
    stride, padding, extra = (
        spread(_one(failure.arg(at, name)) if name else None, dims, default)
        for at, name, default in zip((3, 4, 5), names, (1, 0, 0), strict=True)
    )
    dilation = spread(_one(failure.arg(7 if is_transposed else 5, "dilation")), dims, 1)
    out = []
    for size, step, pad, more, spacing in zip(
        x.shape[2:], stride, padding, extra, dilation, strict=True
    ):
        kernel = weight.shape[2]
        if is_transposed:
            out.append(transposed_output(size, kernel, step, pad, spacing, more))
        else:
            out.append(window_output(size, kernel, step, pad, spacing))
    return tuple(max(1, size) for size in out)


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, (tuple, list)) and value else value


def _batch(shape: Shape, dims: int) -> Shape:
    """The batch dimension of a convolution's output: none for (C, H, W), one sample for
    (H, W)."""
    if len(shape) == dims + 1:
        return ()
    return (1,) if len(shape) == dims else shape[:1]


@recovers("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def transposed_convolution(failure: Failure) -> list[Shape]:
    x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
    dims = len(weight.shape) - 2
    _, sizes = _spatial(x, dims)
    stride = spread(failure.arg(3, "stride"), dims, 1)
    padding = spread(failure.arg(4, "padding"), dims, 0)
    extra = spread(failure.arg(5, "output_padding"), dims, 0)
    dilation = spread(failure.arg(7, "dilation"), dims, 1)
    groups = failure.arg(6, "groups", 1) or 1
    out = [
        transposed_output(*item)
        for item in zip(
            sizes, weight.shape[2:], stride, padding, dilation, extra, strict=True
        )
    ]
    batch = x.shape[:1] if len(x.shape) != dims + 1 else ()
    found: list[Shape] = [
        (*batch, weight.shape[1] * groups, *(max(1, size) for size in out))
    ]
    if len(x.shape) > dims + 2:
        found.insert(
            0, (x.shape[0], weight.shape[1] * groups, *_of_higher_rank(failure))
        )
    return found


@recovers("batch_norm", "instance_norm")
def batch_norm(failure: Failure) -> list[Shape]:
    """As it came in; or with the channels the layer was made for."""
    x = failure.arg(0, "input")
    weight = failure.arg(3, "weight") or failure.arg(1, "running_mean")
    if weight is None or len(x.shape) < 2:
        return [x.shape]
    return [x.shape, (x.shape[0], weight.shape[0], *x.shape[2:])]


@recovers("group_norm")
def group_norm(failure: Failure) -> list[Shape]:
    x, weight = failure.arg(0, "input"), failure.arg(2, "weight")
    if weight is None:
        return [x.shape]
    return [x.shape, (x.shape[0], weight.shape[0], *x.shape[2:])]


@recovers("layer_norm", "rms_norm")
def layer_norm(failure: Failure) -> list[Shape]:
    x, normalized = failure.arg(0, "input"), tuple(failure.arg(1, "normalized_shape"))
    return [x.shape, (*x.shape[: -len(normalized)], *normalized)]


@recovers("embedding")
def embedding(failure: Failure) -> list[Shape]:
    index, table = failure.arg(0, "input"), failure.arg(1, "weight")
    return [(*index.shape, table.shape[1])]


def pool_geometry(failure: Failure) -> list[int]:
    """Spatial output sizes of a failed pooling, possibly below 1.

    Raises:
        NoWindowError: as `window_output`.
    """
    dims = int(failure.op[-2])
    _, sizes = _spatial(failure.arg(0, "input"), dims)
    kernel = spread(failure.arg(1, "kernel_size"), dims, 1)
    stride = (
        spread(failure.arg(2, "stride"), dims, 1)
        if failure.arg(2, "stride") not in (None, ())
        else kernel
    )
    padding = spread(failure.arg(3, "padding"), dims, 0)
    is_max = failure.op.startswith("max")
    dilation = spread(failure.arg(4, "dilation"), dims, 1) if is_max else (1,) * dims
    ceil = bool(failure.arg(5 if is_max else 4, "ceil_mode", False))
    return [
        window_output(*item, ceil)
        for item in zip(sizes, kernel, stride, padding, dilation, strict=True)
    ]


@recovers(
    "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d"
)
def pooling(failure: Failure) -> list[Shape]:
    x = failure.arg(0, "input")
    lead, _ = _spatial(x, int(failure.op[-2]))
    return [(*lead, *(max(1, size) for size in pool_geometry(failure)))]


@recovers(
    *(
        f"module:{kind}Norm{dims}d"
        for kind in ("Batch", "Instance")
        for dims in (1, 2, 3)
    )
)
def norm_of_wrong_rank(failure: Failure) -> list[Shape]:
    return [failure.tensors[0].shape]
