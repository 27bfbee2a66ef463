"""The per-layer table as data: one row for each call, and the totals."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapelint.facts.kinds import CallKind
from shapelint.facts.tensors import TensorFact


@dataclass
class Row:
    """One call of the walk, as a row of the per-layer table."""

    name: str
    op: str
    kind: CallKind
    inputs: list[TensorFact] = field(default_factory=list)
    outputs: list[TensorFact] = field(default_factory=list)
    params: int = 0
    mult_adds: int = 0
    file: str | None = None
    line: int | None = None
    repeat: bool = False
    shared: bool = False
    failed: bool = False

    @property
    def is_module(self) -> bool:
        """Whether a module was called."""
        return self.kind is CallKind.MODULE


@dataclass
class Totals:
    """Sums over the model; a tied weight counts once. `mult_adds` are those of one
    forward."""

    params: int = 0
    trainable_params: int = 0
    param_bytes: int = 0
    mult_adds: int = 0
    features_params: int | None = None
    head_params: int | None = None
