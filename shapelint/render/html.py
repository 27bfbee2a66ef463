"""One page that needs nothing else, neither a file nor the network: findings, picture,
parameters and layers."""

from __future__ import annotations

from html import escape
from typing import Any

from shapelint import __version__
from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.escape import json_text
from shapelint.facts.kinds import CallKind, Status, TargetKind
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.rows import Row
from shapelint.picture.geometry import Inside
from shapelint.picture.labels import shown_shape, shown_value
from shapelint.picture.plan import Plan
from shapelint.render.full import render_diagnostic, summary
from shapelint.render.style import Fixes, Style
from shapelint.render.svg import (
    LABEL_ASIDE,
    MARKERS,
    NOTE_WIDTH,
    asset,
    blocks_of,
    box,
    described,
    family,
    frame_words,
    is_unchanged,
    note_lines,
    static_picture,
)
from shapelint.render.table import share, size_text
from shapelint.syntax.paths import shown_path

BARS = 15
"""Layers whose parameters are shown as bars."""

SMALLEST = 0.6
"""Scale to which a picture shrinks to fit a narrow page; a wider one is scrolled."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def render_html(outcomes: list[Outcome], fixes: Fixes) -> str:
    """The page of a run; a section for each target."""
    names = ", ".join(outcome.report.target for outcome in outcomes[:3]) + (
        ", ..." if len(outcomes) > 3 else ""
    )
    told = summary(outcomes, Style(False, True), fixes).splitlines()[0]
    sections = "".join(
        _section(outcome, number) for number, outcome in enumerate(outcomes)
    )
    many = f"<h1>shapelint: {escape(told)}</h1>" if len(outcomes) > 1 else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(names)}: {escape(told)}</title>"
        f"<style>{asset('picture.css')}{asset('report.css')}</style></head>"
        f"<body><main>{many}{sections}<footer>shapelint {__version__}</footer></main>"
        f'<div id="hover" role="tooltip" hidden></div><script>{asset("report.js")}</script></body></html>\n'
    )


def _section(outcome: Outcome, number: int) -> str:
    report = outcome.report
    parts = [
        f'<section class="target" id="target-{number}"><h1>{escape(report.target)}</h1>'
    ]
    if report.kind is TargetKind.MODEL and report.status is not Status.FAILED:
        given = ", ".join(map(shown_value, report.inputs))
        result = shown_value(report.output) if report.output else "no output"
        flow = f"{given} → {result}"
        parts.append(f'<div class="flow">{escape(flow)}</div>')
    parts.append(_facts(report))
    if report.notes:
        parts.append(f'<p class="notes">{escape("; ".join(report.notes))}</p>')
    plan = (
        Plan(report.picture)
        if report.picture is not None and report.picture.blocks
        else None
    )
    about = blocks_of(report, plan) if plan is not None else {}
    where = {id(item): at for at, items in about.items() for item in items}
    if report.diagnostics:
        parts.append("<h2>Findings</h2>")
        parts += [_finding(item, where.get(id(item))) for item in report.diagnostics]
    if outcome.fault:
        parts.append(f"<h2>A fault of shapelint</h2><pre>{escape(outcome.fault)}</pre>")
    if plan is not None:
        parts.append(_picture(report, plan, about))
    elif report.picture is not None and report.picture.left_out:
        parts.append(
            f'<p class="notes">{report.picture.left_out:,} calls are too many for a picture.</p>'
        )
    if report.rows:
        parts += [_bars(report), _table(report)]
    return "".join([*parts, "</section>"])


def _facts(report: TargetReport) -> str:
    counts = dict.fromkeys(Severity, 0)
    for item in report.diagnostics:
        counts[item.severity] += 1
    facts = [
        (severity.value, f"{count}", severity.value + ("s" if count > 1 else ""))
        for severity, count in counts.items()
        if count
    ]
    if report.status is Status.FAILED:
        facts.append(("error", "not checked", "status"))
    elif not facts:
        facts.append(("good", "nothing", "found"))
    totals = report.totals
    if report.rows:
        facts += [
            ("", f"{totals.params:,}", "parameters"),
            ("", size_text(totals.param_bytes), "of weights"),
            ("", f"{totals.mult_adds:,}", "mult-adds"),
        ]
    if totals.head_params is not None and totals.params:
        facts.append(
            (
                "",
                share(totals.head_params, totals.params) or "0 %",
                "of the parameters in the head",
            )
        )
    items = "".join(
        f'<li class="{kind}"><b>{value}</b><span>{name}</span></li>'
        for kind, value, name in facts
    )
    return f'<ul class="facts">{items}</ul>'


def _finding(item: Diagnostic, at: int | None) -> str:
    place = item.place
    where = (
        f"{shown_path(place.file)}:{place.line}" if place is not None else item.target
    )
    layer = f" · {item.layer}" if item.layer else ""
    button = (
        f'<button type="button" data-show="{at}">show in the picture</button>'
        if at
        else ""
    )
    opened = " open" if item.severity is Severity.ERROR else ""
    return (
        f'<details class="finding {item.severity.value}"{opened}><summary>'
        f'<span class="code">{item.code} {item.name}</span>'
        f'{escape(item.message)}<span class="where">{escape(where + layer)}</span></summary>'
        f"<pre>{escape(render_diagnostic(item, Style(False, True)))}</pre>{button}</details>"
    )


def _picture(
    report: TargetReport, plan: Plan, about: dict[int, list[Diagnostic]]
) -> str:
    opened = plan.opened()
    data = json_text(_data(plan, about, opened), separators=(",", ":")).replace(
        "<", "\\u003c"
    )
    tools = ""
    if len(plan.children) > 1:
        tools = "".join(
            f'<button type="button" data-fold="{how}">{words}</button>'
            for how, words in (
                ("open", "unfold all"),
                ("closed", "fold all"),
                ("some", "as at first"),
            )
        )
    legend = "wider: larger activations; higher: more parameters; hover for shapes and source lines"
    legend += "; click a module to fold it" if tools else ""
    return (
        f'<h2>Picture</h2><div class="tools">{tools}<span>{legend}</span></div>'
        f'<div class="drawn">{static_picture(report, plan, opened, alone=False)}</div>'
        f'<script type="application/json">{data}</script>'
    )


def _data(
    plan: Plan, about: dict[int, list[Diagnostic]], opened: set[int]
) -> dict[str, Any]:
    """What the page's script draws from."""
    marks = {at: _marks(items) for at, items in about.items()}
    blocks = [
        {
            "family": family(block),
            "marks": ("failed" if block.failed else marks.get(at, "")) if at else "",
            "within": block.within,
            "words": described(plan, at),
            "box": box(plan, at) if at else "",
            "frame": frame_words(plan, at) if at in plan.children else "",
        }
        for at, block in enumerate(plan.blocks)
    ]
    notes = [
        {
            "at": at,
            "kind": "" if item.severity is Severity.ERROR else "warning",
            "lines": note_lines(item),
        }
        for at, items in about.items()
        for item in items
    ]
    modules = {at: _module(plan, plan.arranged(at, {})) for at in plan.children}
    return {
        "blocks": blocks,
        "modules": modules,
        "opened": sorted(opened),
        "notes": notes,
        "noteWidth": NOTE_WIDTH,
        "labelAside": LABEL_ASIDE,
        "smallest": SMALLEST,
        "markers": MARKERS,
    }


def _marks(items: list[Diagnostic]) -> str:
    return (
        "failed" if any(item.severity is Severity.ERROR for item in items) else "warned"
    )


def _module(plan: Plan, inside: Inside) -> dict[str, Any]:
    lines = [
        {
            "source": line.source,
            "target": line.target,
            "port": line.port,
            "shape": shown_shape(line.shape),
            "broken": line.into_failed,
            "arc": line.is_arc,
            "same": is_unchanged(plan, line),
            "points": line.points,
            "label": line.label_at,
        }
        for line in inside.lines
    ]
    return {
        "width": round(inside.width, 1),
        "height": round(inside.height, 1),
        "boxes": inside.boxes,
        "lines": lines,
        "in": inside.ports_in,
        "out": inside.ports_out,
    }


def _bars(report: TargetReport) -> str:
    total = report.totals.params
    owners = sorted(
        (row for row in report.rows if row.params), key=lambda row: -row.params
    )
    if not owners or not total:
        return ""
    most = owners[0].params
    bars = "".join(
        f'<span class="name">{escape(_name(row))}</span>'
        f'<span class="bar"><i style="width:{100 * row.params / most:.2f}%"></i></span>'
        f'<span class="number">{row.params:,} · {share(row.params, total)}</span>'
        for row in owners[:BARS]
    )
    rest = sum(row.params for row in owners[BARS:])
    if rest:
        bars += f'<span class="name">{len(owners) - BARS} others</span><span></span>'
        bars += f'<span class="number">{rest:,} · {share(rest, total)}</span>'
    return f'<h2>Parameters</h2><div class="bars">{bars}</div>'


def _name(row: Row) -> str:
    return (
        f"{row.name} {row.op}"
        if row.is_module
        else f"{row.op}() in {row.name or 'the model'}"
    )


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


def _table(report: TargetReport) -> str:
    head = "".join(
        f'<th class="{kind}" scope="col"><button type="button">{name}</button></th>'
        for name, kind in _COLUMNS
    )
    rows = "".join(
        _row(number, row, report.totals.params)
        for number, row in enumerate(report.rows, 1)
    )
    return f'<h2>Layers</h2><div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(number: int, row: Row, total: int) -> str:
    op = (
        row.op
        if row.is_module
        else f"{'.' if row.kind is CallKind.METHOD else ''}{row.op}()"
    )
    again = " (again)" if row.repeat else ""
    shared = " (shared weight)" if row.shared else ""
    place = f"{shown_path(row.file)}:{row.line}" if row.file else ""
    cells = [
        _number(number, f"{number}"),
        f"<td>{escape(row.name + again + shared)}</td><td>{escape(op)}</td>",
        f'<td class="shapes">{escape(", ".join(map(shown_shape, row.inputs[:4])))}</td>',
        f'<td class="shapes">{escape(", ".join(map(shown_shape, row.outputs[:4])))}</td>',
        _number(row.params, f"{row.params:,}" if row.params else ""),
        _number(row.params, share(row.params, total)),
        _number(row.mult_adds, f"{row.mult_adds:,}" if row.mult_adds else ""),
        f"<td>{escape(place)}</td>",
    ]
    return f"<tr{' class=failed' if row.failed else ''}>{''.join(cells)}</tr>"


def _number(value: int, text: str) -> str:
    return f'<td class="number" data-value="{value}">{text}</td>'
