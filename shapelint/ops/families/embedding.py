"""Embeddings: tables of vectors that are looked up by integers."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Cost, Family, Op


def recover_embedding(failure: Failure) -> list[Shape]:
    index, table = failure.arg(0, "input"), failure.arg(1, "weight")
    return [(*index.shape, table.shape[1])]


OPS = (
    Op(
        "embedding",
        "Embedding",
        family=Family.EMBEDDING,
        arguments=(
            *("num_embeddings", "embedding_dim", "padding_idx", "max_norm"),
            *("norm_type", "scale_grad_by_freq", "sparse"),
        ),
        gives=("embedding_dim",),
        recover=recover_embedding,
        word="embedding",
        looks_up=True,
        index_first=True,
        # a lookup reads one row an index, whatever the size of the table
        kernels=("embedding",),
        cost=Cost.LOOKED_UP,
    ),
    Op(
        "embedding_bag",
        "EmbeddingBag",
        family=Family.EMBEDDING,
        arguments=(
            *("num_embeddings", "embedding_dim", "max_norm", "norm_type"),
            *("scale_grad_by_freq", "mode", "sparse"),
        ),
        gives=("embedding_dim",),
        word="embedding",
        looks_up=True,
        index_first=True,
    ),
)
