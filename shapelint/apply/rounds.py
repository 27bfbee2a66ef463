"""Chooses fixes and makes them on texts in memory, where they are checked again before
anything is written.

No torch here: the worker gets the texts and returns a report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from shapelint.asked.request import Read, Walk
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Severity
from shapelint.facts.kinds import Safety, Status
from shapelint.facts.outcome import Outcome
from shapelint.syntax.edits import edit_texts
from shapelint.syntax.texts import DISK, Texts

PASSES = 10
"""The most rounds for one target. A fix may uncover further findings."""

CheckRequest = Walk | Read
"""Requests whose findings can be fixed."""

Run = Callable[[CheckRequest], Outcome]


@dataclass(frozen=True)
class FixedTexts:
    """The changes so far, in memory: texts by file, and the number of fixed
    findings."""

    texts: dict[str, str] = field(default_factory=dict)
    count: int = 0


def find_applicable_fix(diagnostic: Diagnostic, unsafe: bool) -> Fix | None:
    """Return the first fix of a finding that may be applied: verified, with edits, and
    safe unless `unsafe` is true.

    Findings that are only an `info` are not fixed."""
    if diagnostic.severity is Severity.INFO:
        return None
    fixes = (fix for fix in diagnostic.fixes if unsafe or fix.safety is Safety.SAFE)
    return next(filter(_can_be_made, fixes), None)


def _can_be_made(fix: Fix) -> bool:
    is_verified_edit = fix.verified and bool(fix.edits)
    return is_verified_edit and not _is_of_a_package(fix)


def find_applicable_fixes(outcome: Outcome, unsafe: bool) -> list[Fix]:
    """Return the applicable fixes of a target, at most one for each finding."""
    found = outcome.report.diagnostics
    fixes = [find_applicable_fix(item, unsafe) for item in found]
    return [fix for fix in fixes if fix is not None]


def _is_of_a_package(fix: Fix) -> bool:
    """Whether a fix would edit an installed package."""
    folders = {"site-packages", "dist-packages"}
    return any(folders.intersection(Path(edit.file).parts) for edit in fix.edits)


@dataclass(frozen=True)
class _Round:
    """The state of a target after a round: its report, its texts, and the number of
    fixes in the round."""

    outcome: Outcome
    texts: Texts
    made: int = 0


def fix_target(
    request: CheckRequest, first: Outcome, run: Run, unsafe: bool, before: FixedTexts
) -> tuple[Outcome, FixedTexts]:
    """Apply the fixes of a target, on top of those of other targets in `before`. Return
    its report and the texts afterwards.

    Several fixes at once are kept if together they leave fewer findings; otherwise they
    are applied one at a time."""
    state = _Round(first, DISK.with_copies(before.texts))
    count = before.count
    refused: set[tuple[Edit, ...]] = set()
    for _ in range(PASSES):
        fixes = find_applicable_fixes(state.outcome, unsafe)
        wanted = _drop_overlapping(fix for fix in fixes if fix.edits not in refused)
        if not wanted:
            break
        after = _make_some(request, state, run, wanted)
        if after is None:
            # fixes that overlapped with these are tried in the next round
            refused |= {fix.edits for fix in wanted}
            continue
        state = after
        count += after.made
    return state.outcome, FixedTexts(dict(state.texts.copies), count)


def _make_some(
    request: CheckRequest, before: _Round, run: Run, wanted: list[Fix]
) -> _Round | None:
    """Apply all fixes at once, or else the first one that is an improvement by itself;
    None if there is none."""
    one_by_one = [[fix] for fix in wanted] if len(wanted) > 1 else []
    for chosen in [wanted, *one_by_one]:
        edits = [edit for fix in chosen for edit in fix.edits]
        changed = edit_texts(before.texts, edits)
        after = run(replace(request, texts=dict(changed.copies)))
        if _is_better(before.outcome, after):
            return _Round(after, changed, len(chosen))
    return None


def _is_better(before: Outcome, after: Outcome) -> bool:
    """Whether a finding is gone, and the target can still be checked."""
    if after.fault or _breaks(before, after):
        return False
    old, new = _names(before), _names(after)
    # as lists: of two findings of one name, one may be gone
    if len(new) < len(old) and set(new) <= set(old):
        return True
    if set(old) <= set(new):
        return False
    # findings may appear that a walk which ended early could not see
    ended_early = before.report.status is not Status.CHECKED
    return ended_early or _error_count(after) <= _error_count(before)


def _breaks(before: Outcome, after: Outcome) -> bool:
    """Whether the target can no longer be checked."""
    could_be_checked = before.report.status is not Status.FAILED
    return could_be_checked and after.report.status is Status.FAILED


def _names(outcome: Outcome) -> list[tuple[str, str, str]]:
    """The findings without their lines, which an edit may move."""
    found = outcome.report.diagnostics
    return [(item.code, item.layer, item.message) for item in found]


def _error_count(outcome: Outcome) -> int:
    return sum(item.severity is Severity.ERROR for item in outcome.report.diagnostics)


def _drop_overlapping(fixes: Iterable[Fix]) -> list[Fix]:
    """Keep the fixes that do not overlap an earlier one. The others wait for the next
    round."""
    chosen: list[Fix] = []
    taken: list[Edit] = []
    for fix in fixes:
        if not any(_overlap(edit, other) for edit in fix.edits for other in taken):
            chosen.append(fix)
            taken += fix.edits
    return chosen


def _overlap(one: Edit, other: Edit) -> bool:
    if os.path.realpath(one.file) != os.path.realpath(other.file):
        return False
    # two insertions at one place overlap too: which of them comes first is not known
    if one.start == other.start:
        return True
    return one.start < other.end and other.start < one.end
