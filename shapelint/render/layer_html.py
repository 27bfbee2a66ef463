"""The layers of a model as HTML: bars for their parameters, and the table."""

from __future__ import annotations

from html import escape

from shapelint.facts.outcome import TargetReport
from shapelint.facts.rows import Row
from shapelint.facts.tensors import TensorFact
from shapelint.picture.labels import write_shape
from shapelint.render.layer_table import write_op, write_share
from shapelint.syntax.paths import shown_path

BARS = 15
"""The most layers whose parameters are shown as bars."""

_SHAPES_SHOWN = 4

_COLUMNS = (
    ("#", "number"),
    ("layer", ""),
    ("op", ""),
    ("input", ""),
    ("output", ""),
    ("params", "number"),
    ("share", "number"),
    ("mult-adds", "number"),
    ("line", ""),
)
"""The columns of the table and their CSS classes. Those with numbers are sorted as
numbers."""


def write_bars(report: TargetReport) -> str:
    """Bars for the layers with the most parameters; empty if there are none."""
    total = report.totals.params
    owners = [row for row in report.rows if row.params]
    owners.sort(key=lambda row: -row.params)
    if not owners or not total:
        return ""
    most = owners[0].params
    bars = [_bar(row, most, total) for row in owners[:BARS]]
    # So that the bars and this line add up to all parameters.
    rest = sum(row.params for row in owners[BARS:])
    if rest:
        name = f'<span class="name">{len(owners) - BARS} others</span><span></span>'
        bars.append(name + _amount(rest, total))
    return f'<h2>Parameters</h2><div class="bars">{"".join(bars)}</div>'


def _bar(row: Row, most: int, total: int) -> str:
    name = f"{row.op}() in {row.name or 'the model'}"
    if row.is_module:
        name = f"{row.name} {row.op}"
    width = f"{100 * row.params / most:.2f}%"
    return (
        f'<span class="name">{escape(name)}</span>'
        f'<span class="bar"><i style="width:{width}"></i></span>'
        f"{_amount(row.params, total)}"
    )


def _amount(params: int, total: int) -> str:
    return f'<span class="number">{params:,} · {write_share(params, total)}</span>'


def write_layers(report: TargetReport) -> str:
    """The table of all calls. The page's script can sort it."""
    head = "".join(
        f'<th class="{kind}" scope="col"><button type="button">{name}</button></th>'
        for name, kind in _COLUMNS
    )
    total = report.totals.params
    rows = "".join(
        _row(number, row, total) for number, row in enumerate(report.rows, 1)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<h2>Layers</h2><div class="scroll">{table}</div>'


def _row(number: int, row: Row, total: int) -> str:
    again = " (again)" if row.repeat else ""
    shared = " (shared weight)" if row.shared else ""
    place = f"{shown_path(row.file)}:{row.line}" if row.file else ""
    cells = [
        _number(number, f"{number}"),
        f"<td>{escape(row.name + again + shared)}</td><td>{escape(write_op(row))}</td>",
        _shapes(row.inputs),
        _shapes(row.outputs),
        _number(row.params, f"{row.params:,}" if row.params else ""),
        _number(row.params, write_share(row.params, total)),
        _number(row.mult_adds, f"{row.mult_adds:,}" if row.mult_adds else ""),
        f"<td>{escape(place)}</td>",
    ]
    failed = " class=failed" if row.failed else ""
    return f"<tr{failed}>{''.join(cells)}</tr>"


def _shapes(shapes: list[TensorFact]) -> str:
    text = ", ".join(map(write_shape, shapes[:_SHAPES_SHOWN]))
    return f'<td class="shapes">{escape(text)}</td>'


def _number(value: int, text: str) -> str:
    return f'<td class="number" data-value="{value}">{text}</td>'
