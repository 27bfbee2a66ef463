"""The options of `shapelint check`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from shapelint.asked.formats import CHECK_FORMATS
from shapelint.asked.settings import DEFAULTS, SEVERITIES, Config
from shapelint.cli import say
from shapelint.cli.check_options import CheckOptions
from shapelint.cli.configured_targets import find_affected, targets_of
from shapelint.cli.options import (
    TakesInputs,
    config_options,
    input_options,
    options_from,
    output_options,
)
from shapelint.facts.errors import UsageError


@click.command(cls=TakesInputs)
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@input_options
@config_options
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    help="Rules to use: codes, prefixes, names.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Rules to leave out.")
@click.option(
    "--output-format",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help=f"{', '.join(CHECK_FORMATS[:-1])} or {CHECK_FORMATS[-1]}; several with files.  "
    f"[{DEFAULTS.output_format}]",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Make the safe fixes: weight shapes and results that already work stay the same.",
)
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix, --diff or --fix-only: make unsafe fixes too.",
)
@click.option(
    "--diff", is_flag=True, help="Print what --fix would change, change nothing."
)
@click.option(
    "--fix-only", is_flag=True, help="Make the fixes and do not report what is left."
)
@click.option(
    "--baseline", metavar="FILE", help="Do not show the findings in this file."
)
@click.option(
    "--update-baseline", is_flag=True, help="Write what is found into the baseline."
)
@click.option(
    "--add-ignores",
    is_flag=True,
    help="Suppress every finding with a comment at its line.",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(SEVERITIES)),
    help=f"The lowest severity that sets exit code 1.  [{DEFAULTS.fail_on}]",
)
@click.option(
    "--changed",
    is_flag=True,
    help="TARGETs are changed files: check the models that they are part of, and read them.",
)
@click.option(
    "--show-settings",
    is_flag=True,
    help="Print the settings in force and where they come from, and stop.",
)
@click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 even when there are findings."
)
@click.option("--no-report", is_flag=True, help="Leave out the per-layer table.")
@output_options
def check(**words: Any) -> None:
    """Walk models, read training code, and say what is wrong.

    TARGET is file.py:Class, file.py:Class(args), file.py:factory(), file.py:instance,
    pkg.mod:Class, or, with an input, a file.py with one model: shapelint imports and
    runs that code. A file.py, a notebook or a folder without an input is read for
    mistakes in training code, without running it. Without a TARGET, the targets of the
    configuration are checked, and the training code in its folder.

    Exit code: 0 nothing at or above warning, 1 findings, 2 a target or a file could not
    be checked to its end; --fail-on sets another severity. With --fix,
    remaining findings set the exit code; with --diff, 1 means something would change;
    with --fix-only, findings do not count."""
    from shapelint.asked.config import load_config

    options = options_from(CheckOptions, words)
    options = replace(
        options, select=_split(options.select), ignore=_split(options.ignore)
    )
    _require_consistent(options)
    chosen = options.configuration
    config = load_config(given=chosen.config, isolated=chosen.isolated)
    if options.show_settings:
        from shapelint.cli.shown_settings import settings_text

        say(settings_text(config), nl=False)
        return
    options = _with_baseline(options, config)
    is_alone = not options.targets
    targets = _targets(options, config)
    if targets:
        from shapelint.cli.check_run import run_check

        sys.exit(run_check(replace(options, targets=targets), config, is_alone))


def _split(values: tuple[str, ...]) -> tuple[str, ...]:
    """Split `--select SHP1,SHP2` into two words."""
    words = [word for value in values for word in value.split(",")]
    return tuple(word for word in words if word.strip())


def _require_consistent(options: CheckOptions) -> None:
    changing = {
        "--fix": options.fix,
        "--diff": options.diff,
        "--fix-only": options.fix_only,
        "--update-baseline": options.update_baseline,
        "--add-ignores": options.add_ignores,
    }
    wanted = [name for name, is_wanted in changing.items() if is_wanted]
    accepts = options.update_baseline or options.add_ignores
    if accepts and len(wanted) > 1:
        raise UsageError(f"`{wanted[0]}` and `{wanted[1]}` cannot be combined")
    if options.output.quiet and options.output.verbose:
        raise UsageError("`--quiet` and `--verbose` cannot be combined")


def _with_baseline(options: CheckOptions, config: Config) -> CheckOptions:
    """Use the baseline of the command line, or else that of the configuration."""
    configured = config.path(config.baseline) if config.baseline else None
    baseline = options.baseline or configured
    if options.update_baseline and not baseline:
        raise UsageError("`--update-baseline` needs `--baseline FILE`")
    return replace(options, baseline=baseline)


def _targets(options: CheckOptions, config: Config) -> tuple[str, ...]:
    """The targets of the command line; for changed files, the configured targets they
    affect; without any, all targets of the configuration."""
    if options.targets and not options.changed:
        return options.targets
    if options.given.has_input:
        raise UsageError(
            "an input, but no target to feed it to; write `shapelint check "
            "model.py:Net --input ...`"
        )
    if options.changed:
        return find_affected(config, options.targets)
    return targets_of(config)
