"""Markdown, for a step's summary or a comment."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.outcome import Outcome
from shapelint.render.full import render_diagnostic, summary
from shapelint.render.style import Fixes, Style
from shapelint.render.table import bars_escaped, cell, tags_escaped, totals_line
from shapelint.render.table import render_markdown as table
from shapelint.syntax.paths import shown_path


def render_check(outcomes: list[Outcome], report: bool, fixes: Fixes) -> str:
    """A table of the findings, each of them in full below it, and with `report` the
    layers, folded."""
    found = [item for outcome in outcomes for item in outcome.report.diagnostics]
    parts = ["## shapelint", f"**{summary(outcomes, Style(), fixes).splitlines()[0]}**"]
    if found:
        rows = ["| | rule | where | what |", "|---|---|---|---|", *map(_row, found)]
        parts.append("\n".join(rows))
    for item in found:
        title = f"{item.code} {cell(item.message)}"
        parts.append(_folded(title, _fenced(render_diagnostic(item, Style()))))
    for outcome in outcomes:
        if outcome.fault:
            parts.append(
                _folded(
                    f"fault of shapelint on {cell(outcome.report.target)}",
                    _fenced(outcome.fault),
                )
            )
        if report and outcome.report.rows:
            lines = tags_escaped(totals_line(outcome.report))
            parts.append(
                _folded(
                    f"layers of {cell(outcome.report.target)}",
                    f"{table(outcome.report)}\n{lines}",
                )
            )
    return "\n\n".join(parts) + "\n"


def _row(item: Diagnostic) -> str:
    place = item.place
    where = _code(
        f"{shown_path(place.file)}:{place.line}" if place is not None else item.target
    )
    return f"| {item.severity.value} | {item.code} {item.name} | {where} | {cell(item.message)} |"


def _code(text: str) -> str:
    """A name as code in a cell; one with backticks between longer runs of them."""
    ticks = "`" * (1 + max((len(run) for run in _runs(text)), default=0))
    blank = " " if "`" in text else ""
    return f"{ticks}{blank}{bars_escaped(text)}{blank}{ticks}"


def _fenced(text: str) -> str:
    ticks = "`" * max(3, 1 + max((len(run) for run in _runs(text)), default=0))
    return f"{ticks}text\n{text.rstrip()}\n{ticks}"


def _runs(text: str) -> list[str]:
    found, run = [], ""
    for char in text:
        run = run + char if char == "`" else ""
        found.append(run)
    return found


def _folded(title: str, body: str) -> str:
    return (
        f"<details><summary>{title.replace('`', '')}</summary>\n\n{body}\n\n</details>"
    )
