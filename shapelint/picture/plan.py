"""Where the blocks of a picture go: each module is laid out by Graphviz on its own,
from the inside out.

What is inside a module stands between ports, one for each tensor that comes in or goes
out. The module then is a node of its surroundings whose ports are at the same places,
so that lines go through its border."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

from shapelint.facts.drawing import Picture
from shapelint.facts.graph import TensorFact
from shapelint.facts.kinds import BlockKind
from shapelint.picture.column import in_a_column
from shapelint.picture.geometry import HEADER, PADDING, Inside, Line, Point
from shapelint.picture.graphviz import fixed_table, laid_out, port_cells
from shapelint.picture.labels import CHARACTER, label_width, labels

NARROWEST, WIDEST, LOWEST, HIGHEST = 116, 340, 34, 150
"""Points of the smallest and largest blocks."""
FAR = 500
"""Blocks that lines may have to go around in one module; beyond, Graphviz takes minutes
(`shapelint.picture.column`)."""
SHARE_SHOWN = 0.25
"""From which part of the parameters on a block says it in words."""
_LABEL = 13.0


class Plan:
    """A picture and what is known of it before anything is laid out."""

    def __init__(self, picture: Picture) -> None:
        self.blocks, self.links = picture.blocks, picture.links
        self.children: dict[int, list[int]] = {}
        for at, block in enumerate(self.blocks):
            if block.within is not None:
                self.children.setdefault(block.within, []).append(at)
        self._laid_out: dict[str, dict[str, Any]] = {}

    @cached_property
    def lines_in(self) -> dict[int, list[Line]]:
        """The lines of each module. A tensor that enters or leaves one does so once, at
        the port of its maker."""
        found: dict[int, dict[tuple[int, int, int, TensorFact], Line]] = {
            at: {} for at in self.children
        }
        for link in self.links:
            ways = {at: child for child, at in self._way_up(link.source)}
            inward = {at: child for child, at in self._way_up(link.target)}
            for at in {**ways, **inward}:
                source, target = ways.get(at, -1), inward.get(at, -1)
                if source == target:
                    continue
                key = (source, target, link.source, link.shape)
                line = found[at].setdefault(
                    key, Line(source, target, link.source, link.shape, False)
                )
                line.into_failed = line.into_failed or (
                    link.into_failed and target >= 0
                )
        return {at: list(lines.values()) for at, lines in found.items()}

    def _way_up(self, at: int) -> Iterable[tuple[int, int]]:
        """A block and the module it is in, then that module and the one it is in, and
        so on."""
        within = self.blocks[at].within
        while within is not None:
            yield at, within
            at, within = within, self.blocks[within].within

    def ports(self, at: int) -> tuple[list[int], list[int]]:
        """The makers of what goes into a module and of what comes out of it."""
        lines = self.lines_in.get(self.blocks[at].within or 0, [])
        entering = [line.port for line in lines if line.target == at]
        leaving = [line.port for line in lines if line.source == at]
        return list(dict.fromkeys(entering)), list(dict.fromkeys(leaving))

    # -- which modules are open
    # ---------------------------------------------------------------

    def opened(self, room: int = 40, failing: bool = True) -> set[int]:
        """Modules shown with what is inside: level by level while there is room, and
        those with a failing call."""
        opened, level = {0}, [0]
        shown = len(self.children.get(0, []))
        while level:
            inner = [
                c
                for at in level
                for c in self.children.get(at, [])
                if len(self.children.get(c, [])) > 1
            ]
            more = sum(len(self.children[at]) - 1 for at in inner)
            if not inner or shown + more > room:
                break
            opened.update(inner)
            shown, level = shown + more, inner
        if failing:
            failed = [
                at
                for at, block in enumerate(self.blocks)
                if block.failed and at not in self.children
            ]
            for at in failed[:room]:
                opened.update(module for _, module in self._way_up(at))
        return opened

    # -- sizes
    # --------------------------------------------------------------------------------

    @cached_property
    def _sizes(self) -> tuple[float, float]:
        sizes = [math.log(block.size) for block in self.blocks if block.size > 0]
        return (min(sizes), max(sizes)) if sizes else (0.0, 0.0)

    def name_width(self, at: int) -> float:
        """The room that the name of an open module needs."""
        block = self.blocks[at]
        return (
            CHARACTER * len(f"{block.layer} {block.op} · {block.params:,} parameters")
            + 50
        )

    def share(self, at: int) -> float:
        """The part of the model's parameters that a block has."""
        return (
            self.blocks[at].params / self.blocks[0].params
            if self.blocks[0].params
            else 0.0
        )

    @cached_property
    def longest(self) -> int:
        """The most positions along one dimension, channels left out."""
        sizes = [fact.shape for block in self.blocks for fact in block.outputs[:1]]
        return (
            max(
                (
                    max(each[2:] if len(each) > 3 else each[1:2])
                    for each in sizes
                    if len(each) > 2
                ),
                default=1,
            )
            or 1
        )

    def size(self, at: int) -> tuple[float, float]:
        """Width and height of a block without what is inside: as wide as its
        activations are large (logarithm), as high as its share of the parameters
        (square root)."""
        block = self.blocks[at]
        words = CHARACTER * max(len(words) for words in labels(block)) + 24
        if (
            block.kind in (BlockKind.MODULE, BlockKind.CONTAINER)
            and block.outputs
            and len(block.outputs[0].shape) > 2
        ):
            words += 56  # room for its sheets
        elif block.kind is BlockKind.CONTAINER:
            words += 36  # and for the sign that it can be opened
        if block.kind in (BlockKind.INPUT, BlockKind.OUTPUT):
            return round(
                max(NARROWEST, CHARACTER * sum(map(len, labels(block))) + 30)
            ), 26.0
        if self.share(at) >= SHARE_SHOWN:
            words = max(words, CHARACTER * 24 + 20)
        least, most = self._sizes
        part = (
            (math.log(block.size) - least) / (most - least)
            if block.size and most > least
            else 0.35
        )
        share = math.sqrt(self.share(at))
        low = LOWEST if block.kind in (BlockKind.CONTAINER, BlockKind.MODULE) else 24
        width = NARROWEST + part * (WIDEST - NARROWEST)
        if block.kind in (BlockKind.FUNCTION, BlockKind.METHOD) and not block.params:
            width *= 0.8
        return round(max(width, words)), round(low + share * (HIGHEST - low))

    # -- layout
    # -------------------------------------------------------------------------------

    def inside(self, at: int, opened: Callable[[int], bool]) -> Inside:
        """A module laid out, with those in it that are open laid out as well."""
        inner = {
            c: self.inside(c, opened)
            for c in self.children[at]
            if c in self.children and opened(c)
        }
        return self.arranged(at, inner)

    def arranged(self, at: int, inner: dict[int, Inside]) -> Inside:
        """A module laid out; `inner`: those in it that are open."""
        if self._detours(at) > FAR:
            return in_a_column(self, at, inner)
        lines = self.lines_in[at]
        names = {child: f"n{number}" for number, child in enumerate(self.children[at])}
        following = set(itertools.pairwise(self.children[at]))
        entering = list(dict.fromkeys(line.port for line in lines if line.source < 0))
        leaving = list(dict.fromkeys(line.port for line in lines if line.target < 0))
        port_names = {(True, port): f"i{k}" for k, port in enumerate(entering)}
        port_names |= {(False, port): f"o{k}" for k, port in enumerate(leaving)}
        words = [
            "digraph {",
            "graph [rankdir=TB nodesep=0.3 ranksep=0.24 splines=spline]",
            'node [label=""]',
        ]
        words.append("edge [arrowhead=none arrowtail=none]")
        for child, name in names.items():
            words.append(f"{name} [{self._node(child, inner.get(child))}]")
        for is_entering, rank in ((True, "source"), (False, "sink")):
            own = [name for (way, _), name in port_names.items() if way is is_entering]
            if own:
                words.append(
                    f"{{rank={rank} "
                    + " ".join(f"{name} [shape=point width=0.02]" for name in own)
                    + "}"
                )
        for number, line in enumerate(lines):
            tail = (
                self._end(line.source, line.port, False, names)
                or port_names[(True, line.port)]
            )
            head = (
                self._end(line.target, line.port, True, names)
                or port_names[(False, line.port)]
            )
            weight = (
                4 if (line.source, line.target) in following else 1
            )  # what is called in a row stands in one
            label = ""
            if line.source >= 0 and line.target >= 0:
                label = f"label=<{fixed_table([[(label_width(line.shape), _LABEL, None)]])}>"
            words.append(f"{tail} -> {head} [{label} weight={weight} id={number}]")
        drawn = self._graphviz("\n".join([*words, "}"]))
        return self._read(
            at,
            drawn,
            lines,
            inner,
            {name: key for key, name in port_names.items()},
            names,
        )

    def _detours(self, at: int) -> int:
        """How many blocks the lines of a module have to go around, all in all."""
        places = {child: number for number, child in enumerate(self.children[at])}
        ends = (
            (places.get(line.source, 0), places.get(line.target, len(places)))
            for line in self.lines_in[at]
        )
        return sum(max(0, abs(target - source) - 1) for source, target in ends)

    def _graphviz(self, text: str) -> dict[str, Any]:
        if text not in self._laid_out:
            self._laid_out[text] = laid_out(text)
        return self._laid_out[text]

    def _node(self, at: int, inside: Inside | None) -> str:
        """A box of a fixed size; a module has a table around it, whose cells are its
        ports."""
        width, height = (
            (inside.width, inside.height) if inside is not None else self.size(at)
        )
        if at not in self.children:
            return f"shape=box fixedsize=true width={width / 72:.4f} height={height / 72:.4f}"
        above, below = self.port_places(at, inside)
        body: list[tuple[float, float, str | None]] = [
            (width, max(2.0, height - 2), None)
        ]
        rows = [port_cells(above, width, "i"), body, port_cells(below, width, "o")]
        return f"shape=plain label=<{fixed_table(rows)}>"

    def port_places(
        self, at: int, inside: Inside | None
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Where the ports of a module are, from its left, in the order of `ports`; of a
        closed one, evenly spread."""
        above, below = self.ports(at)
        if inside is not None:
            return {port: inside.ports_in[port] for port in above}, {
                port: inside.ports_out[port] for port in below
            }
        width, _ = self.size(at)
        return (
            {port: width * (k + 1) / (len(above) + 1) for k, port in enumerate(above)},
            {port: width * (k + 1) / (len(below) + 1) for k, port in enumerate(below)},
        )

    def _end(self, at: int, port: int, is_head: bool, names: dict[int, str]) -> str:
        if at < 0:
            return ""
        if at not in self.children:
            return names[at]
        number = self.ports(at)[0 if is_head else 1].index(port)
        return (
            f"{names[at]}:{'i' if is_head else 'o'}{number}:{'n' if is_head else 's'}"
        )

    def _read(
        self,
        at: int,
        drawn: dict[str, Any],
        lines: list[Line],
        inner: dict[int, Inside],
        port_of: dict[str, tuple[bool, int]],
        names: dict[int, str],
    ) -> Inside:
        _, _, width, height = (float(number) for number in drawn["bb"].split(","))
        left, top = PADDING, PADDING + HEADER
        own_name = self.name_width(at)
        extra = max(0.0, own_name - width - 2 * PADDING) / 2

        def there(x: float, y: float) -> Point:
            return (round(x + left + extra, 1), round(height - y + top, 1))

        children = {name: child for child, name in names.items()}
        inside = Inside(
            width + 2 * (PADDING + extra),
            height + 2 * PADDING + HEADER,
            {},
            [],
            {},
            {},
            inner,
        )
        for node in drawn.get("objects", []):
            if "pos" not in node:
                continue
            x, y = there(*(float(number) for number in node["pos"].split(",")))
            if node["name"] in children:
                child = children[node["name"]]
                known = inner.get(child)
                wide, high = (
                    (known.width, known.height)
                    if known is not None
                    else self.size(child)
                )
                inside.boxes[child] = (
                    round(x - wide / 2, 1),
                    round(y - high / 2, 1),
                    wide,
                    high,
                )
            elif node["name"] in port_of:
                is_entering, port = port_of[node["name"]]
                (inside.ports_in if is_entering else inside.ports_out)[port] = x
        for edge in sorted(drawn.get("edges", []), key=lambda edge: int(edge["id"])):
            line = lines[int(edge["id"])]
            points = [
                there(*map(float, pair.split(","))) for pair in edge["pos"].split()
            ]
            middle = edge.get("lp")
            label_at = (
                there(*map(float, middle.split(",")))
                if middle
                else points[len(points) // 2]
            )
            placed = replace(line, points=points, label_at=label_at)
            self._to_the_border(placed, inside)
            inside.lines.append(placed)
        return inside

    def _to_the_border(self, line: Line, inside: Inside) -> None:
        """From a port to where the border is, straight."""
        if line.source < 0:
            x, _ = first = line.points[0]
            line.points = [(x, 0.0), (x, 0.0), first, *line.points]
        if line.target < 0:
            x, _ = last = line.points[-1]
            line.points = [*line.points, last, (x, inside.height), (x, inside.height)]
