"""Repeats a failed call with other dtypes, or without autograd, to find out why it
failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from shapelint import ops
from shapelint.tracing.fake_tensors import is_fake
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.nested import Args, Kwargs
from shapelint.tracing.op_names import dtype_name
from shapelint.tracing.torch_private import no_modes


@dataclass(frozen=True)
class WorkingDtype:
    """A dtype (its short name) with which a failed call works, and the result with
    it."""

    dtype: str
    result: Tensor


def is_floating(tensor: Tensor) -> bool:
    """Whether a tensor holds real or complex numbers, rather than integers or truth
    values."""
    return tensor.dtype.is_floating_point or tensor.dtype.is_complex


def find_working_dtype(invocation: Invocation) -> WorkingDtype | None:
    """The first dtype with which a failed call works; None if dtypes are not the
    reason."""
    masked = _cast_mask(invocation)
    if masked is not None:
        result = _try_call(invocation, masked, invocation.kwargs)
        if not isinstance(result, Tensor):
            return None
        return WorkingDtype(dtype_name(torch.bool), result)
    if not _dtypes_may_be_wrong(invocation):
        return None
    for dtype in _dtypes_to_try(invocation):
        result = _try_dtype(invocation, dtype)
        if isinstance(result, Tensor):
            return WorkingDtype(dtype_name(dtype), result)
    return None


def works_without_gradient(invocation: Invocation) -> bool:
    """Whether an in-place op works on detached copies, outside of autograd."""
    args = tuple(map(_copy_detached, invocation.args))
    kwargs = {key: _copy_detached(value) for key, value in invocation.kwargs.items()}
    try:
        with no_modes(), torch.no_grad():
            invocation.func(*args, **kwargs)
    except Exception:  # shapes or dtypes are it
        return False
    return True


def _copy_detached(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


def _cast_mask(invocation: Invocation) -> Args | None:
    """The arguments with the mask cast to bool; None if there is no mask or it is bool
    already."""
    at = ops.of(invocation.name).mask_at
    args = invocation.args
    if at is None or at >= len(args):
        return None
    mask = args[at]
    if not isinstance(mask, Tensor) or mask.dtype == torch.bool or is_fake(mask):
        return None
    return (*args[:at], mask.bool(), *args[at + 1 :])


def _dtypes_may_be_wrong(invocation: Invocation) -> bool:
    """Whether dtypes may be the reason: the tensors have several, or one that the op
    may refuse, such as integers in arithmetic or floats as the index of an
    embedding."""
    tensors = invocation.tensors
    if len({tensor.dtype for tensor in tensors}) != 1:
        return True
    return invocation.name == "embedding" or not is_floating(tensors[0])


def _dtypes_to_try(invocation: Invocation) -> list[torch.dtype]:
    """The dtypes to try, the likeliest first. The second float is usually the weight,
    whose dtype the input must have."""
    if ops.of(invocation.name).looks_up:
        return [torch.int64]
    floats = [tensor.dtype for tensor in invocation.tensors if is_floating(tensor)]
    wanted = [*floats[1:2], *floats[:1], torch.float32, torch.bool]
    return list(dict.fromkeys(wanted))


def _try_dtype(invocation: Invocation, dtype: torch.dtype) -> Any:
    """The result with all tensors cast to a dtype; for int64, with zeros as the index
    or target only. None if it raises."""
    integers_first = ops.of(invocation.name).index_first

    def cast(value: Any, is_first: bool) -> Any:
        if not isinstance(value, Tensor) or is_fake(value):
            return value
        if dtype != torch.int64:
            return value.detach().to(dtype)
        if is_first != integers_first:
            return value
        return torch.zeros_like(value, dtype=dtype)  # in range wherever there is one

    args = tuple(cast(value, at == 0) for at, value in enumerate(invocation.args))
    kwargs = {
        key: cast(value, key == "input") for key, value in invocation.kwargs.items()
    }
    return _try_call(invocation, args, kwargs)


def _try_call(invocation: Invocation, args: Args, kwargs: Kwargs) -> Any:
    """The result of a call outside of the walk; None if it raises."""
    try:
        with no_modes(), torch.no_grad():
            return invocation.func(*args, **kwargs)
    except Exception:  # it is not the dtype, or not only
        return None
