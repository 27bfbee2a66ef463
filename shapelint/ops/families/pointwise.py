"""Functions of each element by itself, and those that keep the shape along a
dimension."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Dims, Family, Keeps, Op


def recover_as_given(failure: Failure) -> list[Shape]:
    return [failure.tensors[0].shape]


def _of_each_element(name: str) -> Op:
    return Op(name, family=Family.POINTWISE, keeps=Keeps.SHAPE)


OPS = (
    _of_each_element("abs"),
    _of_each_element("neg"),
    _of_each_element("exp"),
    _of_each_element("expm1"),
    _of_each_element("log"),
    _of_each_element("log1p"),
    _of_each_element("sqrt"),
    _of_each_element("rsqrt"),
    _of_each_element("square"),
    _of_each_element("reciprocal"),
    _of_each_element("sin"),
    _of_each_element("cos"),
    _of_each_element("erf"),
    _of_each_element("sign"),
    _of_each_element("round"),
    _of_each_element("floor"),
    _of_each_element("ceil"),
    _of_each_element("clamp"),
    _of_each_element("clip"),
    _of_each_element("nan_to_num"),
    _of_each_element("logical_not"),
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
