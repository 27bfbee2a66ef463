"""The model as people draw it: `(B, 3, 64, 64) -> conv (B, 16, 64, 64) -> ... -> logits
(B, 2)`."""

from __future__ import annotations

import re

from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.rows import Row
from shapelint.picture.labels import sizes_of
from shapelint.render.format import Format
from shapelint.render.style import Style

_NAMES = (
    (re.compile(r"^conv_?transpose", re.I), "upconv"),
    (re.compile(r"^conv", re.I), "conv"),
    (re.compile(r"pool", re.I), "pool"),
    (re.compile(r"^linear$|^bilinear$", re.I), "linear"),
    (re.compile(r"^(flatten)$", re.I), "flatten"),
    (re.compile(r"^embedding", re.I), "embedding"),
    (re.compile(r"^(lstm|gru|rnn)$", re.I), ""),
    (re.compile(r"attention", re.I), "attention"),
    (re.compile(r"^(upsample|interpolate)", re.I), "upsample"),
    (re.compile(r"^(cat|concat|concatenate)$"), "concat"),
)


class Pipeline(Format):
    name = "pipeline"

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_pipeline(outcome.report)


def render_pipeline(report: TargetReport) -> str:
    """The calls that change the shape or hold the weights, in order; the first size is
    written B."""
    first = next((spec for spec in report.inputs if "[" in spec), "")
    shape = first.rpartition("=")[2]
    batch = sizes_of(shape)[:1]
    steps = [_write_shape(shape, batch)] if first else []
    rows = [row for row in report.rows if row.outputs]
    drawn = [row for row in rows if _is_drawn(row)]
    # A model may end in a call that is not drawn; what it returns belongs to the line.
    if rows and (not drawn or rows[-1].outputs[:1] != drawn[-1].outputs[:1]):
        drawn.append(rows[-1])
    for index, row in enumerate(drawn):
        name = _name(row)
        is_last = index == len(drawn) - 1
        if is_last and name == "linear" and len(sizes_of(row.outputs[0])) == 2:
            name = "logits"
        failed = " (fails)" if row.failed else ""
        steps.append(f"{name}{failed} {_write_shape(row.outputs[0], batch)}")
    return " -> ".join(steps) + "\n"


def _is_drawn(row: Row) -> bool:
    return row.failed or any(pattern.search(row.op) for pattern, _ in _NAMES)


def _name(row: Row) -> str:
    return next(
        (name or row.op.lower() for pattern, name in _NAMES if pattern.search(row.op)),
        row.op.lower(),
    )


def _write_shape(shape: str, batch: tuple[int, ...]) -> str:
    """`(B, 16, 32, 32)`; what is no single tensor stays as it is."""
    sizes = sizes_of(shape)
    if not sizes:
        return shape
    words = list(map(str, sizes))
    if sizes[:1] == batch:
        words[0] = "B"
    return f"({', '.join(words)})"
