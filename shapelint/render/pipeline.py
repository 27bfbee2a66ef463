"""The model as people draw it: `(B, 3, 64, 64) -> conv (B, 16, 64, 64) -> ... -> logits
(B, 2)`."""

from __future__ import annotations

import re

from shapelint.facts.outcome import TargetReport
from shapelint.facts.rows import Row
from shapelint.ops.wording import pipeline_word

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
        name = pipeline_word(row.op) or row.op.lower()
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
    return row.failed or bool(pipeline_word(row.op))


def _sizes(spec: str) -> list[str]:
    match = _SHAPE.match(spec)
    return match["sizes"].split(",") if match and match["sizes"] else []


def _drawn(spec: str, batch: list[str]) -> str:
    sizes = _sizes(spec)
    if sizes and batch and sizes[0] == batch[0]:
        sizes = ["B", *sizes[1:]]
    return f"({', '.join(sizes)})" if sizes else spec
