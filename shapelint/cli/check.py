"""`shapelint check`."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from shapelint.cli.options import TakesInputs, input_options, output_options, request_for, wanted_outputs
from shapelint.errors import UsageError


@click.command(cls=TakesInputs)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@input_options
@click.option("--select", multiple=True, metavar="RULE", help="Rules to use: codes, prefixes, names.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Rules to leave out.")
@click.option(
    "--output-format",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="full, concise, json, sarif, github, gitlab, junit or markdown; several with files.  [full]",
)
@click.option("--fix", is_flag=True, help="Make the safe fixes: no weight changes shape, no working path its result.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix, --diff or --fix-only: make unsafe fixes too.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, change nothing.")
@click.option("--fix-only", is_flag=True, help="Make the fixes and say nothing of what is left.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 also when there are findings.")
@click.option("--no-report", is_flag=True, help="Leave out the per-layer table.")
@output_options
def check(targets: tuple[str, ...], select: tuple[str, ...], ignore: tuple[str, ...], **words: Any) -> None:
    """Walk models, read training code, and say what is wrong.

    TARGET is file.py:Class, file.py:Class(args), file.py:factory(), file.py:instance, pkg.mod:Class, or, with an
    input, a file.py with one model: shapelint imports and runs that code. A file.py, a notebook or a folder
    without an input is read for mistakes of training code; nothing of it is run.

    Exit code: 0 nothing at or above warning, 1 findings, 2 a target could not be checked. After --fix what is left
    counts; with --diff 1 says that there is something to change; with --fix-only findings do not count.
    """
    from shapelint.runner import Worker
    from shapelint.sources import is_source

    _require_known(targets, words)
    worker = Worker() if any(not is_source(target, targets, words) for target in targets) else None
    try:
        code = _run(targets, _words(select), _words(ignore), worker, words)
    except BaseException:
        if worker is not None:
            worker.kill()
        raise
    sys.exit(code)


def _require_known(targets: tuple[str, ...], words: dict[str, Any]) -> None:
    from shapelint.sources import is_source
    from shapelint.target import parse_target

    if len(targets) == 1 and not is_source(targets[0], targets, words):
        parse_target(targets[0])


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for value in values for word in value.split(",") if word.strip())


def _say_failed(outcomes: list[Any]) -> None:
    """To stderr, why a target could not be checked: where only changes are printed, nothing else says it."""
    from shapelint.render import Style

    for outcome in outcomes:
        if outcome.report.status == "failed":
            for diagnostic in outcome.report.diagnostics:
                click.echo(Style().finding_line(diagnostic), err=True)


def _run(targets: tuple[str, ...], select: Any, ignore: Any, worker: Any, words: dict[str, Any]) -> int:
    from shapelint.cli.fixing import Wish, make_fixes, say_diff
    from shapelint.config import load_config
    from shapelint.render import Fixes, Style, render, write
    from shapelint.request import Request
    from shapelint.rules import catalogue
    from shapelint.runner import run_all
    from shapelint.sources import is_source

    config = load_config()
    outputs = wanted_outputs(words["output_format"], words["output_file"], config["output-format"])
    selected = catalogue().selection(config.pick("select", select), config.pick("ignore", ignore))
    outcomes: list[Any] = []
    requests: list[Any] = []
    asked: list[Any] = []
    for target in targets:
        try:
            if is_source(target, targets, words):
                request = Request(target, selected=tuple(sorted(selected)), source=True)
            else:
                request = request_for(target, config, words, selected=tuple(sorted(selected)))
        except UsageError as error:
            if len(targets) == 1:
                raise
            outcomes.append(_unusable(target, error))
            asked.append(None)
            continue
        requests.append(request)
        asked.append(request)
        outcomes.append(None)
    started = time.time()
    finished = iter(run_all(requests, worker))
    outcomes = [outcome if outcome is not None else next(finished) for outcome in outcomes]
    if worker is not None and not any(not request.source for request in requests):
        worker.kill()
    wish, made = Wish.of(words), 0
    if wish.fix:
        outcomes, made, diff = make_fixes(wish, asked, outcomes, started)
        failed = any(outcome.report.status == "failed" for outcome in outcomes)
        if wish.diff or wish.only:
            _say_failed(outcomes)
        if wish.diff:
            say_diff(diff, made)
            return 2 if failed else int(bool(diff))
        if wish.only:
            return 2 if failed else 0
    fixes = Fixes(made, wish.unsafe, wish.fix)
    for chosen, file in outputs:
        style = Style.of(words["color"], file)
        write(render(chosen, outcomes, style, not words["no_report"], fixes), file, style)
    return exit_code(outcomes, words["exit_zero"])


def _unusable(target: str, error: UsageError) -> Any:
    from shapelint.diagnostics import TargetReport
    from shapelint.rules.gaps.target_not_loadable import not_loadable
    from shapelint.runner import Outcome

    diagnostic = not_loadable(str(error), None, "").with_target(target)
    return Outcome(TargetReport(target, status="failed", diagnostics=[diagnostic]))


def exit_code(outcomes: list[Any], exit_zero: bool) -> int:
    """2 where a target could not be checked, 1 where there are findings at or above warning."""
    if any(outcome.report.status == "failed" for outcome in outcomes):
        return 2
    found = any(d.severity.value in ("error", "warning") for outcome in outcomes for d in outcome.report.diagnostics)
    return 1 if found and not exit_zero else 0
