"""The words on blocks and lines of a picture, and the room that they need.

Shapes arrive as reports write them, `f32[1,3,64,64]`. They are parsed here only."""

from __future__ import annotations

import re

from shapelint.facts.drawing import Block
from shapelint.facts.kinds import BlockKind
from shapelint.picture.block_kinds import DATA, FUNCTIONS

CHARACTER = 6.6
"""Points that a character takes on average: the picture's sans-serif fonts, at 12
pixels (`render/assets/picture.css`), are about 0.55 em wide."""

LONGEST_SHAPE = 40
"""Characters from which the shape of an input or output is cut: a model may return
dozens of tensors."""

_TENSOR = re.compile(r"(\w+)\[([\d,]*)\]")


def parse_tensors(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """Dtype and sizes of each tensor in a text such as `(f32[1,2], i64[])`."""
    return [
        (dtype, tuple(int(size) for size in sizes.split(",") if size))
        for dtype, sizes in _TENSOR.findall(text)
    ]


def sizes_of(shape: str) -> tuple[int, ...]:
    """The sizes of one tensor; none where the text is something else."""
    return parse_tensors(shape)[0][1] if _TENSOR.fullmatch(shape) else ()


def write_shape(shape: str) -> str:
    """`f32[1,3,64,64]` as `1×3×64×64`; other dtypes are named.

    What is not one tensor stays as it is."""
    if not _TENSOR.fullmatch(shape):
        return shape
    ((dtype, sizes),) = parse_tensors(shape)
    words = "×".join(map(str, sizes)) or "scalar"
    return words if dtype == "f32" else f"{dtype} {words}"


def labels_of(block: Block) -> tuple[str, str]:
    """The two lines on a block."""
    if block.kind in DATA:
        return block.layer, _data_label(block)
    params = f"{block.params:,}" if block.params else ""
    if block.kind in FUNCTIONS:
        dot = "." if block.kind is BlockKind.METHOD else ""
        return f"{dot}{block.op}()", params
    return block.op, " · ".join(part for part in (block.layer, params) if part)


def _data_label(block: Block) -> str:
    shapes = block.outputs if block.kind is BlockKind.INPUT else block.inputs
    text = write_shape(shapes[0]) if shapes else ""
    return text if len(text) < LONGEST_SHAPE else text[: LONGEST_SHAPE - 2] + "…"


def label_width(shape: str) -> int:
    """The room in points that a shape needs beside its line."""
    return round(CHARACTER * len(write_shape(shape)) + 14)
