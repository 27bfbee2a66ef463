"""The per-layer report as comma-separated values, one line for each call."""

from __future__ import annotations

import csv
import io

from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.rows import Row
from shapelint.render.format import Format
from shapelint.render.style import Style

_HEAD = [
    "layer",
    "op",
    "kind",
    "inputs",
    "outputs",
    "params",
    "mult_adds",
    "repeat",
    "shared",
    "failed",
]


class Csv(Format):
    name = "csv"

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_csv(outcome.report)


def render_csv(report: TargetReport) -> str:
    """The calls in order. Flags are 0 or 1, and several shapes are separated by
    spaces."""
    out = io.StringIO()
    # Not the module's own `\r\n`: `visible` would write the `\r` out.
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows(_cells(row) for row in report.rows)
    return out.getvalue()


def _cells(row: Row) -> list[str | int]:
    shapes = (" ".join(map(str, row.inputs)), " ".join(map(str, row.outputs)))
    flags = (int(row.repeat), int(row.shared), int(row.failed))
    return [row.name, row.op, row.kind, *shapes, row.params, row.mult_adds, *flags]
