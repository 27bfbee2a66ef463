"""Activations, elementwise or along one dimension. They keep the shape."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Dims, Family, Keeps, Op


def recover_as_given(failure: Failure) -> list[Shape]:
    return [failure.tensors[0].shape]


def recover_halved(failure: Failure) -> list[Shape]:
    """A gated linear unit halves the dimension."""
    shape = failure.tensors[0].shape
    return [(*shape[:-1], max(1, shape[-1] // 2))] if shape else [shape]


def _activation(name: str, layer: str = "", *arguments: str) -> Op:
    return Op(
        name,
        layer,
        family=Family.ACTIVATION,
        keeps=Keeps.SHAPE,
        arguments=arguments,
    )


def _make_op_along_dimension(name: str, layer: str) -> Op:
    return Op(
        name,
        layer,
        family=Family.ACTIVATION,
        keeps=Keeps.SHAPE,
        dims=Dims.ALL,
        arguments=("dim",),
        recover=recover_as_given,
    )


OPS = (
    _activation("relu", "ReLU", "inplace"),
    _activation("relu6", "ReLU6", "inplace"),
    _activation("leaky_relu", "LeakyReLU", "negative_slope", "inplace"),
    _activation("elu", "ELU", "alpha", "inplace"),
    _activation("celu", "CELU", "alpha", "inplace"),
    _activation("selu", "SELU", "inplace"),
    _activation("gelu", "GELU", "approximate"),
    _activation("silu", "SiLU", "inplace"),
    _activation("mish", "Mish", "inplace"),
    _activation("hardswish", "Hardswish", "inplace"),
    _activation("hardsigmoid", "Hardsigmoid", "inplace"),
    _activation("hardtanh", "Hardtanh", "min_val", "max_val", "inplace"),
    _activation("hardshrink", "Hardshrink", "lambd"),
    _activation("softshrink", "Softshrink", "lambd"),
    _activation("tanhshrink", "Tanhshrink"),
    _activation("sigmoid", "Sigmoid"),
    _activation("logsigmoid", "LogSigmoid"),
    _activation("tanh", "Tanh"),
    _activation("softplus", "Softplus", "beta", "threshold"),
    _activation("softsign", "Softsign"),
    _activation("threshold", "Threshold", "threshold", "value", "inplace"),
    _activation("Softmax2d"),
    _make_op_along_dimension("softmax", "Softmax"),
    _make_op_along_dimension("log_softmax", "LogSoftmax"),
    _make_op_along_dimension("softmin", "Softmin"),
    Op(
        "prelu",
        "PReLU",
        family=Family.ACTIVATION,
        keeps=Keeps.SHAPE,
        arguments=("num_parameters", "init"),
    ),
    Op(
        "rrelu",
        "RReLU",
        family=Family.ACTIVATION,
        keeps=Keeps.SHAPE,
        arguments=("lower", "upper", "inplace"),
        by_mode=True,
    ),
    Op(
        "glu",
        "GLU",
        family=Family.ACTIVATION,
        arguments=("dim",),
        recover=recover_halved,
    ),
)
