"""A module of a picture laid out, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapelint.facts.graph import TensorFact

Point = tuple[float, float]

PADDING, HEADER = 14, 26
"""Points around what is inside an open module, and for its name."""


@dataclass
class Line:
    """A tensor between two nodes of one module: block numbers, or -1 for a port in or
    out.

    `is_arc`: it goes by other blocks, through what lies there. `points` are those of a
    chain of cubic Bezier curves; `label_at` is the middle of its label."""

    source: int
    target: int
    port: int
    shape: TensorFact
    into_failed: bool
    is_arc: bool = False
    points: list[Point] = field(default_factory=list)
    label_at: Point = (0.0, 0.0)


@dataclass
class Inside:
    """A module laid out: its size, the boxes in it (left, top, width, height), its
    lines, and the ports.

    Ports are where lines cross the border, as distances from the left, by the block
    that makes the tensor."""

    width: float
    height: float
    boxes: dict[int, tuple[float, float, float, float]]
    lines: list[Line]
    ports_in: dict[int, float]
    ports_out: dict[int, float]
    inner: dict[int, Inside]
