"""One look at a target: load it, walk it in its modes, run the rules, verify fixes and
fill the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shapelint.asked.request import Walk
from shapelint.asked.target import Target
from shapelint.checking.merging import run_rules
from shapelint.checking.target_report import (
    count_calls,
    cut_report_short,
    draw_walk,
    fail_report,
    fill_report,
    put_in_order,
)
from shapelint.facts.diagnostics import Diagnostic, Edit
from shapelint.facts.errors import OutOfTimeError, UsageError
from shapelint.facts.findings import Finding
from shapelint.facts.graph import Trace
from shapelint.facts.kinds import Mode, Status
from shapelint.facts.outcome import TargetReport
from shapelint.facts.tensors import ValueFact
from shapelint.facts.walked_target import Walked
from shapelint.fixes.construction import explain_refusal
from shapelint.fixes.further_edits import edits_to_see_further
from shapelint.fixes.search import Causes
from shapelint.fixes.searched import Searched
from shapelint.fixes.verify import Verifier
from shapelint.loading.model_inputs import require_fitting
from shapelint.loading.not_loadable import NoTimeToLoadError, NotLoadableError
from shapelint.loading.walkable import Walkable, load_walkable
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.texts import Texts
from shapelint.tracing.costs import Budget, generous_budget, small_budget, trial_budget
from shapelint.tracing.fake_tensors import fake_tensors_in_use
from shapelint.tracing.members import param_facts
from shapelint.tracing.same_walk import is_same_walk

FALLBACK_PARAMS = 100_000_000
"""Models with at most this many parameters are walked again with real tensors if shapes
alone are not enough."""


def verification_budget() -> Budget:
    """The budget for trying a fix. There are many fixes, and some enlarge the model.

    Once fake tensors are imported, a smaller budget is faster."""
    return small_budget() if fake_tensors_in_use() else trial_budget()


def ignore_step(step: str) -> None:
    """Ignore the steps of the check."""
    del step


def ignore_report(report: TargetReport) -> None:
    """Ignore the report that precedes the search for fixes."""
    del report


@dataclass(frozen=True)
class Look:
    """The arguments of one look at a target.

    `texts`: the files, with edits. `deadline`: when the search ends (monotonic
    seconds). `work`: the cost of the earlier searches. `is_last`: nothing is left to
    another look. `searched`: how far all looks came. `on_step` and `on_walked`: as in `check`."""

    request: Walk
    target: Target
    texts: Texts
    deadline: float
    work: int = 0
    is_last: bool = False
    searched: Searched = field(default_factory=Searched)
    on_step: Callable[[str], None] = ignore_step
    on_walked: Callable[[TargetReport], None] = ignore_report


@dataclass
class LookResult:
    """The result of one look: its report, the findings left to the next look, the edits
    with which that look begins, and whether what only that look shows is the user's."""

    report: TargetReport
    further: tuple[Edit, ...] = ()
    waiting: list[Diagnostic] = field(default_factory=list)
    work: int = 0
    is_sure: bool = True


def look_once(look: Look) -> LookResult:
    """Look at a target once."""
    request = look.request
    inputs = [ValueFact(text) for text in request.inputs]
    report = TargetReport(request.target, inputs=inputs)
    try:
        return _look(look, report)
    except OutOfTimeError as error:
        look.searched.is_late = True
        return LookResult(cut_report_short(report, str(error)), work=look.work)
    except NotLoadableError as error:
        # of the file as it lies, the finding says it
        is_late = isinstance(error, NoTimeToLoadError) and look.work > 0
        look.searched.is_late = look.searched.is_late or is_late
        diagnostic, edits = explain_refusal(
            request, look.target, look.texts, error, look.deadline, look.searched
        )
        fail_report(report, diagnostic)
        if not diagnostic.is_unchecked:
            report.status = Status.PARTIAL
        return LookResult(report, edits, work=look.work)
    except UsageError as error:
        return LookResult(fail_report(report, not_loadable(str(error), None, "")))


def _look(look: Look, report: TargetReport) -> LookResult:
    request, selected = look.request, set(look.request.selected)
    walkable, traces = _walk(look, report)
    walked = walkable.describe(request, traces)
    findings = run_rules(walked, selected)
    report.diagnostics = _list_in_order(request, findings)
    fill_report(report, walked, walkable, request.modes)
    # all that follows may use up the time, so the walks are reported before it
    look.on_walked(report)
    with_origins = _with_origins(look, walkable, traces)
    if with_origins is not None:
        walked = with_origins
        findings = run_rules(walked, selected)
        report.diagnostics = _list_in_order(request, findings)

    verifier = _make_verifier(look, walkable, walked)
    look.on_step("looking for causes")
    causes = Causes(verifier, one_by_one=not look.is_last)
    further: tuple[Edit, ...] = ()
    if request.fixes:
        report.diagnostics = put_in_order(request.target, causes.explain(findings))
        count_calls(report, walked)
        further = causes.mended or edits_to_see_further(walked, report.diagnostics)
    _draw(request, report, walked, walkable)
    waiting = [
        finding.diagnostic.with_target(request.target) for finding in causes.waiting
    ]
    return LookResult(report, further, waiting, verifier.work, causes.is_sure)


def _make_verifier(look: Look, walkable: Walkable, walked: Walked) -> Verifier:
    request, selected = look.request, set(look.request.selected)

    def find(changed: Walkable, after: dict[Mode, Trace]) -> list[Finding]:
        return run_rules(changed.describe(request, after), selected)

    is_generous = walkable.budget is generous_budget
    return Verifier(
        look.target,
        walkable,
        walked,
        look.deadline,
        generous_budget if is_generous else verification_budget,
        find,
        look.work,
        look.searched,
    )


def _list_in_order(request: Walk, findings: list[Finding]) -> list[Diagnostic]:
    return put_in_order(request.target, [finding.diagnostic for finding in findings])


def _with_origins(
    look: Look, walkable: Walkable, traces: dict[Mode, Trace]
) -> Walked | None:
    """The same walks with numbers that know where they come from, if anything failed;
    None where that cannot be had, or where they would be others."""
    if not any(trace.failure_count for trace in traces.values()):
        return None
    if any(trace.out_of_time for trace in traces.values()):
        look.searched.is_late = True  # nothing would end another walk
        return None
    try:
        traced = load_walkable(
            look.request, look.target, look.texts, walkable.budget, with_origins=True
        )
        others = traced.walk_modes(tuple(traces))
    except (NotLoadableError, UsageError) as error:
        look.searched.is_late = isinstance(error, NoTimeToLoadError)
        return None
    if others.keys() != traces.keys():
        return None
    if any(not is_same_walk(traces[mode], others[mode]) for mode in traces):
        return None
    return traced.describe(look.request, others)


def _walk(look: Look, report: TargetReport) -> tuple[Walkable, dict[Mode, Trace]]:
    """The model and its walk in every mode: with shapes if they are enough, otherwise
    with real tensors."""
    request = look.request
    look.on_step("loading")
    walkable = load_walkable(request, look.target, look.texts)
    require_fitting(walkable.loaded, walkable.inputs)
    traces = walkable.walk_modes(request.modes, look.on_step)
    if not _needs_real_values(walkable, traces):
        return walkable, traces
    # loaded anew, since weights may have been replaced by shapes when it was made
    walkable = load_walkable(request, look.target, look.texts, generous_budget)
    traces = walkable.walk_modes(request.modes)
    report.notes.append("walked with real CPU tensors: shapes alone did not suffice")
    return walkable, traces


def _needs_real_values(walkable: Walkable, traces: dict[Mode, Trace]) -> bool:
    """Whether a walk with stand-ins ended early or is in doubt, and the model is small
    enough to be walked with real tensors."""
    params = param_facts(walkable.loaded.model).values()
    if sum(param.numel for param in params) > FALLBACK_PARAMS:
        return False
    return any(
        (trace.used_fake or walkable.loaded.used_fake) and _is_in_doubt(trace)
        for trace in traces.values()
    )


def _is_in_doubt(trace: Trace) -> bool:
    """Whether a walk ended early, or has a failure that may not be real."""
    if trace.raised is not None:
        return True
    failures = [call.failure for call in trace.failures if call.failure is not None]
    if trace.uncertain:
        return bool(failures)
    return any(not failure.certain for failure in failures)


def _draw(
    request: Walk, report: TargetReport, walked: Walked, walkable: Walkable
) -> None:
    """Add the picture and the module tree, if they were requested."""
    if request.picture:
        draw_walk(report, walked)
    if request.tree:
        # torchinfo is imported only if its tree is wanted
        from shapelint.checking.module_tree import module_tree

        report.tree = module_tree(walkable, request.modes[-1])
