"""One target, start to end: load, walk in its modes, rules, verified fixes, report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from shapelint.asked.request import Walk
from shapelint.asked.target import Target, parse_target
from shapelint.checking.merging import run_rules
from shapelint.facts.diagnostics import Diagnostic, Edit, Severity
from shapelint.facts.errors import OutOfTimeError, UsageError
from shapelint.facts.findings import Finding
from shapelint.facts.graph import Trace, ValueFact, Walked
from shapelint.facts.kinds import Mode, Status
from shapelint.facts.outcome import TargetReport
from shapelint.facts.rows import rows_of, totals_of
from shapelint.fixes.construction import refused
from shapelint.fixes.passes import Copy, beyond, together
from shapelint.fixes.search import WORK, Causes
from shapelint.fixes.verify import Verifier, out_of_time
from shapelint.known.suppressions import quieten
from shapelint.loading.model import Loaded, NotLoadableError, load
from shapelint.loading.model_inputs import Feed, feed_for, require_fitting, specs_of
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.edits import try_edits
from shapelint.syntax.texts import DISK, Texts
from shapelint.tracing.costs import (
    Budget,
    generous_budget,
    small_budget,
    trial_budget,
    walk_budget,
)
from shapelint.tracing.failures import Unwanted
from shapelint.tracing.members import cycles_of, is_initialised, modules_of
from shapelint.tracing.session import fake_tensors_in_use
from shapelint.tracing.walk import MAX_RETRIES, Walker, never, param_facts

SEARCHING = 0.8
"""Of the time for a target, after which no further change is tried."""

NOT_ALL_FIXES = "fixes were not looked for to the end, for lack of time (--timeout)"

PASSES = 6
"""Looks at one target, each with the bug mended that the one before explained."""

ALL_WORK = 3 * WORK
"""Of all searches for one target, beyond which no further bug is looked for behind
those that were mended."""

TRIAL_RETRIES = 1
"""Walks spent on the choice of candidate shapes while many changes are tried."""

FALLBACK_PARAMS = 100_000_000
"""Models up to this size are walked again with real tensors where shapes alone do not
suffice."""


def verification_budget() -> Budget:
    """For trying a fix, of which there are many, and some make a model larger.

    Once fake tensors had to be imported, they are the faster way.
    """
    return small_budget() if fake_tensors_in_use() else trial_budget()


def _no_step(step: str) -> None:
    del step


def _no_report(report: TargetReport) -> None:
    del report


def check(
    request: Walk,
    on_step: Callable[[str], None] = _no_step,
    on_walked: Callable[[TargetReport], None] = _no_report,
    started: float | None = None,
) -> TargetReport:
    """All that is to be said of one target. `on_step` is told what is about to be done
    (`shapelint.asked.request.STEPS`).

    `on_walked` gets the report of the walk, before the search for fixes. `started`:
    when the time for the target began (monotonic seconds; default: now).

    Raises:
        UsageError: the words of the request cannot be used.
    """
    started = time.monotonic() if started is None else started
    target = parse_target(request.target)
    copy, texts = Copy(), DISK.with_copies(request.texts)
    first = seen = _one_pass(request, target, texts, started, 0, on_step, on_walked)
    report, found = first.report, list(first.report.diagnostics)
    for number in range(1, PASSES):
        mended = None
        if (
            seen.further
            and seen.work < ALL_WORK
            and not out_of_time(started + request.seconds * SEARCHING)
        ):
            mended = try_edits(texts, seen.further)
        if mended is None:
            break
        before, texts = seen, mended
        is_last = number == PASSES - 1
        seen = _one_pass(request, target, texts, started, before.work, last=is_last)
        if seen.report.status is Status.FAILED:
            seen = before
            break
        copy = copy.and_then(before.further)
        is_first = not before.report.rows and bool(seen.report.rows)
        found = together(found, before.waiting, seen.report.diagnostics, copy, is_first)
        if len(seen.report.rows) > len(report.rows):
            report = seen.report
    report.diagnostics = together(found, seen.waiting, seen.waiting, copy)
    if first.report.status is Status.PARTIAL and report.status is Status.CHECKED:
        report.status = Status.PARTIAL
    return quieten(report, request.ignored_in, DISK.with_copies(request.texts))


@dataclass
class _Pass:
    """One look at a target: what it found, what it leaves to the next, and with which
    edits that is to look."""

    report: TargetReport
    further: tuple[Edit, ...] = ()
    waiting: list[Diagnostic] = field(default_factory=list)
    work: int = 0


def _one_pass(
    request: Walk,
    target: Target,
    texts: Texts,
    started: float,
    work: int,
    on_step: Callable[[str], None] = _no_step,
    on_walked: Callable[[TargetReport], None] = _no_report,
    last: bool = False,
) -> _Pass:
    """One look; `work`: what the search has cost before; `last`: nothing is left to a
    next one."""
    report = TargetReport(
        request.target, inputs=[ValueFact(text) for text in request.inputs]
    )
    deadline = started + request.seconds * SEARCHING
    try:
        return _checked(
            request, target, texts, report, deadline, work, on_step, on_walked, last
        )
    except OutOfTimeError as error:
        return _Pass(_cut_short(report, str(error)), work=work)
    except NotLoadableError as error:
        diagnostic, mended = refused(request, target, texts, error, deadline)
        report.status = Status.FAILED if diagnostic.is_unchecked else Status.PARTIAL
        report.diagnostics = [diagnostic.with_target(request.target)]
        return _Pass(report, mended, [], work)
    except UsageError as error:
        report.status = Status.FAILED
        report.diagnostics = [
            not_loadable(str(error), None, "").with_target(request.target)
        ]
        return _Pass(report)


def _checked(
    request: Walk,
    target: Target,
    texts: Texts,
    report: TargetReport,
    deadline: float,
    work: int,
    on_step: Callable[[str], None],
    on_walked: Callable[[TargetReport], None],
    last: bool,
) -> _Pass:
    on_step("loading")
    loaded = load(target, texts)
    feed = feed_for(loaded, request.inputs, request.input_factory)
    require_fitting(loaded, feed)
    traces = walk_modes(
        loaded, feed, request.modes, deadline, walk_budget, on_step=on_step
    )
    budget_again = verification_budget
    if _needs_real_values(loaded, traces):
        budget_again = generous_budget
        loaded = load(target, texts, budget=generous_budget)
        feed = feed_for(loaded, request.inputs, request.input_factory)
        traces = walk_modes(loaded, feed, request.modes, deadline, generous_budget)
        report.notes.append(
            "walked with real CPU tensors: shapes alone did not suffice"
        )

    def walked_of(model: Loaded, seen: dict[Mode, Trace]) -> Walked:
        return describe(request, model, seen, feed)

    def findings_of(model: Loaded, seen: dict[Mode, Trace]) -> list[Finding]:
        return run_rules(walked_of(model, seen), set(request.selected))

    def walk_again(model: Loaded, other: Feed, until: float) -> dict[Mode, Trace]:
        return {
            mode: screened(model, other, until, mode, never) for mode in request.modes
        }

    def screened(
        model: Loaded, other: Feed, until: float, mode: Mode, unwanted: Unwanted
    ) -> Trace:
        is_trial = unwanted is not never
        walker = walker_of(
            model,
            other,
            budget_again,
            until,
            TRIAL_RETRIES if is_trial else MAX_RETRIES,
        )
        walker.disposable = is_trial
        with model.importable():
            return walker.walk(mode, traces[mode].choices, unwanted)

    walked = walked_of(loaded, traces)
    findings = run_rules(walked, set(request.selected))
    report.diagnostics = _in_order(
        request, [finding.diagnostic for finding in findings]
    )
    fill_report(report, walked, loaded, feed)
    on_walked(report)
    verifier = Verifier(
        target, loaded, feed, walked, deadline, walk_again, screened, findings_of, work
    )
    on_step("looking for causes")
    causes = Causes(verifier, one_by_one=not last)
    if request.fixes:
        report.diagnostics = _in_order(request, causes.explained(findings))
        count_calls(report, walked)
    if causes.cut_short:
        report.notes.append(NOT_ALL_FIXES)
    _draw(request, report, walked, loaded, feed)
    further = causes.mended or (
        beyond(walked, report.diagnostics) if request.fixes else ()
    )
    waiting = [
        finding.diagnostic.with_target(request.target) for finding in causes.waiting
    ]
    return _Pass(report, further, waiting, verifier.work)


def _draw(
    request: Walk, report: TargetReport, walked: Walked, loaded: Loaded, feed: Feed
) -> None:
    """The picture and the module tree, where they are wanted."""
    if request.picture:
        from shapelint.picture.blocks import picture_of

        report.picture = picture_of(walked, shown_trace(walked))
    if request.tree:
        from shapelint.checking.module_tree import module_tree

        report.tree = module_tree(loaded, feed, request.modes[-1])


def walk_modes(
    loaded: Loaded,
    feed: Feed,
    modes: tuple[Mode, ...],
    deadline: float,
    budget: Callable[[], Budget],
    retries: int = MAX_RETRIES,
    on_step: Callable[[str], None] = _no_step,
) -> dict[Mode, Trace]:
    """A trace for each mode, each from the same clean model; `retries` as in the walk.

    None for the modes after one in which time was over.
    """
    walker = walker_of(loaded, feed, budget, deadline, retries)
    traces: dict[Mode, Trace] = {}
    with loaded.importable():
        for mode in modes:
            if any(trace.out_of_time for trace in traces.values()):
                break
            on_step(f"walking in {mode} mode")
            traces[mode] = walker.walk(mode)
    return traces


def walker_of(
    loaded: Loaded,
    feed: Feed,
    budget: Callable[[], Budget],
    deadline: float,
    retries: int,
) -> Walker:
    """What walks a loaded model."""
    return Walker(
        loaded.model,
        feed.make,
        loaded.ownership,
        loaded.definitions.of,
        budget,
        deadline,
        retries,
    )


def _needs_real_values(loaded: Loaded, traces: dict[Mode, Trace]) -> bool:
    """Whether a walk with stand-ins ended early or in doubt, of a model that fits."""
    if (
        sum(param.numel for param in param_facts(loaded.model).values())
        > FALLBACK_PARAMS
    ):
        return False
    return any(
        (trace.used_fake or loaded.used_fake)
        and (
            trace.raised is not None
            or any(call.failure and _in_doubt(trace) for call in trace.failures)
        )
        for trace in traces.values()
    )


def _in_doubt(trace: Trace) -> bool:
    return trace.uncertain or any(
        call.failure and not call.failure.certain for call in trace.failures
    )


def describe(
    request: Walk, loaded: Loaded, traces: dict[Mode, Trace], feed: Feed
) -> Walked:
    """What rules may look at."""
    for trace in traces.values():
        if trace.uncertain:
            for call in trace.failures:
                if call.failure is not None:
                    call.failure.certain = False
    params = param_facts(loaded.model)
    for trace in traces.values():
        params.update(trace.late_params)
    modules = dict(modules_of(loaded.model))
    return Walked(
        request.target,
        traces,
        params,
        {name: loaded.definitions.of(module) for name, module in modules.items()},
        {name: _known_class(module) for name, module in modules.items()},
        loaded.texts,
        request.thresholds,
        tuple(spec.spelling for spec in specs_of(feed)),
        {name: _home(module) for name, module in modules.items()},
        request.expect,
        tuple(name for name, module in modules.items() if not is_initialised(module)),
        tuple(cycles_of(loaded.model)),
    )


def _home(module: torch.nn.Module) -> tuple[str, str]:
    """File and name of a module's class."""
    file = getattr(sys.modules.get(type(module).__module__), "__file__", None)
    code = getattr(type(module).__init__, "__code__", None)
    return (
        file or (code.co_filename if code is not None else ""),
        type(module).__name__,
    )


def _known_class(module: torch.nn.Module) -> str:
    """The class of a module whose constructor is torch's own, so that its arguments are
    known; else nothing."""
    home = getattr(type(module).__init__, "__module__", "")
    return type(module).__name__ if home.startswith("torch.") else ""


def _in_order(request: Walk, found: list[Diagnostic]) -> list[Diagnostic]:
    """The findings of a target, the worst first."""
    kept = [item.with_model_kept().with_target(request.target) for item in found]
    return sorted(kept, key=lambda item: item.sort_key)


def _cut_short(report: TargetReport, why: str) -> TargetReport:
    """What there is of a target whose time was over outside of any walk."""
    if report.rows or report.diagnostics:
        report.notes.append(NOT_ALL_FIXES)
        return report
    report.status = Status.FAILED
    report.diagnostics = [
        not_loadable(why, None, "raise the limit with --timeout").with_target(
            report.target
        )
    ]
    return report


def shown_trace(walked: Walked) -> Trace:
    """The walk that table and picture show."""
    return walked.traces.get(Mode.EVAL) or next(iter(walked.traces.values()))


def fill_report(
    report: TargetReport, walked: Walked, loaded: Loaded, feed: Feed
) -> None:
    """Rows, totals and status. The eval walk is what is shown, where there is one."""
    trace = shown_trace(walked)
    report.inputs = trace.inputs
    report.output = trace.output
    report.rows = rows_of(walked, trace)
    report.totals = totals_of(walked, trace)
    if feed.note:
        report.notes.append(feed.note)
    if trace.used_fake or loaded.used_fake:
        report.notes.append("walked with shapes where values would not fit")
    report.unfinished = any(one.out_of_time for one in walked.traces.values())
    count_calls(report, walked)
    ended = any(one.raised is not None for one in walked.traces.values())
    gaps = any(
        finding.is_gap and finding.severity is not Severity.INFO
        for finding in report.diagnostics
    )
    report.status = Status.PARTIAL if ended or gaps else Status.CHECKED


def count_calls(report: TargetReport, walked: Walked) -> None:
    """How many calls were followed, and how many of them could not be judged."""
    trace = shown_trace(walked)
    doubtful = sum(
        1
        for call in trace.failures
        if call.failure is not None and not call.failure.certain
    )
    report.calls_unchecked = doubtful + sum(
        finding.is_gap for finding in report.diagnostics
    )
    report.calls_checked = len(trace.calls) - doubtful
