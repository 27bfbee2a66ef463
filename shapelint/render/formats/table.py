"""The per-layer table for a terminal. The default of `report`."""

from __future__ import annotations

from shapelint.facts.outcome import Outcome
from shapelint.render.format import Format
from shapelint.render.layer_table import render_table, totals_line
from shapelint.render.style import Style


class Table(Format):
    name = "table"

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        report = outcome.report
        return f"{render_table(report, style, None)}\n{totals_line(report)}\n"
