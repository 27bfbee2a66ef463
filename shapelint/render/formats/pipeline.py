"""The model in the way people sketch it:
`(B, 3, 64, 64) -> conv (B, 16, 64, 64) -> ... -> logits (B, 2)`."""

from __future__ import annotations

from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.rows import Row
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.ops.wording import pipeline_word
from shapelint.render.format import Format
from shapelint.render.style import Style


class Pipeline(Format):
    name = "pipeline"

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_pipeline(outcome.report)


def render_pipeline(report: TargetReport) -> str:
    """The calls that change the shape or hold weights, in order. The first size is
    written B."""
    first = next((value for value in report.inputs if value.tensors), None)
    steps: list[str] = []
    batch: Shape = ()
    if first is not None and first.tensor is not None:
        batch = first.tensor.shape[:1]
        steps.append(_write_shape(first.tensor, batch))
    elif first is not None:
        steps.append(first.text)
    rows = [row for row in report.rows if row.outputs]
    drawn = [row for row in rows if _is_drawn(row)]
    # A model may end in a call that is not drawn; its result is still shown.
    if rows and (not drawn or rows[-1].outputs[:1] != drawn[-1].outputs[:1]):
        drawn.append(rows[-1])
    for index, row in enumerate(drawn):
        name = pipeline_word(row.op) or row.op.lower()
        is_last = index == len(drawn) - 1
        if is_last and name == "linear" and len(row.outputs[0].shape) == 2:
            name = "logits"
        failed = " (fails)" if row.failed else ""
        steps.append(f"{name}{failed} {_write_shape(row.outputs[0], batch)}")
    return " -> ".join(steps) + "\n"


def _is_drawn(row: Row) -> bool:
    return row.failed or bool(pipeline_word(row.op))


def _write_shape(fact: TensorFact, batch: Shape) -> str:
    """`(B, 16, 32, 32)`; a scalar is written as in reports."""
    if not fact.shape:
        return str(fact)
    sizes = list(map(str, fact.shape))
    # Only in front: elsewhere a size may equal the batch's by accident.
    if fact.shape[:1] == batch:
        sizes[0] = "B"
    return f"({', '.join(sizes)})"
