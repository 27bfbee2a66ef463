"""Fills the report on one target."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.graph import Trace
from shapelint.facts.kinds import Mode, Status
from shapelint.facts.outcome import TargetReport
from shapelint.facts.walked_target import Walked
from shapelint.loading.walkable import Walkable
from shapelint.ops.walked_rows import rows_of, totals_of
from shapelint.rules.gaps.target_not_loadable import not_loadable


def choose_shown_trace(walked: Walked) -> Trace:
    """The walk that table and picture show."""
    return walked.traces.get(Mode.EVAL) or next(iter(walked.traces.values()))


def fill_report(
    report: TargetReport, walked: Walked, walkable: Walkable, modes: tuple[Mode, ...]
) -> None:
    """Fill in rows, totals and status. The eval walk is shown, if there is one. `modes`:
    those that were asked for."""
    trace = choose_shown_trace(walked)
    report.inputs = trace.inputs
    report.output = trace.output
    report.rows = rows_of(walked, trace)
    report.totals = totals_of(walked, trace)
    if walkable.inputs.note:
        report.notes.append(walkable.inputs.note)
    if trace.used_fake or walkable.loaded.used_fake:
        report.notes.append("walked with shapes where values would not fit")
    report.unfinished = any(each.out_of_time for each in walked.traces.values())
    for mode in modes:
        if mode not in walked.traces:
            report.unfinished = True
            report.notes.append(
                f"not walked in {mode} mode, for lack of time (--timeout)"
            )
    count_calls(report, walked)
    is_partial = _has_ended_early(walked) or any(map(_is_end, report.diagnostics))
    report.status = Status.PARTIAL if is_partial else Status.CHECKED


def _has_ended_early(walked: Walked) -> bool:
    return any(trace.raised is not None for trace in walked.traces.values())


def _is_end(item: Diagnostic) -> bool:
    # a single call that could not be judged is an info, and does not end a walk
    return item.is_gap and item.severity is not Severity.INFO


def count_calls(report: TargetReport, walked: Walked) -> None:
    """Count the calls that were followed, and those that could not be judged."""
    trace = choose_shown_trace(walked)
    failures = [call.failure for call in trace.failures if call.failure is not None]
    doubtful = sum(not failure.certain for failure in failures)
    gaps = sum(item.is_gap for item in report.diagnostics)
    report.calls_unchecked = doubtful + gaps
    report.calls_checked = len(trace.calls) - doubtful


def draw_walk(report: TargetReport, walked: Walked) -> None:
    """Add the picture of the shown walk."""
    # slow, and needed where a picture is wanted only
    from shapelint.picture.blocks import picture_of

    report.picture = picture_of(walked, choose_shown_trace(walked))


def fail_report(report: TargetReport, diagnostic: Diagnostic) -> TargetReport:
    """Fill the report of a target that gave no model."""
    report.status = Status.FAILED
    report.diagnostics = [diagnostic.with_target(report.target)]
    return report


def cut_report_short(report: TargetReport, reason: str) -> TargetReport:
    """Fill the report of a target whose time ran out outside of any walk. What was
    walked before stays."""
    if report.rows or report.diagnostics:
        return report
    hint = "raise the limit with --timeout"
    return fail_report(report, not_loadable(reason, None, hint))


def put_in_order(target: str, found: list[Diagnostic]) -> list[Diagnostic]:
    """Sort the findings of a target, the most serious first."""
    kept = [item.with_model_kept().with_target(target) for item in found]
    return sorted(kept, key=lambda item: item.sort_key)
