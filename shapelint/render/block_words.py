"""The text that a picture shows when the pointer is over a block."""

from __future__ import annotations

from shapelint.facts.escape import in_one_line
from shapelint.facts.kinds import BlockKind
from shapelint.facts.tensors import TensorFact
from shapelint.picture.block_kinds import FUNCTIONS, MODULES
from shapelint.picture.geometry import Line
from shapelint.picture.labels import write_shape, write_value
from shapelint.picture.plan import Plan
from shapelint.syntax.paths import shown_path
from shapelint.syntax.texts import DISK

_SHAPES_SHOWN = 4


def describe_block(plan: Plan, at: int) -> str:
    """Everything known about a block, one fact in each line."""
    block = plan.blocks[at]
    lines = [_name_block(plan, at)]
    if block.inputs and block.kind is not BlockKind.OUTPUT:
        lines.append(f"in {_write_shapes(block.inputs)}")
    if block.kind is BlockKind.INPUT and block.value is not None:
        lines.append(f"out {write_value(block.value)}")
    elif block.outputs:
        lines.append(f"out {_write_shapes(block.outputs)}")
    if block.params:
        lines.append(f"{block.params:,} parameters ({100 * plan.share(at):.1f} %)")
    if block.mult_adds:
        lines.append(f"{block.mult_adds:,} mult-adds")
    for word, place in (("made", block.made), ("called", block.called)):
        if place is not None:
            lines += _describe_place(word, *place)
    return "\n".join(lines)


def _name_block(plan: Plan, at: int) -> str:
    block = plan.blocks[at]
    if block.kind in MODULES:
        return f"{block.layer} {block.op}".strip()
    if block.kind in FUNCTIONS:
        return f"{block.op}() in {block.layer or plan.blocks[0].op}"
    return block.op


def _write_shapes(shapes: list[TensorFact]) -> str:
    return ", ".join(write_shape(shape) for shape in shapes[:_SHAPES_SHOWN])


def _describe_place(word: str, file: str, line: int) -> list[str]:
    text = in_one_line(DISK.line_of(file, line).strip())
    code = [f"    {text}"] if text else []
    return [f"{word} at {shown_path(file)}:{line}", *code]


def is_unchanged(plan: Plan, line: Line) -> bool:
    """Whether the block that made a tensor returned the shape of its input."""
    maker = plan.blocks[line.port]
    has_no_input = maker.kind in (BlockKind.INPUT, BlockKind.CONTAINER)
    return not has_no_input and line.shape in maker.inputs
