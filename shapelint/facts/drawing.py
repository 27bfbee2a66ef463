"""The picture of a walk as plain data: blocks, and the tensors that flow between
them."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapelint.facts.kinds import BlockKind
from shapelint.facts.tensors import TensorFact, ValueFact


@dataclass
class Block:
    """A box of the picture: an input, the output, a call, or a module with its contents
    (a container).

    `layer`: qualified name of the module; for a function, of the module that calls it.
    `size`: number of elements of its largest result. `within`: index of the container
    around it. `made` and `called`: file and line."""

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
    """The value that an input or output block stands for."""


@dataclass
class Link:
    """A tensor that flows from one block to another, and its shape. `into_failed`: it
    is an argument of a failing call."""

    source: int
    target: int
    shape: TensorFact
    into_failed: bool = False


@dataclass
class Picture:
    """Blocks in the order of the calls, the model itself first, and the links between
    the innermost blocks. `left_out` is the number of calls that did not fit."""

    blocks: list[Block] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    left_out: int = 0
