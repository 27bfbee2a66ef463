"""Converts a module to a graph for Graphviz, and Graphviz's answer to a layout.

Blocks have the sizes set by the plan, so Graphviz needs no text and no font. An open
module is a table whose first and last rows have a cell for each port, so that lines
meet its border at the ports."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from shapelint.picture.geometry import BORDER, HEADER, PADDING, Box, Layout, Line, Point
from shapelint.picture.graphviz import Drawn
from shapelint.picture.labels import label_width
from shapelint.picture.plan import Plan

POINTS_PER_INCH = 72
"""Graphviz measures nodes in inches and positions in points."""

LABEL_HEIGHT = 13.0

STRAIGHT = 4
"""The weight of a line to the next call, which keeps successive calls in a row. Other
lines weigh 1, Graphviz's default."""


class Cell(NamedTuple):
    """A cell of a node's table. Lines can end at a cell with a name."""

    width: float
    height: float
    name: str = ""


@dataclass(frozen=True)
class ModuleGraph:
    """A module as a Graphviz graph. `inner`: the layouts of the open modules in it.

    Its blocks are the nodes n0, n1, ...; its ports are the nodes i0, i1, ... at the top
    and o0, o1, ... at the bottom."""

    plan: Plan
    module: int
    inner: dict[int, Layout]

    @cached_property
    def blocks(self) -> dict[int, str]:
        """The node names of the blocks."""
        return _number("n", self.plan.children[self.module])

    @cached_property
    def ports_in(self) -> dict[int, str]:
        """The node names of the ports at the top, by the block that made the entering
        tensor."""
        return _number("i", self.plan.border_of(self.module)[0])

    @cached_property
    def ports_out(self) -> dict[int, str]:
        """The node names of the ports at the bottom, by the block that made the leaving
        tensor."""
        return _number("o", self.plan.border_of(self.module)[1])

    # -- to Graphviz

    def write(self) -> str:
        """Write the graph in the DOT language."""
        words = [
            "digraph {",
            "graph [rankdir=TB nodesep=0.3 ranksep=0.24 splines=spline]",
            'node [label=""]',
            "edge [arrowhead=none arrowtail=none]",
        ]
        words += [f"{name} [{self._node(at)}]" for at, name in self.blocks.items()]
        words += _rank("source", self.ports_in.values())
        words += _rank("sink", self.ports_out.values())
        words += self._edges()
        return "\n".join([*words, "}"])

    def _node(self, at: int) -> str:
        layout = self.inner.get(at)
        width, height = self.plan.outer_size(at, layout)
        if at not in self.plan.children:
            inches = width / POINTS_PER_INCH, height / POINTS_PER_INCH
            return "shape=box fixedsize=true width={:.4f} height={:.4f}".format(*inches)
        above, below = self.plan.port_places(at, layout)
        # The rows of ports are a point high each; what is between them is the rest.
        body = Cell(width, max(2.0, height - 2))
        rows = (_port_row(above, width, "i"), [body], _port_row(below, width, "o"))
        return f"shape=plain label=<{_write_table(rows)}>"

    def _edges(self) -> list[str]:
        following = set(itertools.pairwise(self.plan.children[self.module]))
        words = []
        for number, line in enumerate(self.plan.lines_in[self.module]):
            weight = STRAIGHT if (line.source, line.target) in following else 1
            ends = f"{self._tail(line)} -> {self._head(line)}"
            words.append(f"{ends} [{_write_label(line)} weight={weight} id={number}]")
        return words

    def _tail(self, line: Line) -> str:
        """Where a line starts: at a port, at a block, or at the lower border of a
        module (`s` for south)."""
        if line.source == BORDER:
            return self.ports_in[line.port]
        name = self.blocks[line.source]
        if line.source not in self.plan.children:
            return name
        _, leaving = self.plan.ports_of(line.source)
        return f"{name}:o{leaving.index(line.port)}:s"

    def _head(self, line: Line) -> str:
        """Where a line ends: at a port, at a block, or at the upper border of a module
        (`n` for north)."""
        if line.target == BORDER:
            return self.ports_out[line.port]
        name = self.blocks[line.target]
        if line.target not in self.plan.children:
            return name
        entering, _ = self.plan.ports_of(line.target)
        return f"{name}:i{entering.index(line.port)}:n"

    # -- from Graphviz

    def read(self, drawn: Drawn) -> Layout:
        """Convert Graphviz's result to a layout."""
        _, _, width, height = map(float, drawn["bb"].split(","))
        needed = self.plan.name_width(self.module) - 2 * PADDING
        # A name wider than what is below it gets its room on both sides.
        extra = max(0.0, needed - width) / 2

        def place(text: str) -> Point:
            x, y = map(float, text.split(","))
            left = x + PADDING + extra
            top = height - y + PADDING + HEADER  # Graphviz's y runs up
            return (round(left, 1), round(top, 1))

        middles = {
            node["name"]: place(node["pos"])
            for node in drawn.get("objects", [])
            if "pos" in node
        }
        outer_height = height + 2 * PADDING + HEADER
        lines = self.plan.lines_in[self.module]
        routed = []
        for edge in sorted(drawn.get("edges", []), key=lambda edge: int(edge["id"])):
            points = tuple(map(place, edge["pos"].split()))
            middle = points[len(points) // 2]
            line = replace(
                lines[int(edge["id"])],
                points=points,
                label_at=place(edge["lp"]) if edge.get("lp") else middle,
            )
            routed.append(_reach_border(line, outer_height))
        return Layout(
            width=width + 2 * (PADDING + extra),
            height=outer_height,
            boxes=self._boxes(middles),
            lines=routed,
            ports_in=_ports(self.ports_in, middles),
            ports_out=_ports(self.ports_out, middles),
            inner=self.inner,
        )

    def _boxes(self, middles: dict[str, Point]) -> dict[int, Box]:
        boxes = {}
        # In the order in which Graphviz lists them: later blocks are drawn on top.
        block_of = {name: at for at, name in self.blocks.items()}
        for name, (x, y) in middles.items():
            if name not in block_of:
                continue
            at = block_of[name]
            width, height = self.plan.outer_size(at, self.inner.get(at))
            left, top = round(x - width / 2, 1), round(y - height / 2, 1)
            boxes[at] = Box(left, top, width, height)
        return boxes


def _number(letter: str, blocks: Iterable[int]) -> dict[int, str]:
    return {at: f"{letter}{number}" for number, at in enumerate(blocks)}


def _rank(rank: str, names: Iterable[str]) -> list[str]:
    """Put all ports of one side on the top or bottom level."""
    nodes = " ".join(f"{name} [shape=point width=0.02]" for name in names)
    return [f"{{rank={rank} {nodes}}}"] if nodes else []


def _ports(names: dict[int, str], middles: dict[str, Point]) -> dict[int, float]:
    return {port: middles[name][0] for port, name in names.items()}


def _write_label(line: Line) -> str:
    """Reserve room for a line's shape. A line that crosses the border has its label
    outside."""
    if BORDER in (line.source, line.target):
        return ""
    cell = Cell(label_width(line.shape), LABEL_HEIGHT)
    return f"label=<{_write_table([[cell]])}>"


def _reach_border(line: Line, height: float) -> Line:
    """Extend a line straight to the border, because ports are nodes inside the
    module."""
    points = line.points
    if line.source == BORDER:
        x, _ = first = points[0]
        points = ((x, 0.0), (x, 0.0), first, *points)
    if line.target == BORDER:
        x, _ = last = points[-1]
        points = (*points, last, (x, height), (x, height))
    return replace(line, points=points)


def _port_row(ports: Mapping[int, float], width: float, letter: str) -> list[Cell]:
    """A row with a cell of two points for each port, and the gaps between them."""
    cells: list[Cell] = []
    reached = 0.0
    numbered = enumerate(ports.values())
    for number, x in sorted(numbered, key=lambda pair: pair[1]):
        gap = round(x - 1 - reached)
        if gap > 0:
            cells.append(Cell(gap, 1))
            reached += gap
        cells.append(Cell(2, 1, f"{letter}{number}"))
        reached += 2
    if width - reached >= 1:
        cells.append(Cell(round(width - reached), 1))
    return cells


_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'


def _write_table(rows: Iterable[list[Cell]]) -> str:
    """A node without text in Graphviz's HTML. Each row is its own table, because the
    cells of one table would be aligned with each other."""
    lines = [f"<TR><TD>{_write_row(row)}</TD></TR>" for row in rows]
    return f"{_TABLE}{''.join(lines)}</TABLE>"


def _write_row(cells: list[Cell]) -> str:
    words = []
    for cell in cells:
        port = f' PORT="{cell.name}"' if cell.name else ""
        size = f'WIDTH="{cell.width:.0f}" HEIGHT="{cell.height:.0f}"'
        words.append(f'<TD FIXEDSIZE="TRUE" {size}{port}></TD>')
    return f"{_TABLE}<TR>{''.join(words)}</TR></TABLE>"
