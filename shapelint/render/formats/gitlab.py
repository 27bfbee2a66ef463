"""GitLab's code quality report: a list of issues in the format of Code Climate.

Its fields: https://docs.gitlab.com/ci/testing/code_quality/"""

from __future__ import annotations

from shapelint.facts.diagnostics import Severity
from shapelint.facts.escape import json_text
from shapelint.facts.outcome import Outcome
from shapelint.render.fingerprints import (
    ReportedFinding,
    file_and_cell,
    list_findings,
    plain_text,
)
from shapelint.render.format import Escaping, Format, Wanted

_SEVERITIES = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFO: "info",
}


class Gitlab(Format):
    """One issue for each finding."""

    name = "gitlab"
    escaping = Escaping.EXACT

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        issues = [_issue(item) for item in list_findings(outcomes)]
        return json_text(issues, indent=2) + "\n"


def _issue(item: ReportedFinding) -> dict[str, object]:
    diagnostic = item.diagnostic
    file, lines, inside = _place(item)
    return {
        "description": inside + plain_text(diagnostic).split("\n")[0],
        "check_name": diagnostic.code,
        "fingerprint": item.fingerprint,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {"path": file, "lines": lines},
    }


def _place(item: ReportedFinding) -> tuple[str, dict[str, int], str]:
    """File and lines. The cell of a notebook is named in words, because GitLab knows
    only lines of files. Without a place, the target's file."""
    span = item.place
    if span is None:
        path, _ = file_and_cell(item.diagnostic.target.partition(":")[0])
        # GitLab wants a line of every issue.
        return path, {"begin": 1}, ""
    path, cell = file_and_cell(span.file)
    if cell:
        return path, {"begin": 1}, f"cell {cell}, line {span.line}: "
    lines = {"begin": span.line}
    if span.end_line is not None:
        lines["end"] = span.end_line
    return path, lines, ""
