"""Workflow commands, which GitHub shows beside the changed lines of a pull request.

Their syntax: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.escape import in_one_line, printable
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span
from shapelint.render.fingerprints import file_and_cell, plain_text
from shapelint.render.format import Escaping, Format, Wanted
from shapelint.render.style import Style
from shapelint.render.summary import write_summary

SHOWN = 10
"""How many annotations of one kind GitHub shows for a step. Further ones become lines
of the log."""

_KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class Github(Format):
    """One line for each finding, the most serious first, at most ten of each kind; then
    the summary."""

    name = "github"
    escaping = Escaping.COMMANDS

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        found = [item for outcome in outcomes for item in outcome.report.diagnostics]
        lines: list[str] = []
        for severity, kind in _KINDS.items():
            own = [item for item in found if item.severity is severity]
            lines += [_command(kind, item) for item in own[:SHOWN]]
            lines += _log_lines(kind, own[SHOWN:])
        lines.append(write_summary(outcomes, Style(), wanted.fixes))
        return "\n".join(lines) + "\n"


def _log_lines(kind: str, rest: list[Diagnostic]) -> list[str]:
    """The findings beyond those that GitHub shows, as plain lines of the log."""
    if not rest:
        return []
    why = f"{len(rest)} more {kind}s, which GitHub would not show: see the log or the SARIF"
    return [why, *(printable(Style().finding_line(item)) for item in rest)]


def _command(kind: str, diagnostic: Diagnostic) -> str:
    words: dict[str, object] = dict(_place(diagnostic.place))
    words["title"] = f"shapelint {diagnostic.code} {diagnostic.name}"
    properties = ",".join(
        f"{name}={_escape_property(str(value))}" for name, value in words.items()
    )
    return f"::{kind} {properties}::{_escape_message(plain_text(diagnostic))}"


def _place(span: Span | None) -> dict[str, str | int]:
    """The place of a command. GitHub refuses columns for places of several lines."""
    if span is None:
        return {}
    name, cell = file_and_cell(span.file)
    file = in_one_line(name)
    if cell:
        return {"file": file}  # lines of a cell are not those of the notebook
    words: dict[str, str | int] = {"file": file, "line": span.line}
    if span.end_line is not None and span.end_line != span.line:
        return {**words, "endLine": span.end_line}
    if span.column is not None:
        words["col"] = span.column
        if span.end_column is not None:
            words["endColumn"] = span.end_column
    return words


def _escape_message(text: str) -> str:
    # `%` first: the others are written with it.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")
