"""One line for each finding, for editors and grep."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.outcome import Outcome
from shapelint.render.format import Format, Wanted
from shapelint.render.style import Style
from shapelint.render.summary import write_summary


class Concise(Format):
    """`file:line:column: severity[CODE] message`, then the count."""

    name = "concise"
    is_for_terminals = True

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        lines = [
            self.write_finding(diagnostic, wanted.style)
            for outcome in outcomes
            for diagnostic in outcome.report.diagnostics
        ]
        lines.append(write_summary(outcomes, wanted.style, wanted.fixes))
        return "\n".join(lines) + "\n"

    def write_finding(self, diagnostic: Diagnostic, style: Style) -> str:
        return style.finding_line(diagnostic)
