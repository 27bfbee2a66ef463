"""Distances between vectors."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Cost, Family, Op


def recover_comparison(failure: Failure) -> list[Shape]:
    return [failure.tensors[0].shape[:-1]]


OPS = (
    Op(
        "cosine_similarity",
        "CosineSimilarity",
        family=Family.DISTANCE,
        arguments=("dim", "eps"),
        recover=recover_comparison,
    ),
    Op(
        "pairwise_distance",
        "PairwiseDistance",
        family=Family.DISTANCE,
        arguments=("p", "eps", "keepdim"),
        recover=recover_comparison,
    ),
    Op(
        "cdist",
        family=Family.DISTANCE,
        kernels=("_cdist_forward",),
        cost=Cost.DISTANCES,
    ),
)
