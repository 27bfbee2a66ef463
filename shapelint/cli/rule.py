"""`shapelint rule`."""

from __future__ import annotations

import click

from shapelint.cli import say
from shapelint.facts.errors import UsageError


@click.command()
@click.argument("code", required=False)
@click.option("--all", "everything", is_flag=True, help="Every rule, a line each.")
def rule(code: str | None, everything: bool) -> None:
    """Explain a rule by its code or name, or list them with --all."""
    from shapelint.render.rule_pages import rule_line, rule_page
    from shapelint.rules import catalogue

    known = catalogue()
    if everything:
        for each in known.rules.values():
            say(rule_line(each))
        return
    if code is None:
        raise UsageError("name a rule, as in `shapelint rule SHP101`, or give --all")
    for each in known.matching(code):
        say(rule_page(each))
