"""Fixes written into the user's files: chosen, made on texts in memory, checked again
there, written all at once.

No torch here: the texts go to the worker and come back as a report.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from shapelint.asked.request import Read, Walk
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Severity
from shapelint.facts.kinds import Safety, Status
from shapelint.facts.outcome import Outcome
from shapelint.syntax.edits import edit_texts
from shapelint.syntax.texts import DISK, Texts

PASSES = 10
"""Rounds of fixing one target: a fix may uncover what only then can be seen."""

CheckRequest = Walk | Read
"""Requests whose findings can be fixed."""

Run = Callable[[CheckRequest], Outcome]


@dataclass
class Fixed:
    """What was changed, in memory: texts by file, and how many findings are gone for
    it."""

    texts: dict[str, str] = field(default_factory=dict)
    count: int = 0


def applicable(diagnostic: Diagnostic, unsafe: bool) -> Fix | None:
    """The first fix of a finding that may be made: verified, an edit, and safe unless
    all are wanted.

    What is only worth knowing (`info`) is not changed.
    """
    if diagnostic.severity is Severity.INFO:
        return None
    allowed = [
        fix
        for fix in diagnostic.fixes
        if fix.verified and fix.edits and not _of_a_package(fix)
    ]
    return next((fix for fix in allowed if unsafe or fix.safety is Safety.SAFE), None)


def _of_a_package(fix: Fix) -> bool:
    """Whether a fix would edit what a package manager put there."""
    folders = ("site-packages", "dist-packages")
    return any(
        folder in Path(edit.file).parts for edit in fix.edits for folder in folders
    )


def fixed(
    request: CheckRequest, first: Outcome, run: Run, unsafe: bool, before: Fixed
) -> tuple[Outcome, Fixed]:
    """A target's report after its fixes, and the texts; those of other targets are
    built upon.

    Several fixes at once are kept if together they leave fewer findings, else one at a
    time is made."""
    outcome, texts, count = first, DISK.with_copies(before.texts), 0
    refused: set[tuple[Edit, ...]] = set()
    for _ in range(PASSES):
        wanted = [
            fix
            for item in outcome.report.diagnostics
            if (fix := applicable(item, unsafe)) is not None
        ]
        wanted = _apart([fix for fix in wanted if fix.edits not in refused])
        if not wanted:
            break
        step = _step(request, outcome, run, texts, wanted)
        if step is None:
            refused |= {fix.edits for fix in wanted}
            continue
        outcome, texts, made = step
        count += made
    return outcome, Fixed(dict(texts.copies), before.count + count)


def _step(
    request: CheckRequest,
    outcome: Outcome,
    run: Run,
    texts: Texts,
    wanted: list[Fix],
) -> tuple[Outcome, Texts, int] | None:
    for chosen in [wanted, *([fix] for fix in wanted)] if len(wanted) > 1 else [wanted]:
        changed = edit_texts(texts, [edit for fix in chosen for edit in fix.edits])
        after = run(replace(request, texts=dict(changed.copies)))
        if _better(outcome, after):
            return after, changed, len(chosen)
    return None


def _better(before: Outcome, after: Outcome) -> bool:
    """Whether something is gone, and a target that could be checked still can be."""
    if after.fault or (
        after.report.status is Status.FAILED
        and before.report.status is not Status.FAILED
    ):
        return False
    old, new = (
        [_name(item) for item in each.report.diagnostics] for each in (before, after)
    )
    only_fewer = len(new) < len(old) and all(name in old for name in new)
    return only_fewer or _gone(before, after)


def _gone(before: Outcome, after: Outcome) -> bool:
    """Whether an error is gone; what was behind the end of the first walk may be seen
    only now."""
    old, new = (
        {_name(item) for item in each.report.diagnostics} for each in (before, after)
    )
    ended = before.report.status is not Status.CHECKED
    worse = sum(
        item.severity is Severity.ERROR for item in after.report.diagnostics
    ) > sum(item.severity is Severity.ERROR for item in before.report.diagnostics)
    return bool(old - new) and (ended or not worse)


def _name(diagnostic: Diagnostic) -> tuple[str, str, str]:
    return (diagnostic.code, diagnostic.layer, diagnostic.message)


def _apart(fixes: list[Fix]) -> list[Fix]:
    """Those that do not overlap, the first ones first; what is left waits for the next
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
    return one.start == other.start or (one.start < other.end and other.start < one.end)
