"""`shapelint check`."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from shapelint.asked.formats import CHECK_FORMATS
from shapelint.asked.request import Read, Walk
from shapelint.cli import say
from shapelint.cli.options import (
    TakesInputs,
    affected,
    chosen_rules,
    config_options,
    configured,
    configured_targets,
    ignored_in,
    input_options,
    output_options,
    patterns,
    request_for,
    wanted_outputs,
)
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import Status


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
    help=f"{', '.join(CHECK_FORMATS[:-1])} or {CHECK_FORMATS[-1]}; several with files.  [full]",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Make the safe fixes: no weight changes shape, no working path its result.",
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
    "--fix-only", is_flag=True, help="Make the fixes and say nothing of what is left."
)
@click.option(
    "--baseline", metavar="FILE", help="Findings in this file are known and not shown."
)
@click.option(
    "--update-baseline", is_flag=True, help="Write what is found into the baseline."
)
@click.option(
    "--add-ignores",
    is_flag=True,
    help="Put a comment that suppresses it beside every finding.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    help="Least severity for code 1.  [warning]",
)
@click.option(
    "--changed",
    is_flag=True,
    help="TARGETs are changed files: check what they are part of, read them.",
)
@click.option(
    "--show-settings",
    is_flag=True,
    help="Print the settings in force and where they are from, and stop.",
)
@click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 also when there are findings."
)
@click.option("--no-report", is_flag=True, help="Leave out the per-layer table.")
@output_options
def check(
    targets: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    **words: Any,
) -> None:
    """Walk models, read training code, and say what is wrong.

    TARGET is file.py:Class, file.py:Class(args), file.py:factory(), file.py:instance,
    pkg.mod:Class, or, with an input, a file.py with one model: shapelint imports and
    runs that code. A file.py, a notebook or a folder without an input is read for
    mistakes of training code; nothing of it is run. Without a TARGET those of the
    configuration are checked, and the training code in its folder.

    Exit code: 0 nothing at or above warning, 1 findings, 2 a target or a file could not
    be checked, or not to its end; --fail-on sets another severity. After --fix what is
    left counts; with --diff 1 says that there is something to change; with --fix-only
    findings do not count."""
    from shapelint.asked.config import load_config
    from shapelint.asked.source_words import is_source
    from shapelint.process.runner import Worker

    _require_consistent(words)
    config = load_config(given=words["config"], isolated=words["isolated"])
    if words["show_settings"]:
        say(settings(config), nl=False)
        return
    if not words["baseline"] and config["baseline"]:
        words["baseline"] = config.path(config["baseline"])
    if words["update_baseline"] and not words["baseline"]:
        raise UsageError("`--update-baseline` needs `--baseline FILE`")
    if words["changed"]:
        _require_no_inputs(words)
        targets = affected(config, targets)
        if not targets:
            return
    if not targets:
        _require_no_inputs(words)
        words["alone"] = True
        targets = configured_targets(config)
    _require_known(targets, words)
    worker = (
        Worker()
        if any(not is_source(target, targets, words) for target in targets)
        else None
    )
    try:
        code = _run(targets, _words(select), _words(ignore), worker, words, config)
    except BaseException:
        if worker is not None:
            worker.kill()
        raise
    sys.exit(code)


def _require_known(targets: tuple[str, ...], words: dict[str, Any]) -> None:
    from shapelint.asked.source_words import is_source
    from shapelint.asked.target import parse_target

    if len(targets) == 1 and not is_source(targets[0], targets, words):
        parse_target(targets[0])


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for value in values for word in value.split(",") if word.strip())


def _say_failed(outcomes: list[Any]) -> None:
    """To stderr, why a target could not be checked: where only changes are printed,
    nothing else says it."""
    from shapelint.render.style import Style

    for outcome in outcomes:
        if outcome.report.status is Status.FAILED:
            for diagnostic in outcome.report.diagnostics:
                say(Style().finding_line(diagnostic), err=True)


def _require_no_inputs(words: dict[str, Any]) -> None:
    if words["inputs"] or words["input_factory"]:
        raise UsageError(
            "an input, but no target to feed it to; write `shapelint check model.py:Net --input ...`"
        )


def settings(config: Any) -> str:
    """The settings in force, as TOML would say them, and where they are from."""
    from shapelint.facts.escape import json_text

    lines = [
        f"# from {config.file}"
        if config.file is not None
        else "# defaults; no configuration was found"
    ]
    lines += [
        f"{name} = {json_text(value)}"
        for name, value in config.values.items()
        if name != "targets"
    ]
    for table in config["targets"]:
        lines += [
            "",
            "[[targets]]",
            *(f"{name} = {json_text(value)}" for name, value in table.items() if value),
        ]
    return "\n".join(lines) + "\n"


def _run(
    targets: tuple[str, ...],
    select: Any,
    ignore: Any,
    worker: Any,
    words: dict[str, Any],
    config: Any,
) -> int:
    from shapelint.asked.formats import PICTURES
    from shapelint.cli.fixing import Wish, make_fixes, say_diff, say_right_inputs
    from shapelint.cli.progress import Progress
    from shapelint.known.baseline import read as read_baseline
    from shapelint.known.baseline import without_known
    from shapelint.known.unused_suppressions import with_unused
    from shapelint.picture.graphviz import require_graphviz
    from shapelint.process.runner import run_all
    from shapelint.render import findings_only, has_quiet_form, render, write
    from shapelint.render.style import Fixes, Style

    known = (
        read_baseline(words["baseline"])
        if words["baseline"] and not words["update_baseline"]
        else {}
    )
    outputs = wanted_outputs(
        words["output_format"], words["output_file"], config["output-format"]
    )
    words["picture"] = any(name in PICTURES for name, _ in outputs)
    asked, unusable = _asked(targets, config, words, select, ignore)
    if words["verbose"]:
        say_setting(config)
    if words.get("alone") and not config["targets"] and not words["quiet"]:
        say(
            "no [[tool.shapelint.targets]]: training code is read, and no model walked; `shapelint init` finds models",
            err=True,
        )
    selected = [request.selected if request is not None else () for request in asked]
    requests = [request for request in asked if request is not None]
    if any(isinstance(request, Walk) and request.picture for request in requests):
        require_graphviz()
    started = time.time()
    with Progress(len(requests), words["quiet"], words["verbose"]) as progress:
        finished = iter(run_all(requests, worker, progress.step))
    outcomes = [
        next(finished) if request is not None else unusable[at]
        for at, request in enumerate(asked)
    ]
    outcomes = with_unused(outcomes, selected)
    if worker is not None and not any(
        isinstance(request, Walk) for request in requests
    ):
        worker.kill()
    wish, made = Wish.of(words), 0
    if words["update_baseline"] or words["add_ignores"]:
        return _accepted(outcomes, words, started)
    if wish.fix:
        outcomes, made, diff = make_fixes(wish, asked, outcomes, started)
        outcomes = with_unused(outcomes, selected) if not wish.diff else outcomes
        failed = any(outcome.report.status is Status.FAILED for outcome in outcomes)
        if wish.diff or wish.only:
            _say_failed(outcomes)
        outcomes = without_known(outcomes, known)
        say_right_inputs(outcomes)
        if wish.diff:
            say_diff(diff, made)
            return 2 if failed else int(bool(diff))
        if wish.only:
            return 2 if failed else 0
    else:
        outcomes = without_known(outcomes, known)
    fixes = Fixes(made, wish.unsafe, wish.fix)
    for chosen, file in outputs:
        style = Style.of(words["color"], file)
        is_quiet = words["quiet"] and has_quiet_form(chosen)
        report = not (words["no_report"] or words["quiet"])
        text = (
            findings_only(chosen, outcomes, style)
            if is_quiet
            else render(chosen, outcomes, style, report, fixes)
        )
        write(text, file, style)
    return exit_code(
        outcomes, words["exit_zero"], config.pick("fail-on", words["fail_on"])
    )


def say_setting(config: Any) -> None:
    """To stderr: the versions, and where the configuration is from."""
    import importlib.metadata
    import platform

    from shapelint import __version__

    torch = importlib.metadata.version("torch")
    say(
        f"shapelint {__version__}, torch {torch}, Python {platform.python_version()}",
        err=True,
    )
    where = (
        f"settings from {config.file}"
        if config.file is not None
        else "no configuration was found"
    )
    say(where, err=True)


def _asked(
    targets: tuple[str, ...],
    config: Any,
    words: dict[str, Any],
    select: Any,
    ignore: Any,
) -> Any:
    """A request for each target, and by their positions the outcomes of those that
    cannot be used."""
    asked: list[Any] = []
    unusable: dict[int, Any] = {}
    off = ignored_in(config)
    for at, target in enumerate(targets):
        selected = chosen_rules(config, select, ignore, target)
        request = _request(
            target, targets, config, words, {"selected": selected, "ignored_in": off}
        )
        if isinstance(request, UsageError):
            if len(targets) == 1:
                raise request
            unusable[at] = _unusable(target, request)
        asked.append(None if isinstance(request, UsageError) else request)
    return asked, unusable


def _request(
    target: str, targets: tuple[str, ...], config: Any, words: Any, more: dict[str, Any]
) -> Any:
    """The request for a target, or why there can be none."""
    from shapelint.asked.source_words import is_source

    try:
        if is_source(target, targets, words) and not configured(config, target):
            return Read(target, exclude=patterns(config, config["exclude"]), **more)
        return request_for(target, config, words, picture=words["picture"], **more)
    except UsageError as error:
        return error


def _accepted(outcomes: list[Any], words: dict[str, Any], started: float) -> int:
    """What was found becomes known: in a baseline, or by a comment at its line."""
    from shapelint.cli.ignoring import add_ignores
    from shapelint.known import baseline

    _say_failed(outcomes)
    if words["update_baseline"]:
        count = baseline.write(words["baseline"], outcomes)
        say(
            f"{count} finding{'s' if count != 1 else ''} written to `{words['baseline']}`"
        )
    else:
        made, without = add_ignores(outcomes, started)
        say(f"{made} ignore{'s' if made != 1 else ''} added")
        if without:
            say(
                f"{without} finding{'s' if without != 1 else ''} without a line to write at",
                err=True,
            )
    return (
        2 if any(outcome.report.status is Status.FAILED for outcome in outcomes) else 0
    )


def _require_consistent(words: dict[str, Any]) -> None:
    changing = [
        name
        for name in ("fix", "diff", "fix_only", "update_baseline", "add_ignores")
        if words[name]
    ]
    if {"update_baseline", "add_ignores"} & set(changing) and len(changing) > 1:
        first, second = (f"--{name.replace('_', '-')}" for name in changing[:2])
        raise UsageError(f"`{first}` and `{second}` cannot both be done")
    if words["quiet"] and words["verbose"]:
        raise UsageError("`--quiet` and `--verbose` cannot both be done")


def _unusable(target: str, error: UsageError) -> Any:
    from shapelint.facts.outcome import Outcome, TargetReport
    from shapelint.rules.gaps.target_not_loadable import not_loadable

    diagnostic = not_loadable(str(error), None, "").with_target(target)
    return Outcome(TargetReport(target, status=Status.FAILED, diagnostics=[diagnostic]))


def exit_code(outcomes: list[Any], exit_zero: bool, fail_on: str = "warning") -> int:
    """2 where something could not be checked, 1 where there are findings at or above a
    severity."""
    from shapelint.facts.diagnostics import Severity

    if any(_is_unchecked(outcome) for outcome in outcomes):
        return 2
    least = Severity(fail_on).rank
    found = any(
        item.severity.rank <= least
        for outcome in outcomes
        for item in outcome.report.diagnostics
    )
    return 1 if found and not exit_zero else 0


def _is_unchecked(outcome: Any) -> bool:
    """Whether a target, or a file of one, could not be checked, or not to its end: that
    is not a finding."""
    report = outcome.report
    is_unchecked = any(item.is_unchecked for item in report.diagnostics)
    return (
        report.status is Status.FAILED
        or report.unfinished
        or outcome.fault is not None
        or is_unchecked
    )
