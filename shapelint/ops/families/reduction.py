"""Reductions over dimensions: sum, mean, max and the like."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.failed_arguments import dims_of
from shapelint.ops.families.elementwise import recover_elementwise
from shapelint.ops.record import Dims, Family, Op, Recovery


def recover_reduction(failure: Failure) -> list[Shape]:
    """Reduce those of the requested dimensions that exist."""
    shape = failure.args[0].shape
    rank = len(shape)
    gone = {dim % rank for dim in dims_of(failure) if -rank <= dim < rank}
    if failure.kwargs.get("keepdim"):
        return [tuple(1 if at in gone else size for at, size in enumerate(shape))]
    return [tuple(size for at, size in enumerate(shape) if at not in gone)]


def recover_larger_of_two(failure: Failure) -> list[Shape]:
    """The elementwise `max` or `min` of two tensors. Along a dimension, these ops
    return two tensors, which are not recovered."""
    return recover_elementwise(failure) if len(failure.tensors) == 2 else []


def _op(name: str, reduces: bool = False, recover: Recovery = recover_reduction) -> Op:
    return Op(
        name,
        family=Family.REDUCTION,
        reduces=reduces,
        dims=Dims.ALL,
        recover=recover,
    )


OPS = (
    _op("mean", reduces=True),
    _op("sum", reduces=True),
    _op("amax", reduces=True),
    _op("amin"),
    _op("std"),
    _op("var"),
    _op("prod"),
    _op("norm"),  # its order counts as a dimension too; orders are small
    _op("logsumexp"),
    _op("any"),
    _op("all"),
    _op("argmax"),
    _op("argmin"),
    Op(
        "max",
        family=Family.REDUCTION,
        broadcasts=True,
        reduces=True,
        dims=Dims.ALL,
        recover=recover_larger_of_two,
    ),
    Op(
        "min",
        family=Family.REDUCTION,
        broadcasts=True,
        dims=Dims.ALL,
        recover=recover_larger_of_two,
    ),
)
