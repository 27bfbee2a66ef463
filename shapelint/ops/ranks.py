"""How many dimensions a call takes, where that is fixed."""

from __future__ import annotations

from shapelint.facts.graph import Call, Failure
from shapelint.ops import einops_patterns as patterns
from shapelint.ops.rearranging import dims_of

_NORM_RANKS = {
    "BatchNorm1d": (2, 3),
    "BatchNorm2d": (4,),
    "BatchNorm3d": (5,),
    "InstanceNorm1d": (2, 3),
    "InstanceNorm2d": (3, 4),
    "InstanceNorm3d": (4, 5),
}
"""What the layers refuse by themselves; `F.batch_norm` takes any number."""

_RESAMPLED = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
"""By the mode of `interpolate` (torch.nn.functional.interpolate)."""

_TAKES_DIMS = {
    "transpose",
    "swapaxes",
    "permute",
    "mean",
    "sum",
    "amax",
    "amin",
    "max",
    "min",
    "argmax",
    "argmin",
    "softmax",
    "log_softmax",
    "squeeze",
    "flatten",
    "unbind",
    "cumsum",
    "norm",
    "std",
    "var",
    "logsumexp",
    "prod",
    "all",
    "any",
}
"""Ops whose whole-number arguments, beside the tensor, are dimensions."""

_SPATIAL = ("conv", "max_pool", "avg_pool", "adaptive_")


def ranks_taken(call: Call, failure: Failure) -> tuple[int, ...] | None:
    """The numbers of dimensions that a failed call takes; None where any will do, or
    where what arrives is right."""
    op = failure.op
    if op.startswith("module:"):
        return _NORM_RANKS.get(op.removeprefix("module:"))
    if op in ("batch_norm", "instance_norm") and call.module_class in _NORM_RANKS:
        return _NORM_RANKS[call.module_class]
    if op.startswith(_SPATIAL):
        return _ranks_of_spatial(op)
    if op in ("interpolate", "upsample"):
        mode = failure.kwargs.get("mode") or failure.arg(3, "mode", "nearest")
        return _RESAMPLED.get(mode)
    pattern = failure.args[1] if len(failure.args) > 1 else None
    if op in patterns.OPS and isinstance(pattern, str):
        axes = patterns.axes(pattern.partition("->")[0])
        return (len(axes),) if axes is not None else None
    return _ranks_of_named_dims(failure)


def _ranks_of_spatial(op: str) -> tuple[int, ...] | None:
    """`conv2d` takes (C, H, W) or (N, C, H, W)."""
    digit = op[-2:-1]
    if not op.endswith("d") or digit not in ("1", "2", "3"):
        return None
    dims = int(digit)
    return (dims + 1, dims + 2)


def _ranks_of_named_dims(failure: Failure) -> tuple[int, ...] | None:
    """At least the dimensions that a call names; None where they are there."""
    if failure.op not in _TAKES_DIMS or not failure.tensors:
        return None
    dims, rank = dims_of(failure), len(failure.tensors[0].shape)
    if failure.op == "permute":
        return (len(dims),) if dims and len(dims) != rank else None
    needed = max((dim + 1 if dim >= 0 else -dim for dim in dims), default=0)
    return (needed,) if needed > rank else None
