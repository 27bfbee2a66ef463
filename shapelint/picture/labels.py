"""The words on blocks and lines of a picture, and their widths."""

from __future__ import annotations

from shapelint.facts.drawing import Block
from shapelint.facts.kinds import BlockKind
from shapelint.facts.tensors import TensorFact, ValueFact
from shapelint.picture.block_kinds import DATA, FUNCTIONS

CHARACTER = 6.6
"""The average width of a character in points. At 12 pixels
(`render/assets/picture.css`), the characters of sans-serif fonts are about 0.55 em
wide."""

LONGEST_SHAPE = 40
"""The shape of an input or output is cut after this many characters, since a model may
return dozens of tensors."""


def write_shape(fact: TensorFact) -> str:
    """`1×3×64×64` for a float32 tensor. Other dtypes are named: `i64 1×16`."""
    sizes = "×".join(map(str, fact.shape)) or "scalar"
    # Nearly every tensor of a model is float32; what is not stands out by its dtype.
    return sizes if fact.dtype == "f32" else f"{fact.dtype} {sizes}"


def write_value(value: ValueFact) -> str:
    """Write a tensor like `write_shape`, and any other value as in reports."""
    tensor = value.tensor
    if tensor is None or value.name:
        return str(value)
    return write_shape(tensor)


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
    text = write_value(block.value) if block.value is not None else ""
    return text if len(text) < LONGEST_SHAPE else text[: LONGEST_SHAPE - 2] + "…"


def label_width(fact: TensorFact) -> int:
    """The width in points of a shape beside its line."""
    return round(CHARACTER * len(write_shape(fact)) + 14)
