"""The model as people draw it: `(B, 3, 64, 64) -> conv (B, 16, 64, 64) -> ... -> logits
(B, 2)`."""

from __future__ import annotations

import re

from shapelint.facts.outcome import TargetReport
from shapelint.facts.rows import Row

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
_SHAPE = re.compile(r"^\w+\[(?P<sizes>[\d,]*)\]$")


def render_pipeline(report: TargetReport) -> str:
    """The calls that change the shape or hold the weights, in order; the first size is
    written B."""
    first = next((spec for spec in report.inputs if "[" in spec), "")
    batch = _sizes(first.partition("=")[2] or first)[:1]
    steps = [_drawn(first.partition("=")[2] or first, batch)] if first else []
    rows = [row for row in report.rows if row.outputs]
    drawn = [row for row in rows if _is_drawn(row)]
    if rows and (not drawn or rows[-1].outputs[:1] != drawn[-1].outputs[:1]):
        drawn.append(rows[-1])
    for index, row in enumerate(drawn):
        name = _name(row)
        if (
            index == len(drawn) - 1
            and name == "linear"
            and len(_sizes(row.outputs[0])) == 2
        ):
            name = "logits"
        failed = " (fails)" if row.failed else ""
        steps.append(f"{name}{failed} {_drawn(row.outputs[0], batch)}")
    return " -> ".join(steps) + "\n"


def _is_drawn(row: Row) -> bool:
    return row.failed or any(pattern.search(row.op) for pattern, _ in _NAMES)


def _name(row: Row) -> str:
    return next(
        (name or row.op.lower() for pattern, name in _NAMES if pattern.search(row.op)),
        row.op.lower(),
    )


def _sizes(spec: str) -> list[str]:
    match = _SHAPE.match(spec)
    return match["sizes"].split(",") if match and match["sizes"] else []


def _drawn(spec: str, batch: list[str]) -> str:
    sizes = _sizes(spec)
    if sizes and batch and sizes[0] == batch[0]:
        sizes = ["B", *sizes[1:]]
    return f"({', '.join(sizes)})" if sizes else spec
