"""Elementwise functions of one tensor, and functions along a dimension that keep the
shape."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Dims, Family, Keeps, Op


def recover_as_given(failure: Failure) -> list[Shape]:
    return [failure.tensors[0].shape]


def _make_pointwise_op(name: str) -> Op:
    return Op(name, family=Family.POINTWISE, keeps=Keeps.SHAPE)


OPS = (
    _make_pointwise_op("abs"),
    _make_pointwise_op("neg"),
    _make_pointwise_op("exp"),
    _make_pointwise_op("expm1"),
    _make_pointwise_op("log"),
    _make_pointwise_op("log1p"),
    _make_pointwise_op("sqrt"),
    _make_pointwise_op("rsqrt"),
    _make_pointwise_op("square"),
    _make_pointwise_op("reciprocal"),
    _make_pointwise_op("sin"),
    _make_pointwise_op("cos"),
    _make_pointwise_op("erf"),
    _make_pointwise_op("sign"),
    _make_pointwise_op("round"),
    _make_pointwise_op("floor"),
    _make_pointwise_op("ceil"),
    _make_pointwise_op("clamp"),
    _make_pointwise_op("clip"),
    _make_pointwise_op("nan_to_num"),
    _make_pointwise_op("logical_not"),
    Op(
        "cumsum",
        family=Family.POINTWISE,
        keeps=Keeps.SHAPE,
        dims=Dims.ALL,
        recover=recover_as_given,
    ),
    Op("triu", family=Family.POINTWISE, keeps=Keeps.SHAPE, recover=recover_as_given),
    Op("tril", family=Family.POINTWISE, keeps=Keeps.SHAPE, recover=recover_as_given),
    Op("sort", family=Family.POINTWISE, keeps=Keeps.SHAPE, recover=recover_as_given),
    Op("flip", family=Family.REORDERING, keeps=Keeps.SHAPE, recover=recover_as_given),
    Op("roll", family=Family.REORDERING, keeps=Keeps.SHAPE, recover=recover_as_given),
    Op(
        "channel_shuffle",
        "ChannelShuffle",
        family=Family.POINTWISE,
        keeps=Keeps.SHAPE,
        arguments=("groups",),
        counts=("groups",),
    ),
    Op(
        "masked_scatter",
        family=Family.POINTWISE,
        keeps=Keeps.SHAPE,
        mask_at=1,
    ),
)
