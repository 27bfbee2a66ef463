"""Products of matrices and vectors."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape, facts_in
from shapelint.ops.broadcasting import merge_shapes
from shapelint.ops.record import Cost, Family, Op


def recover_product(failure: Failure) -> list[Shape]:
    left, right = (fact.shape for fact in failure.tensors[:2])
    if failure.op == "rmatmul":
        left, right = right, left
    # a vector has no dimension of its own in the result
    if len(left) < 2 or len(right) < 2:
        return [left[:-1] + (right[1:] if len(right) > 1 else ())]
    batches = [left[:-2], right[:-2]]
    return [
        (*merge_shapes(batches, prefer), left[-2], right[-1])
        for prefer in range(len(batches))
    ]


def recover_added_product(failure: Failure) -> list[Shape]:
    left, right = failure.tensors[1:3]  # the first is the summand
    return [(*left.shape[:-1], right.shape[-1])]


def recover_einsum(failure: Failure) -> list[Shape]:
    """Each letter has the size of the first operand that contains it."""
    equation = failure.args[0]
    # with an ellipsis or without an arrow the result's letters are not written
    if not isinstance(equation, str) or "..." in equation or "->" not in equation:
        return []
    given, wanted = equation.replace(" ", "").split("->")
    sizes: dict[str, int] = {}
    for letters, fact in zip(
        given.split(","), facts_in(failure.args[1:]), strict=False
    ):
        for letter, size in zip(letters, fact.shape, strict=False):
            sizes.setdefault(letter, size)
    if any(letter not in sizes for letter in wanted):
        return []
    return [tuple(sizes[letter] for letter in wanted)]


OPS = (
    Op("matmul", family=Family.MATMUL, recover=recover_product, symbol="@"),
    Op("rmatmul", family=Family.MATMUL, recover=recover_product, symbol="@"),
    Op(
        "mm",
        family=Family.MATMUL,
        recover=recover_product,
        kernels=("mm", "addmm", "bmm", "baddbmm", "addbmm", "mv", "addmv", "dot"),
        cost=Cost.MATMUL,
    ),
    Op("bmm", family=Family.MATMUL, recover=recover_product),
    Op("addmm", family=Family.MATMUL, recover=recover_added_product),
    Op("baddbmm", family=Family.MATMUL, recover=recover_added_product),
    Op("mv", family=Family.MATMUL),
    Op("dot", family=Family.MATMUL),
    Op("einsum", family=Family.MATMUL, recover=recover_einsum),
)
