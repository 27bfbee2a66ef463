"""The words on blocks and lines of a picture, and the room that they need."""

from __future__ import annotations

from shapelint.facts.drawing import Block
from shapelint.facts.kinds import BlockKind

CHARACTER = 6.6
"""Points that a character takes, on average."""


def labels(block: Block) -> tuple[str, str]:
    """The two lines on a block."""
    if block.kind in (BlockKind.INPUT, BlockKind.OUTPUT):
        shapes = block.outputs if block.kind is BlockKind.INPUT else block.inputs
        text = shown_shape(shapes[0]) if shapes else ""
        return block.layer, text if len(text) < 40 else text[:38] + "…"
    params = f"{block.params:,}" if block.params else ""
    if block.kind in (BlockKind.FUNCTION, BlockKind.METHOD):
        return f"{'.' if block.kind is BlockKind.METHOD else ''}{block.op}()", params
    return block.op, " · ".join(part for part in (block.layer, params) if part)


def shown_shape(shape: str) -> str:
    """`f32[1,3,64,64]` as `1×3×64×64`; other dtypes are named."""
    dtype, bracket, sizes = shape.partition("[")
    if not bracket or not sizes.endswith("]") or not dtype.isalnum():
        return shape
    sizes = sizes[:-1].replace(",", "×") or "scalar"
    return sizes if dtype == "f32" else f"{dtype} {sizes}"


def label_width(shape: str) -> int:
    """The room that a shape needs beside its line."""
    return round(CHARACTER * len(shown_shape(shape)) + 14)


def sizes_of(shape: str) -> tuple[int, ...]:
    """The numbers of `f32[1,3,64,64]`."""
    _, bracket, sizes = shape.partition("[")
    parts = sizes.rstrip("]").split(",") if bracket and sizes.count("[") == 0 else []
    return (
        tuple(int(part) for part in parts if part.isdigit())
        if all(part.isdigit() for part in parts)
        else ()
    )
