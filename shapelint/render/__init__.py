"""Converts plain data to text, one format in each file.

All output passes through the functions here, because they make other people's text safe
to print (`shapelint.facts.escape`)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from shapelint.apply.written_files import write_whole
from shapelint.facts.escape import printable, visible
from shapelint.facts.outcome import Outcome
from shapelint.render.fault_text import write_fault
from shapelint.render.format import Escaping, Format, Wanted
from shapelint.render.formats import load_format
from shapelint.render.safe_texts import make_safe
from shapelint.render.style import NO_FIXES, Fixes, Style


def render(
    output_format: str,
    outcomes: list[Outcome],
    style: Style,
    report: bool,
    fixes: Fixes = NO_FIXES,
) -> str:
    """Render the result of a check in one of `shapelint.asked.formats.CHECK_FORMATS`.
    `report`: include the layers, in formats that can show them."""
    chosen = load_format(output_format)
    wanted = Wanted(style, report, fixes)

    def write(safe: list[Outcome]) -> str:
        return chosen.render_check(safe, wanted)

    return _write_safely(write, outcomes, chosen.escaping, style)


def has_quiet_form(output_format: str) -> bool:
    """Whether `findings_only` can print a format."""
    return load_format(output_format).is_for_terminals


def findings_only(output_format: str, outcomes: list[Outcome], style: Style) -> str:
    """Render the findings without tables, totals and summary, in a format that
    `has_quiet_form`; empty if there are none."""
    chosen = load_format(output_format)

    def write(safe: list[Outcome]) -> str:
        parts = [part for outcome in safe for part in _parts(chosen, outcome, style)]
        return "\n".join(parts) + "\n" if parts else ""

    return _write_safely(write, outcomes, chosen.escaping, style)


def _parts(chosen: Format, outcome: Outcome, style: Style) -> list[str]:
    found = outcome.report.diagnostics
    parts = [chosen.write_finding(diagnostic, style) for diagnostic in found]
    if outcome.fault:
        parts.append(write_fault(outcome.fault, outcome.torch))
    return parts


def render_report(
    report_format: str, outcome: Outcome, style: Style, tree: bool
) -> str:
    """Render the per-layer report in one of `shapelint.asked.formats.REPORT_FORMATS`.
    With `tree`, torchinfo's module tree replaces it."""
    if tree:
        text = (make_safe(outcome).report.tree or "") + "\n"
        return printable(text, style.colour)
    chosen = load_format(report_format)

    def write(safe: list[Outcome]) -> str:
        return chosen.render_layers(safe[0], style)

    return _write_safely(write, [outcome], chosen.escaping, style)


def _write_safely(
    write: Callable[[list[Outcome]], str],
    outcomes: list[Outcome],
    escaping: Escaping,
    style: Style,
) -> str:
    if escaping is Escaping.EXACT:
        return write(outcomes)
    text = write([make_safe(outcome) for outcome in outcomes])
    return text if escaping is Escaping.COMMANDS else printable(text, style.colour)


def write(text: str, output_file: str | None, style: Style) -> None:
    """Write a text to stdout, or to a file, whole or not at all. Characters that no
    format may contain are escaped here at the latest.

    Raises:
        UsageError: the file cannot be written.
    """
    text = visible(text, style.colour)
    if output_file is not None:
        write_whole(Path(output_file), text.encode("utf-8"))
        return
    # A terminal may know fewer characters than a name or a source line has.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = text.encode(encoding, "replace").decode(encoding)
    click.echo(text, nl=False, color=style.colour)
