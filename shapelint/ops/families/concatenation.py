"""Ops that join tensors along an existing or a new dimension."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape, facts_in
from shapelint.ops.record import Dims, Family, Op


def read_joined_dimension(failure: Failure) -> int:
    """The dimension along which a failed call joins its tensors."""
    dim = failure.arg(1, "dim", failure.kwargs.get("axis", 0))
    return int(dim or 0)


def is_concatenation(name: str) -> bool:
    """Whether an op joins tensors along an existing dimension."""
    return name in OPS[0].names


def recover_concatenation(failure: Failure) -> list[Shape]:
    """One candidate for each tensor, whose sizes outside of `dim` are taken as right.
    The rest of the model shows which one fits."""
    shapes = [fact.shape for fact in facts_in(failure.arg(0, "tensors"))]
    rank = max(len(shape) for shape in shapes)
    # torch lets an empty tensor of shape (0,) be joined to anything
    whole = [shape for shape in shapes if len(shape) == rank]
    along = read_joined_dimension(failure) % rank
    total = sum(shape[along] for shape in whole)
    return [(*shape[:along], total, *shape[along + 1 :]) for shape in whole]


def recover_stacking(failure: Failure) -> list[Shape]:
    shapes = [fact.shape for fact in facts_in(failure.arg(0, "tensors"))]
    at = read_joined_dimension(failure) % (len(shapes[0]) + 1)
    return [(*shape[:at], len(shapes), *shape[at:]) for shape in shapes]


OPS = (
    Op(
        "cat",
        aliases=("concat", "concatenate"),
        family=Family.JOINING,
        dims=Dims.SOME,
        recover=recover_concatenation,
        word="concat",
    ),
    Op(
        "stack",
        family=Family.JOINING,
        adds_dim=True,
        dims=Dims.SOME,
        recover=recover_stacking,
    ),
)
