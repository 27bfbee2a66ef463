"""Decides whether the window of a convolution or pooling fits into its input."""

from __future__ import annotations

from dataclasses import dataclass

from shapelint import ops
from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.families.convolution import conv_geometry
from shapelint.ops.families.pooling import pool_geometry, recover_pooling
from shapelint.ops.record import Family, Op
from shapelint.ops.sliding import NoWindowError, expand_to_dims


@dataclass(frozen=True)
class Window:
    """The extent of a window, and the padded size of its input, in each spatial
    dimension."""

    reach: Shape
    padded: Shape


def list_windowed_ops() -> tuple[str, ...]:
    """The ops whose window may be too large for the input. Not among them: transposed
    convolutions, which enlarge, and adaptive poolings, which have no window."""
    return ops.where(_has_window)


def _has_window(op: Op) -> bool:
    if op.family is Family.CONVOLUTION:
        return bool(op.ranks) and not op.is_transposed
    return op.recover is recover_pooling


def _is_conv(failure: Failure) -> bool:
    return ops.is_of(failure.op, Family.CONVOLUTION)


def find_window_without_room(failure: Failure) -> Window | None:
    """The window of a failed call whose output would be empty; None for any other
    failure, and if no input size would help."""
    dims = int(failure.op[-2])
    if not _has_right_ranks(failure, dims):
        return None
    is_conv = _is_conv(failure)
    try:
        out = conv_geometry(failure) if is_conv else pool_geometry(failure)
    except NoWindowError:
        return None
    if min(out) >= 1:
        return None
    return _window_of_conv(failure, dims) if is_conv else _window_of_pool(failure, dims)


def _has_right_ranks(failure: Failure, dims: int) -> bool:
    shape = failure.arg(0, "input").shape
    if len(shape) not in (dims + 1, dims + 2) or 0 in shape[:-dims]:
        return False
    return not _is_conv(failure) or len(failure.arg(1, "weight").shape) == dims + 2


def _window_of_conv(failure: Failure, dims: int) -> Window:
    kernel = failure.arg(1, "weight").shape[2:]
    padding = failure.arg(4, "padding")
    if isinstance(padding, str):  # "valid"; "same" always has room
        padding = None
    dilation = expand_to_dims(failure.arg(5, "dilation"), dims, 1)
    # torch.nn.Conv2d, "Shape": a kernel of k reaches over dilation * (k - 1) + 1
    pairs = zip(kernel, dilation, strict=True)
    reach = tuple(step * (size - 1) + 1 for size, step in pairs)
    return Window(reach, _pad(failure, expand_to_dims(padding, dims, 0)))


def _window_of_pool(failure: Failure, dims: int) -> Window:
    kernel = expand_to_dims(failure.arg(1, "kernel_size"), dims, 1)
    padding = expand_to_dims(failure.arg(3, "padding"), dims, 0)
    return Window(kernel, _pad(failure, padding))


def _pad(failure: Failure, padding: Shape) -> Shape:
    sizes = failure.arg(0, "input").shape[-len(padding) :]
    return tuple(size + 2 * pad for size, pad in zip(sizes, padding, strict=True))
