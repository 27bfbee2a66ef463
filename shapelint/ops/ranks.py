"""The number of dimensions that a failed call takes, if it is fixed."""

from __future__ import annotations

from shapelint import ops
from shapelint.facts.graph import Call, Failure
from shapelint.ops.failed_arguments import dims_of
from shapelint.ops.families.einops_patterns import read_taken_axes
from shapelint.ops.families.resampling import find_resampled_ranks
from shapelint.ops.record import Dims, Family
from shapelint.ops.registry import OF_A_MODULE


def ranks_taken(call: Call, failure: Failure) -> tuple[int, ...] | None:
    """The numbers of dimensions that a failed call takes; None if any number is allowed
    or the input has a right one."""
    if ops.is_of(failure.op, Family.NORMALISATION):
        # the layer refuses, `batch_norm` itself takes any number
        is_layer = failure.op.startswith(OF_A_MODULE)
        layer = failure.op if is_layer else call.module_class
        return ops.of(layer).ranks or None
    fixed = ops.of(failure.op).ranks
    if fixed:
        return fixed
    if ops.is_of(failure.op, Family.RESAMPLING):
        return find_resampled_ranks(failure)
    if ops.is_of(failure.op, Family.EINOPS):
        axes = read_taken_axes(failure)
        return (len(axes),) if axes is not None else None
    return _ranks_of_named_dims(failure)


def _ranks_of_named_dims(failure: Failure) -> tuple[int, ...] | None:
    """A call needs at least the dimensions that it names; None if the input has
    them."""
    if ops.of(failure.op).dims is not Dims.ALL or not failure.tensors:
        return None
    dims, rank = dims_of(failure), len(failure.tensors[0].shape)
    if failure.op == "permute":
        return (len(dims),) if dims and len(dims) != rank else None
    needed = max((dim + 1 if dim >= 0 else -dim for dim in dims), default=0)
    return (needed,) if needed > rank else None
