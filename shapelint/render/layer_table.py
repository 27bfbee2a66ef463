"""The per-layer table for the terminal and for Markdown, and the line of totals."""

from __future__ import annotations

import re

from tabulate import tabulate

from shapelint.facts.kinds import CallKind
from shapelint.facts.outcome import TargetReport
from shapelint.facts.rows import Row
from shapelint.facts.tensors import TensorFact
from shapelint.render.style import Style

HEADERS = ("layer", "op", "input", "output", "params", "share")
_ALIGNED = ("left",) * 4 + ("right",) * 2

_SHAPES_SHOWN = 3
"""The most tensors that a cell names. A call may take or return dozens."""


def render_table(report: TargetReport, style: Style, limit: int | None) -> str:
    """The rows in the order of the calls. Beyond `limit`, the middle is left out, but
    never a failed row."""
    rows = report.rows
    # The middle repeats the rows above it; the reader looks for failures.
    chosen = _choose_rows(rows, limit)
    cells = [write_cells(rows[at], report.totals.params, style) for at in chosen]
    # Without `disable_numparse` a layer named `1e5` would be printed as 100000.
    head, rule, *lines = tabulate(
        cells, HEADERS, "simple", disable_numparse=True, colalign=_ALIGNED
    ).splitlines()
    body = []
    previous = -1
    for line, at in zip(lines, chosen, strict=True):
        left_out = at - previous - 1
        if left_out:
            more = f"... {left_out} more calls (`shapelint report` shows all)"
            body.append(style.paint(more, dim=True))
        colour = "red" if rows[at].failed else None
        text = line.rstrip()
        body.append(style.paint(text, colour) if colour else text)
        previous = at
    rule = rule.replace("-", "─") if style.unicode else rule
    return "\n".join([head.rstrip(), rule, *body])


def _choose_rows(rows: list[Row], limit: int | None) -> list[int]:
    count = len(rows)
    if limit is None or count <= limit:
        return list(range(count))
    half = limit // 2
    ends = {*range(half), *range(count - half, count)}
    failed = {at for at, row in enumerate(rows) if row.failed}
    return sorted(ends | failed)


def write_cells(row: Row, total: int, style: Style) -> list[str]:
    """The cells of a row. `total`: the number of the model's parameters."""
    failed, again = ("✗ ", "↻") if style.unicode else ("x ", "again")
    name = row.name if row.is_module else ""
    if row.repeat:
        name = f"{name} ({again})"
    if row.shared:
        name = f"{name} (shared weight)".strip()
    return [
        (failed if row.failed else "  ") + name,
        write_op(row),
        _write_shapes(row.inputs),
        _write_shapes(row.outputs),
        f"{row.params:,}" if row.params else "",
        write_share(row.params, total),
    ]


def write_op(row: Row) -> str:
    """`Conv2d`, `relu()` or `.view()`: a class, a function or a tensor's method."""
    if row.is_module:
        return row.op
    dot = "." if row.kind is CallKind.METHOD else ""
    return f"{dot}{row.op}()"


def _write_shapes(shapes: list[TensorFact]) -> str:
    more = ["..."] if len(shapes) > _SHAPES_SHOWN else []
    return ", ".join([*map(str, shapes[:_SHAPES_SHOWN]), *more])


def write_share(params: int, total: int) -> str:
    """A share of the parameters in percent; empty if there are none."""
    if not params or not total:
        return ""
    percent = 100 * params / total
    return f"{percent:.1f} %" if percent >= 0.1 else "<0.1 %"


def totals_line(report: TargetReport) -> str:
    """The totals, what could not be followed, and how the model was walked."""
    totals = report.totals
    params = f"{totals.params:,} parameters"
    if totals.trainable_params != totals.params:
        params += f" ({totals.trainable_params:,} trainable)"
    parts = [
        params,
        f"{write_bytes(totals.param_bytes)} of weights",
        f"{totals.mult_adds:,} mult-adds",
    ]
    features, head = totals.features_params, totals.head_params
    if features is not None and head is not None:
        parts.append(f"features {features:,}, head {head:,}")
    unfollowed = f"{report.calls_unchecked} not followed"
    parts.append(f"walked {report.calls_checked} calls, {unfollowed}")
    return " | ".join([*parts, *report.notes])


def write_bytes(count: float) -> str:
    """A number of bytes in a suitable unit."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def render_markdown_table(report: TargetReport) -> str:
    """The table and the totals in Markdown."""
    style = Style(unicode=True)
    table = [
        [escape_cell(cell.strip()) for cell in cells]
        for cells in (
            write_cells(row, report.totals.params, style) for row in report.rows
        )
    ]
    text = tabulate(table, HEADERS, "github", disable_numparse=True)
    return f"{text}\n\n{escape_tags(totals_line(report))}\n"


def escape_cell(text: str) -> str:
    """Escape a text so that it stays in its cell of a Markdown table and is shown as it
    is."""
    return escape_tags(escape_bars(text).replace("\n", " "))


def escape_tags(text: str) -> str:
    """Escape text in Markdown that would be read as HTML, such as `<0.1 %`."""
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text)


def escape_bars(text: str) -> str:
    """Escape the bars that would end a table cell.

    Backslashes before a bar are doubled, because one of them would escape the backslash
    added here."""
    return re.sub(r"(\\*)\|", r"\1\1\\|", text)
