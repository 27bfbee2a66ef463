"""What a picture of the model shows: its calls as blocks inside the modules that make
them, and what flows between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from shapelint.facts.drawing import Block, Link, Picture
from shapelint.facts.graph import Call, Frame, TensorFact, Trace, ValueFact, Walked
from shapelint.facts.kinds import BlockKind
from shapelint.ops.walked_rows import is_by_the_way

MOST = 4000
"""Blocks that a picture may have; beyond, the innermost modules are drawn without what
is inside."""

LARGEST = 400
"""Blocks that one module may hold; one with more is drawn without what is inside."""


def picture_of(walked: Walked, trace: Trace) -> Picture:
    """The walk as blocks and links. A weight counts where it is first used."""
    drawn = [call for call in trace.calls if not is_by_the_way(call)]
    full = _too_full(drawn)
    depth = _affordable_depth(drawn)
    if depth is None or any(
        call.within[:1] and call.within[0] in full for call in drawn
    ):
        return Picture(left_out=len(drawn))
    builder = _Builder(walked, trace, depth, full)
    for call in drawn:
        builder.add(call)
    return builder.finished()


def _too_full(drawn: list[Call]) -> set[Frame]:
    """Modules that hold more than there is room for."""
    held: dict[Frame, set[Frame | int]] = {}
    for call in drawn:
        inside: list[Frame | int] = [*call.within[1:], call.index]
        for frame, child in zip(call.within, inside, strict=False):
            held.setdefault(frame, set()).add(child)
    return {frame for frame, children in held.items() if len(children) > LARGEST}


def _affordable_depth(drawn: list[Call]) -> int | None:
    """How many modules deep the picture may go; None where even the outermost level has
    too many blocks."""
    deepest = max((len(call.within) for call in drawn), default=0)
    for depth in range(deepest, 0, -1):
        shown = {
            call.within[: depth + 1] if len(call.within) > depth else call.index
            for call in drawn
        }
        if len(shown) <= MOST:
            return depth
    return 0 if not deepest and len(drawn) <= MOST else None


@dataclass
class _Builder:
    """Blocks while they become more. `depth`: modules further in are one block each, as
    are those in `full`."""

    walked: Walked
    trace: Trace
    depth: int
    full: set[Frame]
    blocks: list[Block] = field(default_factory=list)
    links: dict[tuple[int, int, TensorFact], Link] = field(default_factory=dict)
    of_call: dict[int, int] = field(default_factory=dict)
    _of_frame: dict[Frame, int] = field(default_factory=dict)
    _inputs: dict[int, int] = field(default_factory=dict)
    _counted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        name = self.walked.target.rpartition(":")[2].partition("(")[0]
        self.blocks.append(Block("", name, BlockKind.CONTAINER))
        for number, value in enumerate(self.trace.inputs):
            given = value.name or "input"
            self._inputs[-1 - number] = len(self.blocks)
            self.blocks.append(_end_block(given, BlockKind.INPUT, value))

    def add(self, call: Call) -> None:
        """A block for a call, or its share in that of the module it is in."""
        depth = next(
            (
                at
                for at, frame in enumerate(call.within[: self.depth])
                if frame in self.full
            ),
            self.depth,
        )
        deep = len(call.within) > depth
        within = self._container(call.within[: depth + deep])
        new = [
            name
            for name in call.params
            if name not in self._counted and name in self.walked.params
        ]
        self._counted.update(new)
        params = sum(self.walked.params[name].numel for name in new)
        at = within
        if not deep:
            at = len(self.blocks)
            place = call.definition[0] if call.definition else None
            self.blocks.append(
                Block(
                    call.layer,
                    call.op,
                    BlockKind(call.kind),
                    [
                        fact.unnamed
                        for fact in call.inputs
                        if fact.name not in call.params
                    ],
                    within=within,
                    made=(place.file, place.line) if place else None,
                    called=(call.site.file, call.site.line) if call.site else None,
                )
            )
        self.of_call[call.index] = at
        block = self.blocks[at]
        block.outputs = [fact.unnamed for fact in call.outputs]
        block.size = max(
            [block.size, *(math.prod(fact.shape) for fact in call.outputs)]
        )
        block.failed = block.failed or call.failure is not None
        self._count(at, params, call.mult_adds)
        for position, fact in enumerate(call.inputs):
            source = self._source(call, position)
            if (
                source is not None
                and source != at
                and not (fact.name and position not in call.from_input)
            ):
                self._link(source, at, fact.unnamed, call.failure is not None)

    def _link(
        self, source: int, target: int, shape: TensorFact, into_failed: bool
    ) -> None:
        link = self.links.setdefault(
            (source, target, shape), Link(source, target, shape)
        )
        link.into_failed = link.into_failed or into_failed

    def _count(self, at: int, params: int, mult_adds: int) -> None:
        """Added to a block and all it is in."""
        inside: int | None = at
        while inside is not None:
            self.blocks[inside].params += params
            self.blocks[inside].mult_adds += mult_adds
            inside = self.blocks[inside].within

    def _container(self, frames: tuple[Frame, ...]) -> int:
        at = 0
        for frame in frames[1:]:
            if frame not in self._of_frame:
                self._of_frame[frame] = len(self.blocks)
                sites = self.walked.definitions.get(frame.path, ())
                made = (sites[0].file, sites[0].line) if sites else None
                self.blocks.append(
                    Block(
                        frame.path,
                        frame.class_name,
                        BlockKind.CONTAINER,
                        within=at,
                        made=made,
                    )
                )
            at = self._of_frame[frame]
        return at

    def _source(self, call: Call, position: int) -> int | None:
        """The block that made a tensor argument, through calls that are left out."""
        for _ in range(len(self.trace.calls) + 1):
            producer = call.producers[position]
            if producer < 0:
                return (
                    self._inputs.get(producer) if position in call.from_input else None
                )
            if producer in self.of_call:
                return self.of_call[producer]
            call = self.trace.calls[producer]
            main = call.main_argument
            if main is None:
                return None
            position = main
        return None

    def finished(self) -> Picture:
        """With the output, and for each container what comes out of it."""
        if self.trace.output is not None:
            at = len(self.blocks)
            self.blocks.append(
                _end_block("output", BlockKind.OUTPUT, self.trace.output)
            )
            self._link_results(at)
        for block in reversed(self.blocks):
            if block.within is not None and block.kind not in (
                BlockKind.INPUT,
                BlockKind.OUTPUT,
            ):
                outer = self.blocks[block.within]
                outer.failed = outer.failed or block.failed
        for link in self.links.values():
            self._through(link)
        return Picture(self.blocks, list(self.links.values()))

    def _link_results(self, output: int) -> None:
        for index in self.trace.results:
            call = self.trace.calls[index] if index >= 0 else None
            if call is None:
                continue
            source = self.of_call.get(index)
            if source is None and call.main_argument is not None:
                source = self._source(call, call.main_argument)
            if source is not None and call.output is not None:
                self._link(source, output, call.output.unnamed, False)

    def _through(self, link: Link) -> None:
        """What comes out of containers and goes into others, and the largest of it."""
        left, entered = self._around(link.source), self._around(link.target)
        for at in left:
            if at not in entered and self.blocks[at].kind is BlockKind.CONTAINER:
                block = self.blocks[at]
                block.size = max(block.size, self.blocks[link.source].size)
                block.outputs += [link.shape] if link.shape not in block.outputs else []
        for at in entered:
            if at not in left and self.blocks[at].kind is BlockKind.CONTAINER:
                block = self.blocks[at]
                block.inputs += [link.shape] if link.shape not in block.inputs else []

    def _around(self, at: int) -> list[int]:
        found: list[int] = []
        current: int | None = at
        while current is not None:
            found.append(current)
            current = self.blocks[current].within
        return found


def _end_block(layer: str, kind: BlockKind, value: ValueFact) -> Block:
    """A block for an input or the output of the model."""
    block = Block(layer, kind.value, kind, within=0, value=replace(value, name=""))
    shapes = [value.tensor] if value.tensor is not None else []
    if kind is BlockKind.INPUT:
        block.outputs = shapes
    else:
        block.inputs = shapes
    return block
