"""Sizes with origins, kept with the tensors whose they are."""

from __future__ import annotations

from torch import Tensor

from shapelint.facts.tensors import Shape

_SIZES = "_shapelint_sizes"
"""Attribute of a tensor, so that they go when it goes."""


def keep_sizes(tensor: Tensor, sizes: Shape) -> None:
    """Keep the sizes of a tensor."""
    setattr(tensor, _SIZES, sizes)


def kept_sizes(tensor: Tensor) -> Shape | None:
    """The sizes of a tensor with their origins; None where it has other ones now, or
    nothing is known."""
    sizes: Shape | None = getattr(tensor, _SIZES, None)
    return sizes if sizes is not None and sizes == tuple(tensor.shape) else None


def sizes_of(tensor: Tensor) -> Shape:
    """The sizes of a tensor, with origins where they are known."""
    return kept_sizes(tensor) or tuple(tensor.shape)
