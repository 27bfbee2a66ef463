"""The arithmetic of windows that slide over a map: kernels, strides, paddings."""

from __future__ import annotations

from typing import Any

from shapelint.facts.numbers import whole
from shapelint.facts.tensors import Shape, TensorFact


class NoWindowError(ValueError):
    """A kernel, stride or dilation below 1, or a padding below 0: no size of input
    makes it a window."""


def expand_to_dims(value: Any, dims: int, default: int) -> tuple[int, ...]:
    """A stride, padding or the like for each spatial dimension."""
    if value is None or value == ():
        return (default,) * dims
    if isinstance(value, int):
        return (value,) * dims
    values = tuple(whole(item) for item in value)
    return values * dims if len(values) == 1 else values


def compute_window_output(
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
    if not ceil:
        return room // stride + 1
    out = -(-room // stride) + 1
    # torch drops a last window that would start in the padding on the right
    starts_in_padding = (out - 1) * stride >= size + padding
    return out - 1 if starts_in_padding else out


def compute_transposed_output(
    size: int, kernel: int, stride: int, padding: int, dilation: int, extra: int
) -> int:
    """Length of a transposed convolution's output (torch.nn.ConvTranspose2d, "Shape");
    may be below 1.

    Raises:
        NoWindowError: as `compute_window_output`.
    """
    _require_window(kernel, stride, padding, dilation)
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1


def _require_window(kernel: int, stride: int, padding: int, dilation: int) -> None:
    if min(kernel, stride, dilation) < 1 or padding < 0:
        raise NoWindowError


def split_spatial(x: TensorFact, dims: int) -> tuple[Shape, Shape]:
    """Leading sizes and the last `dims` sizes, missing ones taken as 1."""
    rank = len(x.shape)
    sizes = x.shape[-dims:] if rank >= dims else x.shape
    missing = (1,) * (dims - len(sizes))
    return x.shape[: max(0, rank - dims)], missing + sizes


def at_least_one(sizes: list[int]) -> Shape:
    """The sizes of a map as the walk goes on with them: never empty."""
    return tuple(max(1, size) for size in sizes)
