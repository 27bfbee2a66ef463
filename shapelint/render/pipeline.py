"""The model as people draw it: `(B, 3, 64, 64) -> conv (B, 16, 64, 64) -> ... -> logits
(B, 2)`."""

from __future__ import annotations

from shapelint.facts.graph import Shape, TensorFact
from shapelint.facts.outcome import TargetReport
from shapelint.facts.rows import Row
from shapelint.ops.wording import pipeline_word


def render_pipeline(report: TargetReport) -> str:
    """The calls that change the shape or hold the weights, in order; the first size is
    written B."""
    first = next((value for value in report.inputs if value.tensors), None)
    given = first.tensor if first is not None else None
    batch = given.shape[:1] if given is not None else ()
    steps: list[str] = []
    if first is not None:
        steps.append(_drawn(given, batch) if given is not None else first.text)
    rows = [row for row in report.rows if row.outputs]
    drawn = [row for row in rows if _is_drawn(row)]
    if rows and (not drawn or rows[-1].outputs[:1] != drawn[-1].outputs[:1]):
        drawn.append(rows[-1])
    for index, row in enumerate(drawn):
        name = pipeline_word(row.op) or row.op.lower()
        if (
            index == len(drawn) - 1
            and name == "linear"
            and len(row.outputs[0].shape) == 2
        ):
            name = "logits"
        failed = " (fails)" if row.failed else ""
        steps.append(f"{name}{failed} {_drawn(row.outputs[0], batch)}")
    return " -> ".join(steps) + "\n"


def _is_drawn(row: Row) -> bool:
    return row.failed or bool(pipeline_word(row.op))


def _drawn(fact: TensorFact, batch: Shape) -> str:
    sizes = list(map(str, fact.shape))
    if batch and fact.shape[:1] == batch:
        sizes[0] = "B"
    return f"({', '.join(sizes)})" if sizes else str(fact)
