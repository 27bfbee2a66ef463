"""Ops that add or remove dimensions of length 1."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Dims, Family, Op


def recover_unsqueezing(failure: Failure) -> list[Shape]:
    return [(*failure.args[0].shape, 1)]


def recover_squeezing(failure: Failure) -> list[Shape]:
    return [failure.tensors[0].shape]


OPS = (
    Op(
        "unsqueeze",
        family=Family.DIMENSIONS,
        adds_dim=True,
        dims=Dims.SOME,
        recover=recover_unsqueezing,
    ),
    Op(
        "squeeze",
        family=Family.DIMENSIONS,
        reduces=True,
        dims=Dims.ALL,
        recover=recover_squeezing,
    ),
)
