"""Runs `shapelint check`: from options to an exit code."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from shapelint.apply.rounds import CheckRequest
from shapelint.asked.formats import PICTURES
from shapelint.asked.request import Read, Walk
from shapelint.asked.settings import Config
from shapelint.asked.source_words import is_source
from shapelint.asked.target import parse_target
from shapelint.cli import say
from shapelint.cli.check_options import CheckOptions
from shapelint.cli.configured_targets import (
    choose_rules,
    codes_ignored_in,
    find_configured,
    make_patterns_absolute,
)
from shapelint.cli.exit_codes import CLEAN, FINDINGS, UNCHECKED, exit_code, has_failed
from shapelint.cli.fixing import make_fixes, say_diff, say_right_inputs
from shapelint.cli.ignoring import add_ignores
from shapelint.cli.outputs import Output, parse_outputs
from shapelint.cli.progress import Progress
from shapelint.cli.requests import walk_request
from shapelint.cli.shown_settings import say_settings
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.known import baseline
from shapelint.known.unused_suppressions import with_unused
from shapelint.picture.graphviz import require_graphviz
from shapelint.process.runner import Worker, run_all
from shapelint.render import findings_only, has_quiet_form, render, write
from shapelint.render.style import Fixes, Style
from shapelint.rules.gaps.target_not_loadable import not_loadable


@dataclass(frozen=True)
class _RequestedTarget:
    """A target and its request; if no request can be made, the outcome that says
    why."""

    request: CheckRequest | None
    unusable: Outcome | None = None

    @property
    def selected(self) -> tuple[str, ...]:
        """The rules that are on."""
        return self.request.selected if self.request is not None else ()


def run_check(options: CheckOptions, config: Config, is_alone: bool) -> int:
    """Check the targets, print the result, and return the exit code. `is_alone`: the
    command line named no target.

    Raises:
        UsageError: something cannot be done as asked for.
    """
    is_model = [not _is_source(target, options) for target in options.targets]
    if is_model == [True]:
        # A slip in the only target is said before a worker is started for it.
        parse_target(options.targets[0])
    # torch is imported in the worker while the requests are still being made
    worker = Worker() if any(is_model) else None
    try:
        return _run(options, config, worker, is_alone)
    except BaseException:
        if worker is not None:
            worker.kill()
        raise


def _run(
    options: CheckOptions, config: Config, worker: Worker | None, is_alone: bool
) -> int:
    known: baseline.Known = {}
    if options.baseline and not options.update_baseline:
        known = baseline.read(options.baseline)
    outputs = parse_outputs(
        options.output_format, options.output.output_file, config.output_format
    )
    asked = _ask(options, config, outputs)
    if options.output.verbose:
        say_settings(config)
    if is_alone and not config.targets and not options.output.quiet:
        say(
            "no [[tool.shapelint.targets]]: training code is read, and no model "
            "walked; `shapelint init` finds models",
            err=True,
        )
    # Not a monotonic clock: it is compared with when files were changed.
    started = time.time()
    outcomes = _check_all(options, asked, worker)
    if options.update_baseline or options.add_ignores:
        return _accept(outcomes, options, started)
    if options.wants_fixes:
        return _fix(options, config, asked, outcomes, outputs, known, started)
    outcomes = baseline.without_known(outcomes, known)
    return _report(options, config, outcomes, outputs, made=0)


# -- requests
# --------------------------------------------------------------------------------------


def _is_source(target: str, options: CheckOptions) -> bool:
    return is_source(target, options.targets, options.given.has_input, options.changed)


def _ask(
    options: CheckOptions, config: Config, outputs: list[Output]
) -> list[_RequestedTarget]:
    """Make a request for each target.

    Raises:
        UsageError: the only target cannot be used, or a word matches no rule.
    """
    ignored_in = codes_ignored_in(config)
    has_picture = any(name in PICTURES for name, _ in outputs)
    asked = []
    for target in options.targets:
        selected = choose_rules(config, options.select, options.ignore, target)
        try:
            request = _request(target, options, config)
        except UsageError as error:
            if len(options.targets) == 1:
                raise
            asked.append(_RequestedTarget(None, _unusable(target, error)))
            continue
        if isinstance(request, Walk):
            request = replace(request, picture=has_picture)
        request = replace(request, selected=selected, ignored_in=ignored_in)
        asked.append(_RequestedTarget(request))
    if has_picture and any(isinstance(each.request, Walk) for each in asked):
        require_graphviz()
    return asked


def _request(target: str, options: CheckOptions, config: Config) -> CheckRequest:
    is_configured = find_configured(config, target) is not None
    if _is_source(target, options) and not is_configured:
        exclude = make_patterns_absolute(config, config.exclude)
        return Read(target, exclude=exclude)
    return walk_request(target, config, options.given)


def _unusable(target: str, error: UsageError) -> Outcome:
    diagnostic = not_loadable(str(error), None, "").with_target(target)
    report = TargetReport(target, status=Status.FAILED, diagnostics=[diagnostic])
    return Outcome(report)


def _check_all(
    options: CheckOptions, asked: list[_RequestedTarget], worker: Worker | None
) -> list[Outcome]:
    requests = [each.request for each in asked if each.request is not None]
    output = options.output
    with Progress(len(requests), output.quiet, output.verbose) as progress:
        finished = iter(run_all(requests, worker, progress.step))
    # It was started for targets of which no request could be made.
    if worker is not None and not any(isinstance(each, Walk) for each in requests):
        worker.kill()
    outcomes = [each.unusable or next(finished) for each in asked]
    return with_unused(outcomes, [each.selected for each in asked])


# -- what is done with the findings
# --------------------------------------------------------------------------------------


def _accept(outcomes: list[Outcome], options: CheckOptions, started: float) -> int:
    """Accept all findings: write them into a baseline, or add a comment to each line.
    Return the exit code."""
    _say_failed(outcomes)
    if options.update_baseline:
        # `_with_baseline` has refused the one without the other
        assert options.baseline is not None
        count = baseline.write(options.baseline, outcomes)
        say(f"{count} finding{_plural(count)} written to `{options.baseline}`")
    else:
        made, without = add_ignores(outcomes, started)
        say(f"{made} ignore{_plural(made)} added")
        if without:
            say(
                f"{without} finding{_plural(without)} without a line to write at",
                err=True,
            )
    return UNCHECKED if has_failed(outcomes) else CLEAN


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


def _say_failed(outcomes: list[Outcome]) -> None:
    """Report on stderr why targets could not be checked. Needed if only changes are
    printed."""
    for outcome in outcomes:
        if outcome.report.status is Status.FAILED:
            for diagnostic in outcome.report.diagnostics:
                say(Style().finding_line(diagnostic), err=True)


def _fix(
    options: CheckOptions,
    config: Config,
    asked: list[_RequestedTarget],
    outcomes: list[Outcome],
    outputs: list[Output],
    known: baseline.Known,
    started: float,
) -> int:
    """Make the fixes, or print them as a diff, and report the remaining findings.
    Return the exit code."""
    requests = [each.request for each in asked]
    outcomes, made, diff = make_fixes(
        requests,
        outcomes,
        started,
        with_unsafe=options.unsafe_fixes,
        is_dry=options.diff,
    )
    if not options.diff:
        # Targets were checked again after the fixes; a diff does not show what is left.
        outcomes = with_unused(outcomes, [each.selected for each in asked])
    failed = has_failed(outcomes)
    if options.diff or options.fix_only:
        _say_failed(outcomes)
    outcomes = baseline.without_known(outcomes, known)
    say_right_inputs(outcomes)
    if options.diff:
        say_diff(diff, made)
        changed = FINDINGS if diff else CLEAN
        return UNCHECKED if failed else changed
    if options.fix_only:
        return UNCHECKED if failed else CLEAN
    return _report(options, config, outcomes, outputs, made)


def _report(
    options: CheckOptions,
    config: Config,
    outcomes: list[Outcome],
    outputs: list[Output],
    made: int,
) -> int:
    fixes = Fixes(made, options.unsafe_fixes, options.wants_fixes)
    for name, file in outputs:
        style = Style.of(options.output.color, file)
        if options.output.quiet and has_quiet_form(name):
            text = findings_only(name, outcomes, style)
        else:
            text = render(name, outcomes, style, options.has_report, fixes)
        write(text, file, style)
    return exit_code(outcomes, options.exit_zero, options.fail_on or config.fail_on)
