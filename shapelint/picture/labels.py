"""The words on blocks and lines of a picture, and the room that they need."""

from __future__ import annotations

from shapelint.facts.drawing import Block
from shapelint.facts.graph import TensorFact, ValueFact
from shapelint.facts.kinds import BlockKind

CHARACTER = 6.6
"""Points that a character takes, on average."""


def labels(block: Block) -> tuple[str, str]:
    """The two lines on a block."""
    if block.kind in (BlockKind.INPUT, BlockKind.OUTPUT):
        text = shown_value(block.value) if block.value is not None else ""
        return block.layer, text if len(text) < 40 else text[:38] + "…"
    params = f"{block.params:,}" if block.params else ""
    if block.kind in (BlockKind.FUNCTION, BlockKind.METHOD):
        return f"{'.' if block.kind is BlockKind.METHOD else ''}{block.op}()", params
    return block.op, " · ".join(part for part in (block.layer, params) if part)


def shown_value(value: ValueFact) -> str:
    """A tensor as `shown_shape` writes it; any other value as it is written."""
    tensor = value.tensor
    return shown_shape(tensor) if tensor is not None and not value.name else str(value)


def shown_shape(fact: TensorFact) -> str:
    """`f32[1,3,64,64]` as `1×3×64×64`; other dtypes are named."""
    sizes = "×".join(map(str, fact.shape)) or "scalar"
    return sizes if fact.dtype == "f32" else f"{fact.dtype} {sizes}"


def label_width(fact: TensorFact) -> int:
    """The room that a shape needs beside its line."""
    return round(CHARACTER * len(shown_shape(fact)) + 14)
