"""From plain data to text: one format a file."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from shapelint.facts.escape import printable, visible
from shapelint.facts.outcome import Outcome
from shapelint.render.shown import shown
from shapelint.render.style import NO_FIXES, Fixes, Style


def render(
    output_format: str,
    outcomes: list[Outcome],
    style: Style,
    report: bool,
    fixes: Fixes = NO_FIXES,
) -> str:
    """The result of a check in one of `shapelint.asked.config.FORMATS`; `report`: with
    the layers, where there is room."""
    module = importlib.import_module(f"shapelint.render.{output_format}")
    if output_format == "json":
        return str(module.render_json(outcomes, fixes.made))
    if output_format in ("sarif", "gitlab"):
        return str(getattr(module, f"render_{output_format}")(outcomes))
    outcomes = [shown(outcome) for outcome in outcomes]
    if output_format == "github":
        return str(module.render_github(outcomes, fixes))
    return printable(
        _in_format(module, output_format, outcomes, style, report, fixes), style.colour
    )


def _in_format(
    module: Any,
    output_format: str,
    outcomes: list[Outcome],
    style: Style,
    report: bool,
    fixes: Fixes,
) -> str:
    if output_format == "junit":
        return str(module.render_junit(outcomes))
    if output_format == "html":
        return str(module.render_html(outcomes, fixes))
    if output_format == "markdown":
        return str(module.render_check(outcomes, report, fixes))
    if output_format == "concise":
        return str(module.render_concise(outcomes, style, fixes))
    return str(module.render_full(outcomes, style, report, fixes))


def findings_only(output_format: str, outcomes: list[Outcome], style: Style) -> str:
    """The findings in `full` or `concise`, without tables, totals and summary; nothing
    where there are none."""
    from shapelint.render.full import fault_text, render_diagnostic

    parts: list[str] = []
    for outcome in map(shown, outcomes):
        if output_format == "concise":
            parts += [style.finding_line(item) for item in outcome.report.diagnostics]
        else:
            parts += [
                render_diagnostic(item, style) + "\n"
                for item in outcome.report.diagnostics
            ]
        if outcome.fault:
            parts.append(fault_text(outcome))
    return printable("\n".join(parts) + "\n", style.colour) if parts else ""


def render_report(
    report_format: str, outcome: Outcome, style: Style, tree: bool
) -> str:
    """The per-layer report in one of its formats; with `tree`, torchinfo's."""
    if report_format == "json" and not tree:
        from shapelint.render.json import render_json

        return render_json([outcome])
    text = _report_in_format("tree" if tree else report_format, shown(outcome), style)
    return printable(text, style.colour)


def _report_in_format(report_format: str, outcome: Outcome, style: Style) -> str:
    from shapelint.render import table

    report = outcome.report
    if report_format == "tree":
        return (report.tree or "") + "\n"
    if report_format == "pipeline":
        from shapelint.render.pipeline import render_pipeline

        return render_pipeline(report)
    if report_format == "csv":
        return table.render_csv(report)
    if report_format == "html":
        from shapelint.render.html import render_html

        return render_html([outcome], Fixes())
    if report_format == "svg":
        from shapelint.render.svg import render_svg

        return render_svg(report)
    if report_format == "markdown":
        return table.render_markdown(report)
    return (
        table.render_table(report, style, None)
        + "\n"
        + table.totals_line(report)
        + "\n"
    )


def write(text: str, output_file: str | None, style: Style) -> None:
    """To stdout, or to a file, whole or not at all. What no format may hold is written
    out here at the latest.

    Raises:
        UsageError: the file cannot be written.
    """
    text = visible(text, style.colour)
    if output_file is None:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        click.echo(
            text.encode(encoding, "replace").decode(encoding),
            nl=False,
            color=style.colour,
        )
        return
    from shapelint.apply.source_files import write_whole

    write_whole(Path(output_file), text.encode("utf-8"))
