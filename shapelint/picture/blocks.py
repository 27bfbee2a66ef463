"""Builds the picture of a model: its calls as blocks inside the modules that make them,
and the tensors that flow between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from shapelint.facts.drawing import Block, Link, Picture
from shapelint.facts.graph import Call, Frame, Trace
from shapelint.facts.kinds import BlockKind
from shapelint.facts.places import Site
from shapelint.facts.tensors import TensorFact, ValueFact
from shapelint.facts.walked_target import Walked
from shapelint.ops.walked_rows import is_incidental
from shapelint.picture.block_kinds import DATA

MOST = 4000
"""The most blocks in a picture. Beyond that, the innermost modules are drawn without
their contents."""

LARGEST = 400
"""The most blocks in one module. A larger module is drawn without its contents, which
would be a column of several thousand points."""


def picture_of(walked: Walked, trace: Trace) -> Picture:
    """Build the picture of a walk. A weight counts where it is first used."""
    drawn = [call for call in trace.calls if not is_incidental(call)]
    full = _find_full_modules(drawn)
    depth = _affordable_depth(drawn)
    is_model_full = any(call.within and call.within[0] in full for call in drawn)
    if depth is None or is_model_full:
        return Picture(left_out=len(drawn))
    builder = _Builder(walked, trace, depth, full)
    builder.add_inputs()
    for call in drawn:
        builder.add(call)
    return builder.finish()


def _find_full_modules(drawn: list[Call]) -> set[Frame]:
    """The modules that contain too many blocks."""
    held: dict[Frame, set[Frame | int]] = {}
    for call in drawn:
        inside: list[Frame | int] = [*call.within[1:], call.index]
        for frame, child in zip(call.within, inside, strict=False):
            held.setdefault(frame, set()).add(child)
    return {frame for frame, children in held.items() if len(children) > LARGEST}


def _affordable_depth(drawn: list[Call]) -> int | None:
    """How many levels of modules the picture shows; None if even the outermost level
    has too many blocks."""
    deepest = max((len(call.within) for call in drawn), default=0)
    for depth in range(deepest, 0, -1):
        if len({_block_at(call, depth) for call in drawn}) <= MOST:
            return depth
    has_modules = deepest > 0
    return 0 if not has_modules and len(drawn) <= MOST else None


def _block_at(call: Call, depth: int) -> tuple[Frame, ...] | int:
    """The block of a call in a picture of this depth: a module around it, or the call
    itself."""
    is_deeper = len(call.within) > depth
    return call.within[: depth + 1] if is_deeper else call.index


@dataclass
class _Builder:
    """A picture under construction. Modules below `depth` or in `full` become one block
    each."""

    walked: Walked
    trace: Trace
    depth: int
    full: set[Frame]
    blocks: list[Block] = field(default_factory=list)
    links: dict[tuple[int, int, TensorFact], Link] = field(default_factory=dict)
    of_call: dict[int, int] = field(default_factory=dict)
    """The block that stands for each call."""
    of_frame: dict[Frame, int] = field(default_factory=dict)
    of_input: dict[int, int] = field(default_factory=dict)
    """The block of each model input, by its number in `Call.producers`."""
    counted: set[str] = field(default_factory=set)
    """The parameters that are already counted in a block."""

    def add_inputs(self) -> None:
        """Add the block of the model itself, and those of its inputs."""
        name = self.walked.target.rpartition(":")[2].partition("(")[0]
        self.blocks.append(Block("", name, BlockKind.CONTAINER))
        for number, value in enumerate(self.trace.inputs):
            self.of_input[-1 - number] = len(self.blocks)
            block = _data_block(value.name or "input", BlockKind.INPUT, value)
            block.outputs = _tensor_in(value)
            self.blocks.append(block)

    def add(self, call: Call) -> None:
        """Add a block for a call, or count the call in the block of its module."""
        depth = self._depth_for(call)
        if len(call.within) > depth:
            at = self._container(call.within[: depth + 1])
        else:
            within = self._container(call.within)
            at = len(self.blocks)
            self.blocks.append(_block_of(call, within))
        self.of_call[call.index] = at
        block = self.blocks[at]
        block.outputs = [fact.unnamed for fact in call.outputs]
        block.size = max([block.size, *map(_count_elements, call.outputs)])
        block.failed = block.failed or call.failure is not None
        self._count(at, self._count_new_params(call), call.mult_adds)
        self._link_inputs(call, at)

    def _depth_for(self, call: Call) -> int:
        """The depth of the picture at a call. It ends at the first module that is too
        full."""
        for at, frame in enumerate(call.within[: self.depth]):
            if frame in self.full:
                return at
        return self.depth

    def _count_new_params(self, call: Call) -> int:
        """Count the elements of the parameters that no earlier call has used."""
        known = self.walked.params
        new = [name for name in call.params if name in known]
        new = [name for name in new if name not in self.counted]
        self.counted.update(new)
        return sum(known[name].numel for name in new)

    def _link_inputs(self, call: Call, at: int) -> None:
        for position, fact in enumerate(call.inputs):
            # A weight is no tensor on its way, unless the input was made one.
            if fact.name and position not in call.from_input:
                continue
            source = self._find_source(call, position)
            if source is not None and source != at:
                self._link(source, at, fact.unnamed, call.failure is not None)

    def _link(
        self, source: int, target: int, shape: TensorFact, into_failed: bool
    ) -> None:
        key = (source, target, shape)
        link = self.links.setdefault(key, Link(*key))
        link.into_failed = link.into_failed or into_failed

    def _count(self, at: int, params: int, mult_adds: int) -> None:
        """Add to a block and to all blocks around it."""
        for around in self._ancestors(at):
            self.blocks[around].params += params
            self.blocks[around].mult_adds += mult_adds

    def _container(self, frames: tuple[Frame, ...]) -> int:
        """The block of the innermost module. Missing blocks around it are added."""
        at = 0  # the first frame is the model
        for frame in frames[1:]:
            if frame not in self.of_frame:
                self.of_frame[frame] = len(self.blocks)
                self.blocks.append(self._module_block(frame, at))
            at = self.of_frame[frame]
        return at

    def _module_block(self, frame: Frame, within: int) -> Block:
        return Block(
            frame.path,
            frame.class_name,
            BlockKind.CONTAINER,
            within=within,
            made=_first_place(self.walked.definitions.get(frame.path, ())),
        )

    def _find_source(self, call: Call, position: int) -> int | None:
        """The block that made a tensor argument, traced back through calls that are
        left out."""
        # Each step is an earlier call, so that there are at most as many as calls.
        for _ in range(len(self.trace.calls) + 1):
            producer = call.producers[position]
            if producer in self.of_call:
                return self.of_call[producer]
            if producer < 0:
                is_input = position in call.from_input
                return self.of_input.get(producer) if is_input else None
            call = self.trace.calls[producer]
            main = call.main_argument
            if main is None:
                return None
            position = main
        return None

    def finish(self) -> Picture:
        """Return the picture, after adding the model's output and the tensors that
        enter and leave each container."""
        if self.trace.output is not None:
            self._add_output(self.trace.output)
        # Inner blocks come after those they are in.
        for block in reversed(self.blocks):
            if block.within is not None and block.kind not in DATA:
                outer = self.blocks[block.within]
                outer.failed = outer.failed or block.failed
        for link in self.links.values():
            self._describe_containers(link)
        return Picture(self.blocks, list(self.links.values()))

    def _add_output(self, value: ValueFact) -> None:
        at = len(self.blocks)
        block = _data_block("output", BlockKind.OUTPUT, value)
        block.inputs = _tensor_in(value)
        self.blocks.append(block)
        for index in self.trace.results:
            if index < 0:
                continue  # an input, or something from elsewhere, returned as it is
            call = self.trace.calls[index]
            source = self._result_source(call)
            if source is not None and call.output is not None:
                self._link(source, at, call.output.unnamed, False)

    def _result_source(self, call: Call) -> int | None:
        source = self.of_call.get(call.index)
        if source is None and call.main_argument is not None:
            return self._find_source(call, call.main_argument)
        return source

    def _describe_containers(self, link: Link) -> None:
        """Add a tensor to the inputs and outputs of the modules that it enters and
        leaves."""
        left = list(self._ancestors(link.source))
        entered = list(self._ancestors(link.target))
        for at in left:
            block = self.blocks[at]
            if at not in entered and block.kind is BlockKind.CONTAINER:
                block.size = max(block.size, self.blocks[link.source].size)
                _add_once(block.outputs, link.shape)
        for at in entered:
            block = self.blocks[at]
            if at not in left and block.kind is BlockKind.CONTAINER:
                _add_once(block.inputs, link.shape)

    def _ancestors(self, at: int) -> Iterator[int]:
        """A block and all blocks around it."""
        current: int | None = at
        while current is not None:
            yield current
            current = self.blocks[current].within


def _data_block(layer: str, kind: BlockKind, value: ValueFact) -> Block:
    """The block of a model input or output. Its `layer` is the keyword of the value."""
    return Block(layer, kind.value, kind, within=0, value=replace(value, name=""))


def _tensor_in(value: ValueFact) -> list[TensorFact]:
    return [value.tensor] if value.tensor is not None else []


def _block_of(call: Call, within: int) -> Block:
    # A weight is a part of its layer; what a layer is given are the other tensors.
    inputs = [fact.unnamed for fact in call.inputs if fact.name not in call.params]
    return Block(
        call.layer,
        call.op,
        BlockKind(call.kind),
        inputs,
        within=within,
        made=_first_place(call.definition),
        called=_first_place((call.site,) if call.site else ()),
    )


def _first_place(sites: tuple[Site, ...]) -> tuple[str, int] | None:
    return (sites[0].file, sites[0].line) if sites else None


def _count_elements(fact: TensorFact) -> int:
    return math.prod(fact.shape)


def _add_once(shapes: list[TensorFact], shape: TensorFact) -> None:
    if shape not in shapes:
        shapes.append(shape)
