"""The per-layer table: for the terminal, as CSV, as Markdown; and the line of
totals."""

from __future__ import annotations

import csv
import io
import re

from tabulate import tabulate

from shapelint.facts.graph import TensorFact
from shapelint.facts.kinds import CallKind
from shapelint.facts.outcome import TargetReport
from shapelint.facts.rows import Row
from shapelint.render.style import Style

HEADERS = ("layer", "op", "input", "output", "params", "share")


def render_table(report: TargetReport, style: Style, limit: int | None) -> str:
    """Rows in the order of the calls; beyond `limit` the middle is left out, failed
    rows never."""
    rows = report.rows
    shown = _shown(rows, limit)
    cells = [_cells(rows[index], report.totals.params, style) for index in shown]
    lines = tabulate(
        cells,
        HEADERS,
        "simple",
        disable_numparse=True,
        colalign=("left",) * 4 + ("right",) * 2,
    ).splitlines()
    if style.unicode:
        lines[1] = lines[1].replace("-", "─")
    body = []
    previous = -1
    for line, index in zip(lines[2:], shown, strict=True):
        if index > previous + 1:
            body.append(
                style.paint(
                    f"... {index - previous - 1} more calls (`shapelint report` shows all)",
                    dim=True,
                )
            )
        body.append(
            style.paint(line.rstrip(), "red") if rows[index].failed else line.rstrip()
        )
        previous = index
    return "\n".join([lines[0].rstrip(), lines[1], *body])


def _shown(rows: list[Row], limit: int | None) -> list[int]:
    if limit is None or len(rows) <= limit:
        return list(range(len(rows)))
    ends = {*range(limit // 2), *range(len(rows) - limit // 2, len(rows))}
    return sorted(ends | {index for index, row in enumerate(rows) if row.failed})


def _cells(row: Row, total: int, style: Style) -> list[str]:
    marks = {True: ("✗ ", "↻"), False: ("x ", "again")}[style.unicode]
    name = row.name if row.is_module else ""
    if row.repeat:
        name = f"{name} ({marks[1]})"
    if row.shared:
        name = f"{name} (shared weight)".strip()
    return [
        (marks[0] if row.failed else "  ") + name,
        row.op
        if row.is_module
        else f"{'.' if row.kind is CallKind.METHOD else ''}{row.op}()",
        _shapes(row.inputs),
        _shapes(row.outputs),
        f"{row.params:,}" if row.params else "",
        share(row.params, total),
    ]


def _shapes(facts: list[TensorFact]) -> str:
    """The first three of them."""
    more = ", ..." if len(facts) > 3 else ""
    return ", ".join(map(str, facts[:3])) + more


def share(params: int, total: int) -> str:
    """A part of the parameters in percent; empty for none."""
    if not params or not total:
        return ""
    percent = 100 * params / total
    return f"{percent:.1f} %" if percent >= 0.1 else "<0.1 %"


def totals_line(report: TargetReport) -> str:
    """Totals, what was not followed, and how the model was walked."""
    totals = report.totals
    parts = [f"{totals.params:,} parameters"]
    if totals.trainable_params != totals.params:
        parts[0] += f" ({totals.trainable_params:,} trainable)"
    parts += [
        f"{size_text(totals.param_bytes)} of weights",
        f"{totals.mult_adds:,} mult-adds",
    ]
    if totals.head_params is not None and totals.features_params is not None:
        parts.append(
            f"features {totals.features_params:,}, head {totals.head_params:,}"
        )
    unfollowed = f"{report.calls_unchecked} not followed"
    walked = f"walked {report.calls_checked} calls, {unfollowed}"
    return " | ".join([*parts, walked, *report.notes])


def size_text(count: float) -> str:
    """A number of bytes, in the unit that reads best."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def render_csv(report: TargetReport) -> str:
    """One line a call."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "layer",
            "op",
            "kind",
            "inputs",
            "outputs",
            "params",
            "mult_adds",
            "repeat",
            "shared",
            "failed",
        ]
    )
    for row in report.rows:
        writer.writerow(
            [
                *(
                    row.name,
                    row.op,
                    row.kind,
                    " ".join(map(str, row.inputs)),
                    " ".join(map(str, row.outputs)),
                ),
                *(
                    row.params,
                    row.mult_adds,
                    int(row.repeat),
                    int(row.shared),
                    int(row.failed),
                ),
            ]
        )
    return out.getvalue()


def render_markdown(report: TargetReport) -> str:
    """A table for a pull request."""
    cells = [
        _cells(row, report.totals.params, Style(False, True)) for row in report.rows
    ]
    stripped = [[cell(each.strip()) for each in row] for row in cells]
    table = tabulate(stripped, HEADERS, "github", disable_numparse=True)
    return f"{table}\n\n{tags_escaped(totals_line(report))}\n"


def cell(text: str) -> str:
    """Text that stays in its cell of a Markdown table and shows as it is."""
    return tags_escaped(bars_escaped(text).replace("\n", " "))


def tags_escaped(text: str) -> str:
    """Markdown without HTML; `<0.1 %` is none."""
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text)


def bars_escaped(text: str) -> str:
    """Without bars that would end a cell; a backslash before one would take the escape
    away."""
    return re.sub(r"(\\*)\|", r"\1\1\\|", text)
