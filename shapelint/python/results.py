"""What `shapelint.check` gives: findings, layers and totals as plain data, and ways to
show them. No torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from shapelint.asked.settings import DEFAULTS
from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.picture.graphviz import has_graphviz, require_graphviz
from shapelint.render import render, render_report
from shapelint.render.shown import shown
from shapelint.render.style import Style

ROWS = 500
"""Layers that a notebook shows."""


@dataclass(frozen=True, repr=False)
class Report:
    """What a check found. `str(report)` reads as the command line's output, and
    notebooks show it as a page."""

    outcome: Outcome

    @property
    def target(self) -> TargetReport:
        """Rows, totals, inputs, output and status, as plain data."""
        return self.outcome.report

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings, the worst first."""
        return tuple(self.outcome.report.diagnostics)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that are errors."""
        return tuple(
            item for item in self.diagnostics if item.severity is Severity.ERROR
        )

    def failing(self, fail_on: str = DEFAULTS.fail_on) -> tuple[Diagnostic, ...]:
        """The findings at or above a severity: `error`, `warning` or `info`."""
        least = Severity(fail_on).rank
        return tuple(item for item in self.diagnostics if item.severity.rank <= least)

    @property
    def ok(self) -> bool:
        """Whether nothing is at or above a warning, and the model could be walked."""
        return not self.failing() and self.target.status is not Status.FAILED

    @property
    def params(self) -> int:
        """Elements of all parameters, tied ones once."""
        return self.target.totals.params

    @property
    def output(self) -> str | None:
        """What comes out, `f32[1,10]`."""
        output = self.target.output
        return str(output) if output is not None else None

    def to_json(self) -> dict[str, Any]:
        """As `--output-format json`."""
        data: dict[str, Any] = json.loads(render("json", [self.outcome], Style(), True))
        return data

    def to_text(self, report: bool = True, colour: bool = False) -> str:
        """As `--output-format full`; with `report` the table of layers too."""
        return render("full", [self.outcome], Style(colour, True), report)

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__  # what a prompt shows

    def to_html(self) -> str:
        """As `--output-format html`: one page with the model as a picture.

        Raises:
            UsageError: Graphviz is not there (`pip install 'shapelint[html]'`).
        """
        require_graphviz()
        return render("html", [self.outcome], Style(), True)

    def to_svg(self) -> str:
        """As `shapelint report --format svg`: the model as a picture.

        Raises:
            UsageError: Graphviz is not there (`pip install 'shapelint[html]'`).
        """
        require_graphviz()
        return render_report("svg", self.outcome, Style(), False)

    def _repr_html_(self) -> str:
        layers = shown(self.outcome).report.rows
        rows = "".join(
            f"<tr{' style=color:#c00' if row.failed else ''}><td>{escape(row.name)}</td><td>{escape(row.op)}</td>"
            f"<td>{escape(', '.join(map(str, row.inputs)))}</td><td>{escape(', '.join(map(str, row.outputs)))}</td>"
            f"<td style='text-align:right'>{row.params:,}</td></tr>"
            for row in layers[:ROWS]
        )
        head = "".join(
            f"<th>{name}</th>" for name in ("layer", "op", "input", "output", "params")
        )
        findings = f"<pre>{escape(self.to_text(report=False))}</pre>"
        picture = (
            f"<div style='overflow-x:auto'>{self.to_svg()}</div>"
            if has_graphviz()
            else ""
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        more = f"the first {ROWS:,} of {len(layers):,} " if len(layers) > ROWS else ""
        return f"{findings}{picture}<details><summary>{more}layers</summary>{table}</details>"
