"""Markdown, for the summary of a CI step or a comment."""

from __future__ import annotations

import re

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.outcome import Outcome
from shapelint.render.finding_text import render_diagnostic
from shapelint.render.format import Format, Wanted
from shapelint.render.layer_table import (
    escape_bars,
    escape_cell,
    escape_tags,
    render_markdown_table,
    totals_line,
)
from shapelint.render.style import Style
from shapelint.render.summary import write_summary
from shapelint.syntax.paths import shown_path


class Markdown(Format):
    """A table of the findings, then each finding in full and the layers in folded
    sections."""

    name = "markdown"

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        found = [item for outcome in outcomes for item in outcome.report.diagnostics]
        # The second line says what to type, which a reader of a page cannot.
        summary = write_summary(outcomes, Style(), wanted.fixes).splitlines()[0]
        parts = ["## shapelint", f"**{summary}**"]
        if found:
            head = ["| | rule | where | what |", "|---|---|---|---|"]
            parts.append("\n".join([*head, *map(_row, found)]))
        for item in found:
            title = f"{item.code} {escape_cell(item.message)}"
            parts.append(_fold(title, _fence(render_diagnostic(item, Style()))))
        for outcome in outcomes:
            parts += _outcome_parts(outcome, wanted)
        return "\n\n".join(parts) + "\n"

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_markdown_table(outcome.report)


def _outcome_parts(outcome: Outcome, wanted: Wanted) -> list[str]:
    parts = []
    target = escape_cell(outcome.report.target)
    if outcome.fault:
        parts.append(_fold(f"fault of shapelint on {target}", _fence(outcome.fault)))
    if wanted.with_layers and outcome.report.rows:
        totals = escape_tags(totals_line(outcome.report))
        body = f"{render_markdown_table(outcome.report)}\n{totals}"
        parts.append(_fold(f"layers of {target}", body))
    return parts


def _row(item: Diagnostic) -> str:
    place = item.place
    where = item.target
    if place is not None:
        where = f"{shown_path(place.file)}:{place.line}"
    rule = f"{item.code} {item.name}"
    message = escape_cell(item.message)
    return f"| {item.severity.value} | {rule} | {_write_code(where)} | {message} |"


def _write_code(text: str) -> str:
    """A name as code in a table cell. In CommonMark, code ends at as many backticks as
    it began with, so a name with backticks gets longer delimiters."""
    ticks = "`" * (1 + _longest_run(text))
    blank = " " if "`" in text else ""
    return f"{ticks}{blank}{escape_bars(text)}{blank}{ticks}"


def _fence(text: str) -> str:
    ticks = "`" * max(3, 1 + _longest_run(text))
    return f"{ticks}text\n{text.rstrip()}\n{ticks}"


def _longest_run(text: str) -> int:
    """The length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _fold(title: str, body: str) -> str:
    summary = title.replace("`", "")  # no Markdown is read within a tag
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"
