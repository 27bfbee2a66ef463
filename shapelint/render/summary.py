"""The last lines of a check: the number of findings, and what `--fix` could do."""

from __future__ import annotations

from shapelint.apply.rounds import find_applicable_fixes
from shapelint.facts.diagnostics import Severity
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome
from shapelint.render.style import Fixes, Style


def write_summary(outcomes: list[Outcome], style: Style, fixes: Fixes) -> str:
    """One line with the number of findings and targets, and one with the available
    fixes, if there are any."""
    counts = count_findings(outcomes)
    where = _write_targets(outcomes)
    done = _write_done(outcomes, fixes)
    line = style.paint(
        (write_counts(counts) or "nothing found") + where + done,
        _colour(counts),
        bold=True,
    )
    hint = _write_hint(outcomes, fixes)
    return f"{line}\n{hint}" if hint else line


def count_findings(outcomes: list[Outcome]) -> dict[Severity, int]:
    """The number of findings of each severity, the most serious first."""
    counts = dict.fromkeys(Severity, 0)
    for outcome in outcomes:
        for diagnostic in outcome.report.diagnostics:
            counts[diagnostic.severity] += 1
    return counts


def write_counts(counts: dict[Severity, int]) -> str:
    """`2 errors, 1 warning`."""
    return ", ".join(
        f"{count} {severity.value}{'s' if count > 1 else ''}"
        for severity, count in counts.items()
        if count
    )


def _colour(counts: dict[Severity, int]) -> str:
    if counts[Severity.ERROR]:
        return "red"
    return "yellow" if counts[Severity.WARNING] else "green"


def _write_targets(outcomes: list[Outcome]) -> str:
    text = f" in {len(outcomes)} targets" if len(outcomes) > 1 else ""
    failed = sum(outcome.report.status is Status.FAILED for outcome in outcomes)
    if failed:
        text += f"; {failed} of {len(outcomes)} could not be checked"
    return text


def _write_done(outcomes: list[Outcome], fixes: Fixes) -> str:
    text = f"; {fixes.made} fixed" if fixes.made else ""
    known = sum(outcome.report.known for outcome in outcomes)
    return f"{text}; {known} in the baseline" if known else text


def _write_hint(outcomes: list[Outcome], fixes: Fixes) -> str:
    """Describe what `--fix` would do, and what `--unsafe-fixes` would add."""
    # Every safe fix may be made with unsafe ones wanted too: the rest is beyond it.
    safe = sum(
        len(find_applicable_fixes(outcome, unsafe=False)) for outcome in outcomes
    )
    fixable = sum(
        len(find_applicable_fixes(outcome, unsafe=True)) for outcome in outcomes
    )
    unsafe = fixable - safe
    parts = []
    if safe and not fixes.wanted:
        parts.append(f"{safe} fixable with `--fix`")
    if unsafe and not (fixes.wanted and fixes.unsafe):
        word = "more" if parts else "fixable"
        parts.append(f"{unsafe} {word} with `--fix --unsafe-fixes`")
    return ", ".join(parts)
