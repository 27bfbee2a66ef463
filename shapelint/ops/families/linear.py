"""Linear and bilinear layers."""

from __future__ import annotations

import math

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Family, Op


def recover_linear(failure: Failure) -> list[Shape]:
    """The output as if the features were right. A feature map that was not flattened is
    taken as flattened."""
    x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
    gives, takes = weight.shape  # torch keeps it transposed
    kept, flat = (*x.shape[:-1], gives), (*x.shape[:1], gives)
    if len(x.shape) > 2 and math.prod(x.shape[1:]) == takes:
        return [flat, kept]
    # with four dimensions it is a feature map, and no layer is meant for its last one;
    # with three it is a sequence as often
    return [kept, flat] if len(x.shape) > 3 else [kept]


def recover_bilinear(failure: Failure) -> list[Shape]:
    x, weight = failure.arg(0, "input1"), failure.arg(2, "weight")
    return [(*x.shape[:-1], weight.shape[0])]


OPS = (
    Op(
        "linear",
        "Linear",
        family=Family.LINEAR,
        arguments=("in_features", "out_features", "bias"),
        takes=("in_features",),
        gives=("out_features",),
        recover=recover_linear,
        word="linear",
    ),
    Op(
        "LazyLinear",
        family=Family.LINEAR,
        arguments=("out_features", "bias"),
        gives=("out_features",),
    ),
    Op(
        "bilinear",
        "Bilinear",
        family=Family.LINEAR,
        arguments=("in1_features", "in2_features", "out_features", "bias"),
        gives=("out_features",),
        recover=recover_bilinear,
        word="linear",
    ),
)
