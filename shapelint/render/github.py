"""Workflow commands, which GitHub shows beside the changed lines of a pull request."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.escape import in_one_line, printable
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span
from shapelint.render.fingerprints import file_and_cell, plain_text
from shapelint.render.full import summary
from shapelint.render.style import Fixes, Style

SHOWN = 10
"""Annotations of one kind that GitHub shows for a step; the others are counted in the
last line."""

_KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(outcomes: list[Outcome], fixes: Fixes) -> str:
    """A line a finding, the worst first, at most ten of a kind; then what a log should
    say."""
    found = [item for outcome in outcomes for item in outcome.report.diagnostics]
    lines: list[str] = []
    for severity, kind in _KINDS.items():
        own = [item for item in found if item.severity is severity]
        lines += [_command(kind, item) for item in own[:SHOWN]]
        if len(own) > SHOWN:
            lines.append(
                f"{len(own) - SHOWN} more {kind}s, which GitHub would not show: see the log or the SARIF"
            )
            lines += [printable(Style().finding_line(item)) for item in own[SHOWN:]]
    return "\n".join([*lines, summary(outcomes, Style(), fixes)]) + "\n"


def _command(kind: str, diagnostic: Diagnostic) -> str:
    title = f"shapelint {diagnostic.code} {diagnostic.name}"
    words = {**_place(diagnostic.place), "title": title}
    properties = ",".join(
        f"{name}={_property(str(value))}" for name, value in words.items()
    )
    return f"::{kind} {properties}::{_message(plain_text(diagnostic))}"


def _place(span: Span | None) -> dict[str, object]:
    """Columns only within one line: GitHub refuses them across lines."""
    if span is None:
        return {}
    name, cell = file_and_cell(span.file)
    file = in_one_line(name)
    if cell:
        return {"file": file}
    words: dict[str, object] = {"file": file, "line": span.line}
    if span.end_line is not None and span.end_line != span.line:
        return {**words, "endLine": span.end_line}
    if span.column is not None:
        words["col"] = span.column
        if span.end_column is not None:
            words["endColumn"] = span.end_column
    return words


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
