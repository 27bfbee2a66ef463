"""`shapelint report`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any

import click

from shapelint.asked.formats import PICTURES, REPORT_FORMATS
from shapelint.asked.request import Walk
from shapelint.cli import say
from shapelint.cli.options import (
    ConfigOptions,
    InputOptions,
    OutputOptions,
    TakesInputs,
    config_options,
    input_options,
    options_from,
    output_options,
)
from shapelint.facts.diagnostics import Severity
from shapelint.facts.kinds import Status


@dataclass(frozen=True)
class ReportOptions:
    """The options of the command line."""

    target: str
    given: InputOptions
    configuration: ConfigOptions
    output: OutputOptions
    report_format: str
    tree: bool

    @property
    def is_picture(self) -> bool:
        """Whether the format shows the model as a picture."""
        return self.report_format in PICTURES


@click.command(cls=TakesInputs)
@click.argument("target")
@input_options
@config_options
@click.option(
    "--format",
    "report_format",
    type=click.Choice(list(REPORT_FORMATS)),
    default=REPORT_FORMATS[0],
    help="How to print.",
)
@click.option("--tree", is_flag=True, help="Print torchinfo's module tree.")
@output_options
def report(**words: Any) -> None:
    """Print the per-layer shape and parameter report of a model, up to and beyond a
    layer that fails."""
    from shapelint.cli.exit_codes import exit_code
    from shapelint.cli.progress import Progress
    from shapelint.picture.graphviz import require_graphviz
    from shapelint.process.runner import run_all
    from shapelint.render import render_report, write
    from shapelint.render.style import Style

    options = options_from(ReportOptions, words)
    output = options.output
    if options.is_picture:
        require_graphviz()
    request = _request(options)
    with Progress(1, output.quiet, output.verbose) as progress:
        (outcome,) = run_all([request], on_step=progress.step)
    style = Style.of(output.color, output.output_file)
    if outcome.report.status is not Status.FAILED:
        text = render_report(options.report_format, outcome, style, options.tree)
        write(text, output.output_file, style)
    for diagnostic in outcome.report.diagnostics:
        say(style.finding_line(diagnostic), err=True, colour=style.colour)
    if outcome.fault:
        say(outcome.fault, err=True)
    sys.exit(exit_code([outcome], exit_zero=False))


def _request(options: ReportOptions) -> Walk:
    """Build the request. Beside a report, only errors are of interest."""
    from shapelint.asked.config import load_config
    from shapelint.cli.requests import walk_request
    from shapelint.rules import catalogue

    chosen = options.configuration
    config = load_config(given=chosen.config, isolated=chosen.isolated)
    rules = catalogue().rules.values()
    return replace(
        walk_request(options.target, config, options.given),
        selected=tuple(rule.code for rule in rules if rule.severity is Severity.ERROR),
        # a picture shows the first fix at the failing call
        fixes=options.is_picture,
        picture=options.is_picture,
        tree=options.tree,
    )
