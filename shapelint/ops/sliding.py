"""The arithmetic of sliding windows: kernel, stride, padding and dilation."""

from __future__ import annotations

from typing import Any

from shapelint.facts.numbers import whole
from shapelint.facts.tensors import Shape, TensorFact


class NoWindowError(ValueError):
    """A kernel, stride or dilation is below 1, or a padding below 0, so that torch
    refuses it for every input size."""


def expand_to_dims(value: Any, dims: int, default: int) -> tuple[int, ...]:
    """Expand a stride, padding or similar to one number for each spatial dimension."""
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
    """The output length of a sliding window (torch.nn.Conv2d, torch.nn.MaxPool2d,
    "Shape"), possibly below 1.

    Raises:
        NoWindowError: torch refuses a window of these numbers for every size.
    """
    _require_window(kernel, stride, padding, dilation)
    lost = _lost_at_borders(kernel, padding, dilation)
    if not ceil:
        # torch's `(size - lost - 1) // stride + 1`, so that the size it comes from is
        # all that is left of a window that keeps or halves it
        room = _add(size, int(stride) - 1 - lost)
        return room // stride if stride > 1 else room
    out = -(-(size - lost - 1) // stride) + 1
    # torch drops a last window that would start in the padding on the right
    starts_in_padding = (out - 1) * stride >= size + padding
    return out - 1 if starts_in_padding else out


def compute_transposed_output(
    size: int, kernel: int, stride: int, padding: int, dilation: int, extra: int
) -> int:
    """The output length of a transposed convolution (torch.nn.ConvTranspose2d,
    "Shape"), possibly below 1.

    Raises:
        NoWindowError: as `compute_window_output`.
    """
    _require_window(kernel, stride, padding, dilation)
    gained = _lost_at_borders(kernel, padding, dilation) + int(extra)
    return _add(size * stride, gained + 1 - int(stride))


def _lost_at_borders(kernel: int, padding: int, dilation: int) -> int:
    """How much shorter a sequence gets with a stride of 1."""
    return int(dilation) * (int(kernel) - 1) - 2 * int(padding)


def _add(size: int, more: int) -> int:
    return size + more if more >= 0 else size - -more


def _require_window(kernel: int, stride: int, padding: int, dilation: int) -> None:
    if min(kernel, stride, dilation) < 1 or padding < 0:
        raise NoWindowError


def split_spatial(x: TensorFact, dims: int) -> tuple[Shape, Shape]:
    """Split a shape into its leading sizes and its last `dims` sizes. Missing sizes are
    taken as 1."""
    rank = len(x.shape)
    sizes = x.shape[-dims:] if rank >= dims else x.shape
    missing = (1,) * (dims - len(sizes))
    return x.shape[: max(0, rank - dims)], missing + sizes


def at_least_one(sizes: list[int]) -> Shape:
    """Replace sizes below 1 by 1, so that the walk continues with a map that is not
    empty."""
    return tuple(max(1, size) for size in sizes)
