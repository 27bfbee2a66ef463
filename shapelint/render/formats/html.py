"""A self-contained page with findings, picture, parameters and layers. It needs neither
other files nor the network."""

from __future__ import annotations

from html import escape

from shapelint import __version__
from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.kinds import Status, TargetKind
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.picture.labels import write_value
from shapelint.picture.layouts import Layouts
from shapelint.picture.plan import Plan
from shapelint.render.finding_text import render_diagnostic
from shapelint.render.format import Format, Wanted
from shapelint.render.layer_html import write_bars, write_layers
from shapelint.render.layer_table import write_bytes, write_share
from shapelint.render.notes import findings_by_block
from shapelint.render.page_data import write_page_data
from shapelint.render.static_picture import draw
from shapelint.render.style import NO_FIXES, Fixes, Style
from shapelint.render.summary import count_findings, write_summary
from shapelint.render.svg_elements import read_asset
from shapelint.syntax.paths import shown_path

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:"
)
"""Nothing is loaded from elsewhere, whatever a name or a message contains."""

_TARGETS_NAMED = 3
"""The most targets in the title of a page."""

_FOLD_BUTTONS = (
    ("open", "unfold all"),
    ("closed", "fold all"),
    ("some", "as at first"),
)

_LEGEND = (
    "wider: larger activations; higher: more parameters; "
    "hover for shapes and source lines"
)


class Html(Format):
    name = "html"

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        return render_page(outcomes, wanted.fixes)

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_page([outcome], NO_FIXES)


def render_page(outcomes: list[Outcome], fixes: Fixes) -> str:
    """The page of a run, with a section for each target."""
    summary = write_summary(outcomes, Style(unicode=True), fixes).splitlines()[0]
    sections = "".join(
        _section(outcome, number) for number, outcome in enumerate(outcomes)
    )
    is_many = len(outcomes) > 1
    heading = f"<h1>shapelint: {escape(summary)}</h1>" if is_many else ""
    footer = f"<footer>shapelint {__version__}</footer>"
    return (
        f'<!DOCTYPE html>\n<html lang="en">{_head(outcomes, summary)}'
        f"<body><main>{heading}{sections}{footer}</main>"
        '<div id="hover" role="tooltip" hidden></div>'
        f"<script>{read_asset('report.js')}</script></body></html>\n"
    )


def _head(outcomes: list[Outcome], summary: str) -> str:
    names = [outcome.report.target for outcome in outcomes[:_TARGETS_NAMED]]
    if len(outcomes) > _TARGETS_NAMED:
        names.append("...")
    return (
        '<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(', '.join(names))}: {escape(summary)}</title>"
        f"<style>{read_asset('picture.css')}{read_asset('report.css')}</style></head>"
    )


def _section(outcome: Outcome, number: int) -> str:
    report = outcome.report
    plan = None
    if report.picture is not None and report.picture.blocks:
        plan = Plan(report.picture)
    about = findings_by_block(report, plan) if plan is not None else {}
    parts = [
        f'<section class="target" id="target-{number}">'
        f"<h1>{escape(report.target)}</h1>",
        _flow(report),
        _facts(report),
    ]
    if report.notes:
        parts.append(f'<p class="notes">{escape("; ".join(report.notes))}</p>')
    parts += _findings(report, about)
    if outcome.fault:
        parts.append(f"<h2>A fault of shapelint</h2><pre>{escape(outcome.fault)}</pre>")
    if plan is not None:
        parts.append(_picture(report, plan, about))
    elif report.picture is not None and report.picture.left_out:
        text = f"{report.picture.left_out:,} calls are too many for a picture."
        parts.append(f'<p class="notes">{text}</p>')
    if report.rows:
        parts += [write_bars(report), write_layers(report)]
    return "".join([*parts, "</section>"])


def _flow(report: TargetReport) -> str:
    """The model's inputs and outputs."""
    if report.kind is not TargetKind.MODEL or report.status is Status.FAILED:
        return ""
    inputs = ", ".join(map(write_value, report.inputs))
    output = write_value(report.output) if report.output else "no output"
    return f'<div class="flow">{escape(f"{inputs} → {output}")}</div>'


def _facts(report: TargetReport) -> str:
    """The figures at the top: findings, parameters, cost."""
    facts = _finding_facts(report)
    totals = report.totals
    if report.rows:
        facts.append(("", f"{totals.params:,}", "parameters"))
        facts.append(("", write_bytes(totals.param_bytes), "of weights"))
        facts.append(("", f"{totals.mult_adds:,}", "mult-adds"))
    if totals.head_params is not None and totals.params:
        share = write_share(totals.head_params, totals.params) or "0 %"
        facts.append(("", share, "of the parameters in the head"))
    items = "".join(
        f'<li class="{kind}"><b>{value}</b><span>{name}</span></li>'
        for kind, value, name in facts
    )
    return f'<ul class="facts">{items}</ul>'


def _finding_facts(report: TargetReport) -> list[tuple[str, str, str]]:
    """The numbers of findings: class, number and name."""
    facts = []
    for severity, count in count_findings([Outcome(report)]).items():
        if count:
            name = severity.value + ("s" if count > 1 else "")
            facts.append((severity.value, f"{count}", name))
    if report.status is Status.FAILED:
        facts.append(("error", "not checked", "status"))
    return facts or [("good", "nothing", "found")]


def _findings(report: TargetReport, about: dict[int, list[Diagnostic]]) -> list[str]:
    if not report.diagnostics:
        return []
    # By identity: two findings may be equal, and stand at different blocks.
    blocks = {id(item): at for at, items in about.items() for item in items}
    found = [_finding(item, blocks.get(id(item))) for item in report.diagnostics]
    return ["<h2>Findings</h2>", *found]


def _finding(item: Diagnostic, at: int | None) -> str:
    place = item.place
    where = item.target
    if place is not None:
        where = f"{shown_path(place.file)}:{place.line}"
    layer = f" · {item.layer}" if item.layer else ""
    button = ""
    # 0 is the model itself, which is always in sight.
    if at:
        button = f'<button type="button" data-show="{at}">show in the picture</button>'
    opened = " open" if item.severity is Severity.ERROR else ""
    text = render_diagnostic(item, Style(unicode=True))
    return (
        f'<details class="finding {item.severity.value}"{opened}><summary>'
        f'<span class="code">{item.code} {item.name}</span>{escape(item.message)}'
        f'<span class="where">{escape(where + layer)}</span></summary>'
        f"<pre>{escape(text)}</pre>{button}</details>"
    )


def _picture(
    report: TargetReport, plan: Plan, about: dict[int, list[Diagnostic]]
) -> str:
    """The picture for readers without scripts, and the data from which the page's
    script draws it."""
    layouts = Layouts(plan)
    opened = plan.choose_open()
    data = write_page_data(layouts, about, opened)
    tools, legend = "", _LEGEND
    has_modules = len(plan.children) > 1
    if has_modules:
        tools = "".join(
            f'<button type="button" data-fold="{how}">{words}</button>'
            for how, words in _FOLD_BUTTONS
        )
        legend += "; click a module to fold it"
    return (
        f'<h2>Picture</h2><div class="tools">{tools}<span>{legend}</span></div>'
        f'<div class="drawn">{draw(report, layouts, opened, alone=False)}</div>'
        f'<script type="application/json">{data}</script>'
    )
