"""From plain data to text: one format a file."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from shapelint.diagnostics import Diagnostic, Severity
from shapelint.escape import in_one_line, printable, visible
from shapelint.outcome import Outcome
from shapelint.render.shown import shown
from shapelint.syntax.places import live_cell

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


@dataclass(frozen=True)
class Style:
    """Whether to use colour, and whether the output can show more than ASCII."""

    colour: bool = False
    unicode: bool = False

    @classmethod
    def of(cls, color: str, output_file: str | None) -> Style:
        """What the flag says; else NO_COLOR, else FORCE_COLOR, else whether stdout is a terminal."""
        encoding = "utf-8" if output_file else (getattr(sys.stdout, "encoding", None) or "ascii")
        try:
            "─✗↻".encode(encoding)
            can = True
        except (UnicodeEncodeError, LookupError):
            can = False
        if color != "auto":
            return cls(color == "always", can)
        if os.environ.get("NO_COLOR"):
            return cls(False, can)
        if os.environ.get("FORCE_COLOR"):
            return cls(True, can)
        return cls(output_file is None and sys.stdout.isatty(), can)

    def paint(self, text: str, colour: str | None = None, bold: bool = False, dim: bool = False) -> str:
        """The text in colour, if colour is wanted."""
        return click.style(text, fg=colour, bold=bold or None, dim=dim or None) if self.colour else text

    def severity(self, diagnostic: Diagnostic, text: str) -> str:
        """The text in the colour of a finding."""
        return self.paint(text, _COLOURS[diagnostic.severity], bold=True)

    def finding_line(self, diagnostic: Diagnostic) -> str:
        """A finding in one line: place, code, message."""
        place = diagnostic.span or diagnostic.called_at
        target = in_one_line(diagnostic.target)
        where = f"{shown_path(place.file)}:{place.line}:{place.column or 1}" if place else target
        severity = self.severity(diagnostic, diagnostic.severity.value)
        return f"{where}: {severity}[{diagnostic.code}] {in_one_line(diagnostic.message)}"


def shown_path(file: str) -> str:
    """As `relative_path`, for people: in one line, and none that GitHub's runner takes for a command."""
    path = in_one_line(relative_path(file))
    return f"./{path}" if path.lstrip().startswith("::") else path


def relative_path(file: str) -> str:
    """Relative to the working directory when below it; a cell of this session by its number."""
    cell = live_cell(file)
    if cell:
        return cell
    path = Path(file)
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return str(path)


@dataclass(frozen=True)
class Fixes:
    """How many fixes were made, whether unsafe ones were wanted, and whether any were."""

    made: int = 0
    unsafe: bool = False
    wanted: bool = False


def render(output_format: str, outcomes: list[Outcome], style: Style, report: bool, fixes: Fixes = Fixes()) -> str:
    """The result of a check in one of `shapelint.config.FORMATS`; `report`: with the layers, where there is room."""
    module = importlib.import_module(f"shapelint.render.{output_format}")
    if output_format == "json":
        return str(module.render_json(outcomes, fixes.made))
    if output_format in ("sarif", "gitlab"):
        return str(getattr(module, f"render_{output_format}")(outcomes))
    outcomes = [shown(outcome) for outcome in outcomes]
    if output_format == "github":
        return str(module.render_github(outcomes, fixes))
    return printable(_in_format(module, output_format, outcomes, style, report, fixes), style.colour)


def _in_format(
    module: Any, output_format: str, outcomes: list[Outcome], style: Style, report: bool, fixes: Fixes
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
    """The findings in `full` or `concise`, without tables, totals and summary; nothing where there are none."""
    from shapelint.render.full import fault_text, render_diagnostic

    parts: list[str] = []
    for outcome in map(shown, outcomes):
        if output_format == "concise":
            parts += [style.finding_line(item) for item in outcome.report.diagnostics]
        else:
            parts += [render_diagnostic(item, style) + "\n" for item in outcome.report.diagnostics]
        if outcome.fault:
            parts.append(fault_text(outcome))
    return printable("\n".join(parts) + "\n", style.colour) if parts else ""


def render_report(report_format: str, outcome: Outcome, style: Style, tree: bool) -> str:
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
    return table.render_table(report, style, None) + "\n" + table.totals_line(report) + "\n"


def write(text: str, output_file: str | None, style: Style) -> None:
    """To stdout, or to a file, whole or not at all. What no format may hold is written out here at the latest.

    Raises:
        UsageError: the file cannot be written.
    """
    text = visible(text, style.colour)
    if output_file is None:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        click.echo(text.encode(encoding, "replace").decode(encoding), nl=False, color=style.colour)
        return
    from shapelint.fixes.files import written_whole

    written_whole(Path(output_file), text.encode("utf-8"))
