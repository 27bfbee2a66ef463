"""Resizing of feature maps by interpolation."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.numbers import whole
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Cost, Family, Keeps, Op
from shapelint.ops.sliding import expand_to_dims

RANKS = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
"""The numbers of dimensions that each mode of torch.nn.functional.interpolate takes, if
they are fixed."""


def find_resampled_ranks(failure: Failure) -> tuple[int, ...] | None:
    """The numbers of dimensions that a call takes, if its mode determines them."""
    mode = failure.kwargs.get("mode") or failure.arg(3, "mode", "nearest")
    return RANKS.get(mode)


def recover_resampling(failure: Failure) -> list[Shape]:
    shape = failure.arg(0, "input").shape
    dims = len(shape) - 2
    size, scale = failure.arg(1, "size"), failure.arg(2, "scale_factor")
    if dims < 1:  # nothing spatial to resample
        return [shape]
    if size is not None:
        return [(*shape[:2], *expand_to_dims(size, dims, 1)[:dims])]
    factors = scale if isinstance(scale, (list, tuple)) else [scale or 1] * dims
    sizes = zip(shape[2:], factors, strict=False)
    return [(*shape[:2], *(whole(have * by) for have, by in sizes))]


def _layer(layer: str, *more: str) -> Op:
    return Op(
        layer,
        family=Family.RESAMPLING,
        keeps=Keeps.CHANNELS,
        arguments=("size", "scale_factor", *more),
        resizes=("size",),
        counts=("scale_factor",),
        word="upsample",
    )


OPS = (
    Op(
        "interpolate",
        aliases=("upsample",),
        family=Family.RESAMPLING,
        keeps=Keeps.CHANNELS,
        recover=recover_resampling,
        word="upsample",
        kernels=("upsample*", "_upsample*"),
        cost=Cost.RESIZED,
    ),
    _layer("Upsample", "mode", "align_corners"),
    _layer("UpsamplingBilinear2d"),
    _layer("UpsamplingNearest2d"),
)
