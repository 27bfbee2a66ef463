"""`shapelint report`."""

from __future__ import annotations

import sys
from typing import Any

import click

from shapelint.asked.formats import PICTURES, REPORT_FORMATS
from shapelint.cli import say
from shapelint.cli.check import exit_code
from shapelint.cli.options import (
    TakesInputs,
    config_options,
    input_options,
    output_options,
    request_for,
)
from shapelint.facts.kinds import Status


@click.command(cls=TakesInputs)
@click.argument("target")
@input_options
@config_options
@click.option(
    "--format",
    "report_format",
    type=click.Choice(REPORT_FORMATS),
    default=REPORT_FORMATS[0],
    help="How to print.",
)
@click.option("--tree", is_flag=True, help="Print torchinfo's module tree.")
@output_options
def report(target: str, report_format: str, tree: bool, **words: Any) -> None:
    """Print the per-layer shape and parameter report of a model, up to and beyond a
    layer that fails."""
    from shapelint.asked.config import load_config
    from shapelint.cli.progress import Progress
    from shapelint.picture.graphviz import require_graphviz
    from shapelint.process.runner import run_all
    from shapelint.render import render_report, write
    from shapelint.render.style import Style
    from shapelint.rules import catalogue

    if report_format in PICTURES:
        require_graphviz()
    config = load_config(given=words["config"], isolated=words["isolated"])
    request = request_for(
        target,
        config,
        words,
        selected=tuple(
            code
            for code, rule in catalogue().rules.items()
            if rule.severity.value == "error"
        ),
        fixes=report_format in PICTURES,  # they show the first one at the failing call
        tree=tree,
        picture=report_format in PICTURES,
    )
    with Progress(1, words["quiet"], words["verbose"]) as progress:
        outcomes = list(run_all([request], on_step=progress.step))
    style = Style.of(words["color"], words["output_file"])
    outcome = outcomes[0]
    if outcome.report.status is not Status.FAILED:
        write(
            render_report(report_format, outcome, style, tree),
            words["output_file"],
            style,
        )
    for diagnostic in outcome.report.diagnostics:
        say(style.finding_line(diagnostic), err=True, colour=style.colour)
    if outcome.fault:
        say(outcome.fault, err=True)
    sys.exit(exit_code(outcomes, False))
