"""The picture of a walk as plain data: blocks, and the tensors that go between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapelint.facts.kinds import BlockKind
from shapelint.facts.tensors import TensorFact, ValueFact


@dataclass
class Block:
    """A box of the picture: an input, the output, a call, or a module with what is
    inside (a container).

    `layer`: qualified name of the module, for a function of the one it is called in.
    `size`: elements of the largest tensor it gives. `within`: the position of the
    container it is in. `made` and `called`: file and line."""

    layer: str
    op: str
    kind: BlockKind
    inputs: list[TensorFact] = field(default_factory=list)
    outputs: list[TensorFact] = field(default_factory=list)
    size: int = 0
    params: int = 0
    mult_adds: int = 0
    within: int | None = None
    made: tuple[str, int] | None = None
    called: tuple[str, int] | None = None
    failed: bool = False
    value: ValueFact | None = None
    """Of an input or the output: what is given, or comes out."""


@dataclass
class Link:
    """A tensor on its way from one block to another, and its shape. `into_failed`: the
    failing call is fed with it."""

    source: int
    target: int
    shape: TensorFact
    into_failed: bool = False


@dataclass
class Picture:
    """Blocks in the order of the calls, the model itself first, and the links between
    those that hold no others.

    `left_out`: calls for which there is no room.
    """

    blocks: list[Block] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    left_out: int = 0
