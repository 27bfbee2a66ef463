"""Ops on two tensors or more that broadcast against each other."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.broadcasting import merge_shapes
from shapelint.ops.record import Family, Op


def recover_elementwise(failure: Failure) -> list[Shape]:
    """One candidate for each argument, whose sizes are taken as right, beginning with
    the first."""
    shapes = [fact.shape for fact in failure.tensors]
    return [merge_shapes(shapes, prefer) for prefer in range(len(shapes))]


def _op(name: str, symbol: str = "", mask_at: int | None = None) -> Op:
    return Op(
        name,
        family=Family.ELEMENTWISE,
        broadcasts=True,
        recover=recover_elementwise,
        symbol=symbol,
        mask_at=mask_at,
    )


OPS = (
    # arithmetic
    _op("add", "+"),
    _op("sub", "-"),
    _op("rsub"),
    _op("subtract"),
    _op("mul", "*"),
    _op("multiply"),
    _op("div", "/"),
    _op("divide"),
    _op("true_divide"),
    _op("floor_divide"),
    _op("remainder"),
    _op("fmod"),
    _op("pow", "**"),
    # comparison
    _op("lt", "<"),
    _op("le", "<="),
    _op("gt", ">"),
    _op("ge", ">="),
    _op("eq", "=="),
    _op("ne", "!="),
    _op("maximum"),
    _op("minimum"),
    _op("fmax"),
    _op("fmin"),
    # logic; `and` is what `&` is called
    _op("and"),
    _op("or"),
    _op("xor"),
    _op("logical_and"),
    _op("logical_or"),
    _op("logical_xor"),
    _op("bitwise_and"),
    _op("bitwise_or"),
    # of two or three tensors
    _op("atan2"),
    _op("hypot"),
    _op("logaddexp"),
    _op("lerp"),
    _op("addcmul"),
    _op("addcdiv"),
    _op("where", mask_at=0),
    _op("masked_fill", mask_at=1),
)
