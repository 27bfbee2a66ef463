"""Makes, copies and replaces fake tensors, which have a shape but no values."""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from shapelint.tracing.nested import map_tensors
from shapelint.tracing.torch_private import (
    FakeTensor,
    SharedFakeMode,
    no_torch_function,
)

_FAKE_MODE: list[SharedFakeMode] = []
"""At most one mode: tensors of two fake modes cannot be combined, and a model outlives
the session that built it."""

RANDOM_BELOW = 1_000_000
"""The most elements of a stand-in that are random. For more, the random numbers would
take longer than the op itself."""

Scalar = bool | int | float


def fake_mode() -> SharedFakeMode:
    """The process's fake mode. It is created when the first op exceeds the budget,
    because its import takes a second."""
    if not _FAKE_MODE:
        _FAKE_MODE.append(SharedFakeMode(allow_non_fake_inputs=True))
    return _FAKE_MODE[0]


def fake_tensors_in_use() -> bool:
    """Whether an op has exceeded the budget, so that the import is already paid for."""
    return bool(_FAKE_MODE)


def is_fake(value: object) -> TypeGuard[FakeTensor]:
    """Whether a value is a fake tensor."""
    return isinstance(value, FakeTensor)


def default_value(tensor: Tensor) -> Scalar:
    """A value for a fake scalar: True, 1 or 1.0."""
    if tensor.dtype == torch.bool:
        return True
    return 1.0 if tensor.dtype.is_floating_point else 1


def fake_like(tensor: Tensor) -> Tensor:
    """A fake tensor of the same size, stride and dtype. Autograd does not see it being
    made."""
    with no_torch_function(), fake_mode():
        return torch.empty_strided(
            tensor.size(), tensor.stride(), dtype=tensor.dtype, device="cpu"
        )


def copy_fake(tensor: Tensor, memo: dict[int, Any]) -> Tensor:
    """`copy.deepcopy` for a fake tensor or parameter, which has no memory to copy."""
    known: Tensor | None = memo.get(id(tensor))
    if known is not None:
        return known
    copied = fake_like(tensor)
    if isinstance(tensor, nn.Parameter):
        copied = nn.Parameter(copied, tensor.requires_grad)
    else:
        copied.requires_grad_(tensor.requires_grad)
    memo[id(tensor)] = copied
    return copied


def as_fake(value: Any, originals: dict[int, Tensor] | None = None) -> Any:
    """Replace every real tensor in a nested value by a fake one. `originals` maps the
    id of each fake tensor to the real one."""

    def exchange(tensor: Tensor) -> Tensor:
        # Sparse and nested tensors have no strides to copy: fake mode takes them as is.
        if is_fake(tensor) or tensor.layout != torch.strided:
            return tensor
        fake = fake_like(tensor)
        if originals is not None:
            originals[id(fake)] = tensor
        return fake

    return map_tensors(exchange, value)


def as_real(value: Any) -> Any:
    """Replace every fake tensor in a nested value by a real one: floats are random or
    0.5, integers 0, masks True."""

    def exchange(tensor: Tensor) -> Tensor:
        return _real_like(tensor) if is_fake(tensor) else tensor

    return map_tensors(exchange, value)


def _real_like(fake: Tensor) -> Tensor:
    real = _fill(fake.shape, fake.dtype)
    is_laid_out = real.stride() == fake.stride() or fake.is_contiguous()
    # Strides of 0 share memory between elements, so that nothing can be copied there.
    if is_laid_out or not fake.numel() or 0 in fake.stride():
        return real
    stride = fake.stride()
    strided = torch.empty_strided(fake.shape, stride, dtype=fake.dtype)
    return strided.copy_(real)


def _fill(shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """Values that most ops accept: floats inside the domain of every function, an index
    that is always in range, a mask that selects everything."""
    if dtype == torch.bool:
        return torch.ones(shape, dtype=dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        return torch.zeros(shape, dtype=dtype)
    if shape.numel() > RANDOM_BELOW:
        return torch.full(shape, 0.5, dtype=dtype)
    # Not the user's generator; and half precisions have no sampler of their own.
    generator = torch.Generator().manual_seed(0)
    sampled = torch.rand(shape, dtype=torch.float32, generator=generator)
    return sampled.to(dtype)


def restore_originals(out: Any, originals: dict[int, Tensor]) -> Any:
    """Replace the fake arguments that in-place ops return by the real ones they stand
    for."""
    if not originals:
        return out
    return map_tensors(lambda tensor: originals.get(id(tensor), tensor), out)
