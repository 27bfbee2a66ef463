"""The per-layer table as data: a row a call, and the totals."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Row:
    """One call of the walk, as a row of the per-layer table. Shapes are written
    `f32[1,3,64,64]`."""

    name: str
    op: str
    kind: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    params: int = 0
    mult_adds: int = 0
    file: str | None = None
    line: int | None = None
    repeat: bool = False
    shared: bool = False
    failed: bool = False


@dataclass
class Totals:
    """Sums over the model; a tied weight counts once. `param_bytes` in bytes,
    `mult_adds` for one forward."""

    params: int = 0
    trainable_params: int = 0
    param_bytes: int = 0
    mult_adds: int = 0
    features_params: int | None = None
    head_params: int | None = None
