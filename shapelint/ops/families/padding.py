"""Padding around a feature map."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Cost, Family, Keeps, Op


def recover_padding(failure: Failure) -> list[Shape]:
    """`pad` has two amounts for each dimension, the last dimension first."""
    shape, amounts = list(failure.arg(0, "input").shape), failure.arg(1, "pad")
    for at in range(min(len(amounts) // 2, len(shape))):
        shape[-1 - at] += amounts[2 * at] + amounts[2 * at + 1]
    # amounts below 0 cut off
    return [tuple(max(1, size) for size in shape)]


def _layer(kind: str, dims: int) -> Op:
    value = ("value",) if kind == "Constant" else ()
    return Op(
        f"{kind}Pad{dims}d",
        family=Family.PADDING,
        keeps=Keeps.CHANNELS,
        arguments=("padding", *value),
    )


OPS = (
    Op(
        "pad",
        family=Family.PADDING,
        recover=recover_padding,
        kernels=("constant_pad_nd", "reflection_pad*", "replication_pad*"),
        cost=Cost.PADDED,
    ),
    *(
        _layer(kind, dims)
        for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")
        for dims in (1, 2, 3)
    ),
)
