"""Findings in the style of rustc with the user's own line, then the table and the
totals. The default of `check`."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.kinds import Status, TargetKind
from shapelint.facts.outcome import Outcome
from shapelint.render.fault_text import write_fault
from shapelint.render.finding_text import render_diagnostic
from shapelint.render.format import Format, Wanted
from shapelint.render.layer_table import render_table, totals_line
from shapelint.render.style import Style
from shapelint.render.summary import write_summary

ROWS_SHOWN = 80
"""The most rows of a table below findings, which would otherwise scroll out of
sight."""


class Full(Format):
    name = "full"
    is_for_terminals = True

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        parts: list[str] = []
        for outcome in outcomes:
            if len(outcomes) > 1:
                title = f"# {outcome.report.target}"
                parts.append(wanted.style.paint(title, bold=True))
            parts += _outcome_parts(outcome, wanted)
        parts.append(write_summary(outcomes, wanted.style, wanted.fixes))
        return "\n\n".join(part for part in parts if part) + "\n"

    def write_finding(self, diagnostic: Diagnostic, style: Style) -> str:
        return render_diagnostic(diagnostic, style) + "\n"


def _outcome_parts(outcome: Outcome, wanted: Wanted) -> list[str]:
    report, style = outcome.report, wanted.style
    parts = [render_diagnostic(diagnostic, style) for diagnostic in report.diagnostics]
    if outcome.fault:
        parts.append(write_fault(outcome.fault, outcome.torch))
    if wanted.with_layers and report.rows:
        parts.append(render_table(report, style, ROWS_SHOWN))
    if report.status is Status.FAILED:
        return parts  # there is nothing to sum up
    is_model = report.kind is TargetKind.MODEL
    return [*parts, totals_line(report) if is_model else "; ".join(report.notes)]
