"""GitLab's code quality report: a list of issues in the format of Code Climate."""

from __future__ import annotations

from shapelint.facts.diagnostics import Severity
from shapelint.facts.escape import json_text
from shapelint.facts.outcome import Outcome
from shapelint.render.fingerprints import file_and_cell, findings, plain_text

_SEVERITIES = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFO: "info",
}


def render_gitlab(outcomes: list[Outcome]) -> str:
    """One issue a finding, at the line where it begins; without a place, at the
    target's file."""
    issues = []
    for item in findings(outcomes):
        diagnostic, span = item.diagnostic, item.place
        path, cell = file_and_cell(
            span.file if span is not None else diagnostic.target.partition(":")[0]
        )
        inside = f"cell {cell}, line {span.line}: " if cell and span is not None else ""
        lines = {"begin": span.line if span is not None and not cell else 1}
        if span is not None and span.end_line is not None and not cell:
            lines["end"] = span.end_line
        issues.append(
            {
                "description": inside + plain_text(diagnostic).split("\n")[0],
                "check_name": diagnostic.code,
                "fingerprint": item.fingerprint,
                "severity": _SEVERITIES[diagnostic.severity],
                "location": {"path": path, "lines": lines},
            }
        )
    return json_text(issues, indent=2) + "\n"
