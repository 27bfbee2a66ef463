"""The exit codes of commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shapelint.asked.settings import DEFAULTS
from shapelint.facts.diagnostics import Severity
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome

CLEAN, FINDINGS, UNCHECKED = 0, 1, 2

INTERRUPTED = 130
"""The exit code after Ctrl-C, by the convention of shells: 128 plus the number of
SIGINT."""


def exit_code(
    outcomes: Sequence[Outcome], exit_zero: bool, fail_on: str = DEFAULTS.fail_on
) -> int:
    """2 if something could not be checked, 1 if there are findings at or above a
    severity, otherwise 0."""
    if any(_is_unchecked(outcome) for outcome in outcomes):
        return UNCHECKED
    least = Severity(fail_on).rank
    found = [item for outcome in outcomes for item in outcome.report.diagnostics]
    is_failing = any(item.severity.rank <= least for item in found)
    return FINDINGS if is_failing and not exit_zero else CLEAN


def has_failed(outcomes: Iterable[Outcome]) -> bool:
    """Whether a target could not be checked at all."""
    return any(outcome.report.status is Status.FAILED for outcome in outcomes)


def _is_unchecked(outcome: Outcome) -> bool:
    """Whether a target or one of its files could not be checked completely. That is not
    a finding."""
    report = outcome.report
    if report.status is Status.FAILED or report.unfinished:
        return True
    if outcome.fault is not None:
        return True
    return any(item.is_unchecked for item in report.diagnostics)
