"""A line for each finding, as editors and greps like it."""

from __future__ import annotations

from shapelint.facts.outcome import Outcome
from shapelint.render.full import summary
from shapelint.render.style import Fixes, Style


def render_concise(outcomes: list[Outcome], style: Style, fixes: Fixes) -> str:
    """`file:line:column: severity[CODE] message`, then the count."""
    lines = [
        style.finding_line(diagnostic)
        for outcome in outcomes
        for diagnostic in outcome.report.diagnostics
    ]
    return "\n".join([*lines, summary(outcomes, style, fixes)]) + "\n"
