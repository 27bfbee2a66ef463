"""The layout of a module as plain data.

Lengths are in points. x runs to the right and y down, from the module's upper left
corner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from shapelint.facts.tensors import TensorFact

Point = tuple[float, float]

PADDING, HEADER = 14, 26
"""The margin inside the border of an open module, and the height of its name."""

BORDER = -1
"""Stands for a block if a line begins or ends at the border of its module."""


class Box(NamedTuple):
    """The place and size of a block."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """A tensor that flows between two blocks of one module, or across its border.

    `port` is the block that made the tensor, wherever that is; it identifies the point
    at which the line crosses a border. `is_arc`: the line passes beside other blocks.
    `points` are those of a chain of cubic Bezier curves; `label_at` is the middle of
    the label."""

    source: int
    target: int
    port: int
    shape: TensorFact
    into_failed: bool
    is_arc: bool = False
    points: tuple[Point, ...] = ()
    label_at: Point = (0.0, 0.0)


@dataclass(frozen=True)
class Layout:
    """A module with everything in its place.

    `inner`: the layouts of the open modules in it, by block. `ports_in` and `ports_out`
    are the points at which lines cross the upper and the lower border: x by the block
    that made the tensor."""

    width: float
    height: float
    boxes: dict[int, Box] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    ports_in: dict[int, float] = field(default_factory=dict)
    ports_out: dict[int, float] = field(default_factory=dict)
    inner: dict[int, Layout] = field(default_factory=dict)
