"""What `shapelint.check` returns: findings, layers and totals as plain data, and ways
to show them. No torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from shapelint.asked.settings import DEFAULTS
from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.rows import Row
from shapelint.picture.graphviz import has_graphviz, require_graphviz
from shapelint.render import render, render_report
from shapelint.render.safe_texts import make_safe
from shapelint.render.style import Style

ROWS = 500
"""The most layers that a notebook shows. More would make a session slow."""


@dataclass(frozen=True, repr=False)
class Report:
    """The result of a check. `str(report)` is the output of the command line, and
    notebooks show the report as a page."""

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
        return self.failing(Severity.ERROR.value)

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
        """The shape of the output, as in `f32[1,10]`."""
        output = self.target.output
        return str(output) if output is not None else None

    def to_json(self) -> dict[str, Any]:
        """The report as with `--output-format json`."""
        data: dict[str, Any] = json.loads(render("json", [self.outcome], Style(), True))
        return data

    def to_text(self, report: bool = True, colour: bool = False) -> str:
        """The report as with `--output-format full`. With `report`, it includes the
        table of layers."""
        return render("full", [self.outcome], Style(colour, True), report)

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__  # what a prompt shows

    def to_html(self) -> str:
        """As `--output-format html`: one page with the model as a picture.

        Raises:
            UsageError: Graphviz is not installed (`pip install 'shapelint[html]'`).
        """
        require_graphviz()
        return render("html", [self.outcome], Style(), True)

    def to_svg(self) -> str:
        """As `shapelint report --format svg`: the model as a picture.

        Raises:
            UsageError: Graphviz is not installed (`pip install 'shapelint[html]'`).
        """
        require_graphviz()
        return render_report("svg", self.outcome, Style(), False)

    def _repr_html_(self) -> str:
        """The HTML that a notebook shows: findings, picture, and the layers folded."""
        findings = f"<pre>{escape(self.to_text(report=False))}</pre>"
        picture = ""
        if has_graphviz():
            picture = f"<div style='overflow-x:auto'>{self.to_svg()}</div>"
        return (
            f"{findings}{picture}{_write_layers(make_safe(self.outcome).report.rows)}"
        )


def _write_layers(rows: list[Row]) -> str:
    names = ("layer", "op", "input", "output", "params")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(map(_write_row, rows[:ROWS]))
    more = f"the first {ROWS:,} of {len(rows):,} " if len(rows) > ROWS else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<details><summary>{more}layers</summary>{table}</details>"


def _write_row(row: Row) -> str:
    colour = " style=color:#c00" if row.failed else ""
    inputs, outputs = (
        ", ".join(map(str, facts)) for facts in (row.inputs, row.outputs)
    )
    texts = (row.name, row.op, inputs, outputs)
    cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    params = f"<td style='text-align:right'>{row.params:,}</td>"
    return f"<tr{colour}>{cells}{params}</tr>"
