"""The layout of a module whose lines would have too many blocks to go around: one below
the other, and arcs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from shapelint.picture.geometry import HEADER, PADDING, Inside, Line, Point
from shapelint.picture.labels import label_width

if TYPE_CHECKING:
    from shapelint.picture.plan import Plan

GAP = 32
"""Points between two blocks: room for a line with its shape."""


def in_a_column(plan: Plan, at: int, inner: dict[int, Inside]) -> Inside:
    """A module laid out: its blocks in the order of the calls; lines to the next block
    straight, all others as arcs."""
    children, lines = plan.children[at], plan.lines_in[at]
    sizes = {
        c: (inner[c].width, inner[c].height) if c in inner else plan.size(c)
        for c in children
    }
    column = max([width for width, _ in sizes.values()] + [plan.name_width(at)])
    middle = PADDING + column / 2
    inside = Inside(0.0, 0.0, {}, [], {}, {}, inner)
    top = float(PADDING + HEADER + GAP)
    for child in children:
        width, height = sizes[child]
        inside.boxes[child] = (
            round(middle - width / 2, 1),
            round(top, 1),
            width,
            height,
        )
        top += height + GAP
    inside.height = top + PADDING
    order = {child: number for number, child in enumerate(children)}
    entering = list(dict.fromkeys(line.port for line in lines if line.source < 0))
    leaving = list(dict.fromkeys(line.port for line in lines if line.target < 0))
    inside.ports_in = {
        port: PADDING + column * (k + 1) / (len(entering) + 1)
        for k, port in enumerate(entering)
    }
    inside.ports_out = {
        port: PADDING + column * (k + 1) / (len(leaving) + 1)
        for k, port in enumerate(leaving)
    }
    right = PADDING + column
    farthest = right
    for line in lines:
        first, last = order.get(line.source, -1), order.get(line.target, len(children))
        start, end = (
            _start(plan, inside, line, last - first != 1),
            _end(plan, inside, line, last - first != 1),
        )
        placed = replace(line, is_arc=last - first != 1)
        if last - first == 1:
            placed.points = [
                start,
                _between(start, end, 1 / 3),
                _between(start, end, 2 / 3),
                end,
            ]
            x, y = _between(start, end, 0.5)
            placed.label_at = (x + label_width(line.shape) / 2, y)
        else:
            out = right + 26 + 14 * math.sqrt(abs(last - first))
            low, high = (
                (start[1] + 18, end[1] - 18)
                if start[1] < end[1]
                else (start[1], end[1])
            )
            placed.points = [start, (out, low), (out, high), end]
            placed.label_at = (right + (out - right) * 0.75, (start[1] + end[1]) / 2)
            farthest = max(farthest, out + label_width(line.shape) / 2)
        inside.lines.append(placed)
    inside.width = farthest + PADDING
    return inside


def _between(start: Point, end: Point, part: float) -> Point:
    return (
        start[0] + (end[0] - start[0]) * part,
        start[1] + (end[1] - start[1]) * part,
    )


def _start(plan: Plan, inside: Inside, line: Line, is_arc: bool) -> Point:
    """Where a line begins: at a port, below a block, or for an arc at its right
    side."""
    if line.source < 0:
        return (inside.ports_in[line.port], 0.0)
    left, top, width, height = inside.boxes[line.source]
    if line.source in plan.children:
        _, below = plan.port_places(line.source, inside.inner.get(line.source))
        return (left + below[line.port], top + height)
    return (
        (left + width, top + height * 0.6)
        if is_arc
        else (left + width / 2, top + height)
    )


def _end(plan: Plan, inside: Inside, line: Line, is_arc: bool) -> Point:
    """Where a line ends."""
    if line.target < 0:
        return (inside.ports_out[line.port], inside.height)
    left, top, width, height = inside.boxes[line.target]
    if line.target in plan.children:
        above, _ = plan.port_places(line.target, inside.inner.get(line.target))
        return (left + above[line.port], top)
    return (left + width, top + height * 0.4) if is_arc else (left + width / 2, top)
