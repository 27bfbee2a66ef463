"""Elementwise ops, concatenation and matrix products."""

from __future__ import annotations

from itertools import combinations, zip_longest

from shapelint.facts.graph import Failure, Shape, TensorFact, facts_in
from shapelint.ops import recovers

ELEMENTWISE = (
    *(
        "add",
        "sub",
        "mul",
        "div",
        "true_divide",
        "floor_divide",
        "remainder",
        "pow",
        "atan2",
        "fmod",
    ),
    *(
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "lerp",
        "addcmul",
        "addcdiv",
        "where",
        "hypot",
        "subtract",
        "multiply",
    ),
    *(
        "divide",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "logical_and",
        "logical_or",
        "logical_xor",
        "masked_fill",
    ),
    *(
        "and",
        "or",
        "xor",
        "bitwise_and",
        "bitwise_or",
        "logaddexp",
        "rsub",
        "mse_loss",
        "l1_loss",
    ),
)
"""Canonical names of the ops whose tensor arguments broadcast against each other."""


def merged(shapes: list[Shape], prefer: int) -> Shape:
    """Shapes broadcast together; where two sizes contradict, the preferred
    argument's."""
    sizes = []
    backwards = [shape[::-1] for shape in shapes]
    for column in zip_longest(*backwards, fillvalue=1):
        others = [size for size in column if size != 1]
        chosen = column[prefer] if column[prefer] != 1 else (others[0] if others else 1)
        sizes.append(chosen)
    return tuple(sizes[::-1])


def find_clash(shapes: list[Shape]) -> tuple[int, int, int] | None:
    """The first two shapes that do not broadcast, and the dimension, counted from the
    last (-1), in which they differ."""
    for left, right in combinations(range(len(shapes)), 2):
        # sizes are compared from the last dimension backwards; a missing one fits
        backwards = zip(shapes[left][::-1], shapes[right][::-1], strict=False)
        for back, sizes in enumerate(backwards, start=1):
            if sizes[0] != sizes[1] and 1 not in sizes:
                return left, right, -back
    return None


@recovers("max", "min")
def larger_of_two(failure: Failure) -> list[Shape]:
    """With a tensor for its second argument; along a dimension it gives two results,
    and none that we know."""
    return elementwise(failure) if len(failure.tensors) == 2 else []


@recovers(*ELEMENTWISE)
def elementwise(failure: Failure) -> list[Shape]:
    """Either argument may be the wrong one: the first's sizes, then each other's."""
    shapes = [fact.shape for fact in failure.tensors]
    if failure.op in ("mse_loss", "l1_loss"):
        return [()]
    return [merged(shapes, index) for index in range(len(shapes))]


@recovers("cat", "concat", "concatenate")
def concatenation(failure: Failure) -> list[Shape]:
    """The sizes outside of `dim` are one tensor's; which one, the rest of the model
    shows."""
    tensors: list[TensorFact] = list(facts_in(failure.arg(0, "tensors")))
    dim = failure.arg(1, "dim", failure.kwargs.get("axis", 0))
    rank = max(len(fact.shape) for fact in tensors)
    whole = [fact.shape for fact in tensors if len(fact.shape) == rank]
    along = dim % rank
    total = sum(shape[along] for shape in whole)
    return [(*shape[:along], total, *shape[along + 1 :]) for shape in whole]


@recovers("stack")
def stacking(failure: Failure) -> list[Shape]:
    tensors: list[TensorFact] = list(facts_in(failure.arg(0, "tensors")))
    rank = len(tensors[0].shape) + 1
    at = failure.arg(1, "dim", 0) % rank
    return [(*fact.shape[:at], len(tensors), *fact.shape[at:]) for fact in tensors]


@recovers("matmul", "mm", "bmm", "rmatmul")
def matrix_product(failure: Failure) -> list[Shape]:
    left, right = failure.tensors[:2]
    if failure.op == "rmatmul":
        left, right = right, left
    if len(left.shape) < 2 or len(right.shape) < 2:
        return [left.shape[:-1] + (right.shape[1:] if len(right.shape) > 1 else ())]
    batches = [left.shape[:-2], right.shape[:-2]]
    tail = (left.shape[-2], right.shape[-1])
    return [(*merged(batches, prefer), *tail) for prefer in (0, 1)]


@recovers("addmm", "baddbmm")
def added_matrix_product(failure: Failure) -> list[Shape]:
    left, right = failure.tensors[1:3]
    return [(*left.shape[:-1], right.shape[-1])]
