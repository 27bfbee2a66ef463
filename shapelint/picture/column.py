"""The layout of a module whose lines would have too many detours: blocks in one column,
and arcs on the right for lines that skip blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from shapelint.picture.geometry import BORDER, HEADER, PADDING, Box, Layout, Line, Point
from shapelint.picture.labels import label_width
from shapelint.picture.plan import Plan

GAP = 32
"""Points between two blocks, enough for a line with its shape."""

NEAREST_ARC, ARC_STEP = 26, 14
"""How far arcs go to the right: the first number plus the second times the square root
of the spanned blocks. Arcs of different spans stay apart, and one over a hundred blocks
needs 166 points instead of 1,426."""

ARC_SLOPE = 18
"""How many points an arc goes up or down before it turns to the right."""

ARC_REACH = 0.75
"""How close the middle of a cubic Bezier curve comes to two control points that lie
above each other: (0 + 3 + 3 + 0) / 8."""


def lay_out_in_column(plan: Plan, module: int, inner: dict[int, Layout]) -> Layout:
    """Lay out a module with its blocks in the order of the calls."""
    sizes = {
        child: plan.outer_size(child, inner.get(child))
        for child in plan.children[module]
    }
    widest = max(width for width, _ in sizes.values())
    column_width = max(widest, plan.name_width(module))
    boxes: dict[int, Box] = {}
    top = float(PADDING + HEADER + GAP)
    for child, (width, height) in sizes.items():
        left = PADDING + column_width / 2 - width / 2
        boxes[child] = Box(round(left, 1), round(top, 1), width, height)
        top += height + GAP
    entering, leaving = plan.border_of(module)
    column = _Column(
        plan=plan,
        boxes=boxes,
        inner=inner,
        width=column_width,
        height=top + PADDING,
        ports_in=_spread(entering, column_width),
        ports_out=_spread(leaving, column_width),
    )
    return column.route(plan.lines_in[module])


def _spread(ports: list[int], width: float) -> dict[int, float]:
    """Place ports at equal distances over the width of the column."""
    return {
        port: PADDING + width * (number + 1) / (len(ports) + 1)
        for number, port in enumerate(ports)
    }


@dataclass(frozen=True)
class _Column:
    """A module with its blocks placed, but without lines."""

    plan: Plan
    boxes: dict[int, Box]
    inner: dict[int, Layout]
    width: float
    height: float
    ports_in: dict[int, float]
    ports_out: dict[int, float]

    def route(self, lines: list[Line]) -> Layout:
        """Return the layout with lines."""
        order = {child: number for number, child in enumerate(self.boxes)}
        routed = []
        reach = PADDING + self.width
        for line in lines:
            first = order.get(line.source, -1)
            last = order.get(line.target, len(order))
            span = last - first
            if span == 1:
                routed.append(self._straight(line))
                continue
            arc, right = self._arc(line, span)
            routed.append(arc)
            reach = max(reach, right)
        return Layout(
            width=reach + PADDING,
            height=self.height,
            boxes=self.boxes,
            lines=routed,
            ports_in=self.ports_in,
            ports_out=self.ports_out,
            inner=self.inner,
        )

    def _straight(self, line: Line) -> Line:
        """A line to the next block, with its label on the right."""
        start, end = self._start(line, is_arc=False), self._end(line, is_arc=False)
        thirds = (_interpolate(start, end, 1 / 3), _interpolate(start, end, 2 / 3))
        x, y = _interpolate(start, end, 1 / 2)
        label_at = (x + label_width(line.shape) / 2, y)
        return replace(line, points=(start, *thirds, end), label_at=label_at)

    def _arc(self, line: Line, span: int) -> tuple[Line, float]:
        """A line that passes other blocks, and the right end of its label."""
        start, end = self._start(line, is_arc=True), self._end(line, is_arc=True)
        right = PADDING + self.width
        out = right + NEAREST_ARC + ARC_STEP * math.sqrt(abs(span))
        low, high = start[1], end[1]
        if low < high:
            low, high = low + ARC_SLOPE, high - ARC_SLOPE
        arc = replace(
            line,
            is_arc=True,
            points=(start, (out, low), (out, high), end),
            label_at=(right + (out - right) * ARC_REACH, (start[1] + end[1]) / 2),
        )
        return arc, out + label_width(line.shape) / 2

    def _start(self, line: Line, is_arc: bool) -> Point:
        """Where a line begins: at a port, below a block, or at its right side."""
        if line.source == BORDER:
            return (self.ports_in[line.port], 0.0)
        left, top, width, height = self.boxes[line.source]
        if line.source in self.plan.children:
            layout = self.inner.get(line.source)
            _, below = self.plan.port_places(line.source, layout)
            return (left + below[line.port], top + height)
        # Arcs begin below the middle of a side and end above it, so as not to meet.
        if is_arc:
            return (left + width, top + height * 0.6)
        return (left + width / 2, top + height)

    def _end(self, line: Line, is_arc: bool) -> Point:
        """Where a line ends: at a port, above a block, or at its right side."""
        if line.target == BORDER:
            return (self.ports_out[line.port], self.height)
        left, top, width, height = self.boxes[line.target]
        if line.target in self.plan.children:
            layout = self.inner.get(line.target)
            above, _ = self.plan.port_places(line.target, layout)
            return (left + above[line.port], top)
        if is_arc:
            return (left + width, top + height * 0.4)
        return (left + width / 2, top)


def _interpolate(start: Point, end: Point, part: float) -> Point:
    x = start[0] + (end[0] - start[0]) * part
    y = start[1] + (end[1] - start[1]) * part
    return (x, y)
