"""A picture before its layout: the contents and lines of each module, the sizes of
blocks, and which modules are open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

from shapelint.facts.drawing import Block, Picture
from shapelint.facts.kinds import BlockKind
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.picture.block_kinds import DATA, FUNCTIONS, MODULES
from shapelint.picture.geometry import BORDER, Layout, Line
from shapelint.picture.labels import CHARACTER, labels_of

NARROWEST, WIDEST = 116, 340
"""Widths of the blocks with the smallest and the largest activations."""

LOWEST, LOWEST_FUNCTION, HIGHEST = 34, 24, 150
"""The heights of a module without parameters, of a function without parameters, and of
a block with all of them."""

DATA_HEIGHT = 26.0
"""The height of inputs and outputs."""

SHARE_SHOWN = 0.25
"""A block states its share of the parameters in words from this share on."""

SHARE_WIDTH = CHARACTER * 24 + 20
"""The width of these words: `100 % of the parameters`."""

ROOM = 40
"""How many blocks a picture shows at first: about two screens."""

Lines = dict[tuple[int, int, int, TensorFact], bool]
"""Lines by source, target, maker and shape, and whether each leads into a failing
call."""

Size = tuple[float, float]
Ports = tuple[list[int], list[int]]


class Plan:
    """A picture's blocks by module. Blocks are identified by their index in the
    picture; 0 is the model."""

    def __init__(self, picture: Picture) -> None:
        self.blocks, self.links = picture.blocks, picture.links
        self.children: dict[int, list[int]] = {}
        for at, block in enumerate(self.blocks):
            if block.within is not None:
                self.children.setdefault(block.within, []).append(at)

    # -- lines

    @cached_property
    def lines_in(self) -> dict[int, list[Line]]:
        """The lines of each module. A tensor crosses the border of a module once, at
        the port of its maker, however many calls use it on the other side."""
        found: dict[int, Lines] = {module: {} for module in self.children}
        for link in self.links:
            sources = {module: child for child, module in self._climb(link.source)}
            targets = {module: child for child, module in self._climb(link.target)}
            for module in {**sources, **targets}:
                source = sources.get(module, BORDER)
                target = targets.get(module, BORDER)
                if source == target:
                    continue  # the tensor stays within one child
                key = (source, target, link.source, link.shape)
                # The part up to a border may lead to other calls, which do not fail.
                into_failed = link.into_failed and target != BORDER
                found[module][key] = found[module].get(key, False) or into_failed
        return {
            module: [Line(*key, failed) for key, failed in lines.items()]
            for module, lines in found.items()
        }

    def _climb(self, at: int) -> Iterator[tuple[int, int]]:
        """Pairs of a block and the module around it, from a block up to the model."""
        within = self.blocks[at].within
        while within is not None:
            yield at, within
            at, within = within, self.blocks[within].within

    def border_of(self, module: int) -> Ports:
        """The makers of the tensors that enter and leave a module, in the order of the
        lines inside it."""
        lines = self.lines_in[module]
        entering = [line.port for line in lines if line.source == BORDER]
        leaving = [line.port for line in lines if line.target == BORDER]
        return _drop_repeats(entering), _drop_repeats(leaving)

    def ports_of(self, module: int) -> Ports:
        """Like `border_of`, in the order of the lines outside the module."""
        lines = self.lines_in.get(self.blocks[module].within or 0, [])
        entering = [line.port for line in lines if line.target == module]
        leaving = [line.port for line in lines if line.source == module]
        return _drop_repeats(entering), _drop_repeats(leaving)

    def port_places(
        self, module: int, layout: Layout | None
    ) -> tuple[dict[int, float], dict[int, float]]:
        """The distance of each port from the left side of a module, in the order of
        `ports_of`: as in its layout, or evenly spread if it is closed."""
        above, below = self.ports_of(module)
        if layout is not None:
            ports_in = {port: layout.ports_in[port] for port in above}
            ports_out = {port: layout.ports_out[port] for port in below}
            return ports_in, ports_out
        width, _ = self.size(module)
        return _spread(above, width), _spread(below, width)

    def count_detours(self, module: int) -> int:
        """How many blocks all lines of a module together have to go around."""
        places = {child: number for number, child in enumerate(self.children[module])}
        detours = 0
        for line in self.lines_in[module]:
            source = places.get(line.source, 0)
            target = places.get(line.target, len(places))
            detours += max(0, abs(target - source) - 1)
        return detours

    # -- open modules

    def choose_open(self, room: int = ROOM) -> set[int]:
        """Choose the modules to draw open.

        They are opened level by level as long as there is room. Modules around a
        failing call are always open."""
        opened, level = {0}, [0]
        shown = len(self.children.get(0, []))
        while True:
            level = [
                child for at in level for child in self._list_modules_worth_opening(at)
            ]
            # An open module gives up its own place to what is inside.
            more = sum(len(self.children[at]) - 1 for at in level)
            if not level or shown + more > room:
                break
            opened.update(level)
            shown += more
        return opened | self._find_modules_around_failures(room)

    def _list_modules_worth_opening(self, module: int) -> list[int]:
        """The modules inside a module that contain more than one block."""
        children = self.children.get(module, [])
        return [child for child in children if len(self.children.get(child, [])) > 1]

    def _find_modules_around_failures(self, most: int) -> set[int]:
        """The modules around the first failing calls."""
        failed = [
            at
            for at, block in enumerate(self.blocks)
            if block.failed and at not in self.children
        ]
        return {module for at in failed[:most] for _, module in self._climb(at)}

    # -- sizes

    def share(self, at: int) -> float:
        """The share of a block in the model's parameters, from 0 to 1."""
        total = self.blocks[0].params
        return self.blocks[at].params / total if total else 0.0

    def name_width(self, module: int) -> float:
        """The width of an open module's name."""
        block = self.blocks[module]
        name = f"{block.layer} {block.op} · {block.params:,} parameters"
        return CHARACTER * len(name) + 50

    def outer_size(self, at: int, layout: Layout | None) -> Size:
        """Width and height of an open or closed block."""
        return (layout.width, layout.height) if layout is not None else self.size(at)

    def size(self, at: int) -> Size:
        """Width and height of a closed block: the width shows its largest activation,
        the height its share of the parameters.

        The width is logarithmic, because activations differ by orders of magnitude
        within one model. The height follows the square root, so that a layer with a
        hundredth of the parameters is still visibly higher than one without any."""
        block = self.blocks[at]
        if block.kind in DATA:
            words = CHARACTER * sum(map(len, labels_of(block))) + 30
            return round(max(NARROWEST, words)), DATA_HEIGHT
        width = max(self._activation_width(block), self._words_width(at))
        lowest = LOWEST if block.kind in MODULES else LOWEST_FUNCTION
        height = lowest + math.sqrt(self.share(at)) * (HIGHEST - lowest)
        return round(width), round(height)

    def _activation_width(self, block: Block) -> float:
        least, most = self._range_of_sizes
        part = 0.35  # Without a measure: somewhat below the middle.
        if block.size and most > least:
            part = (math.log(block.size) - least) / (most - least)
        width = NARROWEST + part * (WIDEST - NARROWEST)
        # Additions and reshapes are narrower, so that layers stand out.
        is_plain = block.kind in FUNCTIONS and not block.params
        return width * 0.8 if is_plain else width

    def _words_width(self, at: int) -> float:
        """The least width for the words and signs on a block."""
        block = self.blocks[at]
        width = CHARACTER * max(map(len, labels_of(block))) + 24
        has_sheets = bool(block.outputs) and len(block.outputs[0].shape) > 2
        if block.kind in MODULES and has_sheets:
            width += 56
        elif block.kind is BlockKind.CONTAINER:
            width += 36  # the sign that it can be opened
        if self.share(at) >= SHARE_SHOWN:
            width = max(width, SHARE_WIDTH)
        return width

    @cached_property
    def _range_of_sizes(self) -> tuple[float, float]:
        """The logarithms of the smallest and the largest activations."""
        sizes = [math.log(block.size) for block in self.blocks if block.size > 0]
        return (min(sizes), max(sizes)) if sizes else (0.0, 0.0)

    @cached_property
    def longest(self) -> int:
        """The largest spatial size of any activation."""
        longest = 1
        for block in self.blocks:
            shape = block.outputs[0].shape if block.outputs else ()
            longest = max((longest, *positions_of(shape)))
        return longest


def positions_of(shape: Shape) -> Shape:
    """The spatial sizes of an activation: the last ones of (N, C, H, W), the second one
    of (N, L, C). A batch of vectors has none."""
    if len(shape) > 3:
        return shape[2:]
    return shape[1:2] if len(shape) == 3 else ()


def _spread(ports: list[int], width: float) -> dict[int, float]:
    count = len(ports) + 1
    return {port: width * (k + 1) / count for k, port in enumerate(ports)}


def _drop_repeats(ports: list[int]) -> list[int]:
    return list(dict.fromkeys(ports))
