"""Checks one target by repeated looks. Each look fixes the bug that the previous look
explained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from shapelint.asked.request import Walk
from shapelint.asked.target import parse_target
from shapelint.checking.merging import merge_looks
from shapelint.checking.one_pass import (
    Look,
    LookResult,
    ignore_report,
    ignore_step,
    look_once,
)
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import TargetReport
from shapelint.fixes.mended_copy import MendedCopy
from shapelint.fixes.search import WORK
from shapelint.fixes.trials import is_past
from shapelint.known.suppressions import silence
from shapelint.syntax.edits import try_edits
from shapelint.syntax.texts import DISK, Texts
from shapelint.tracing.torch_private import silence_torch

SEARCHING = 0.8
"""The share of the time limit after which no further change is tried."""

PASSES = 6
"""The most looks at one target."""

ALL_WORK = 3 * WORK
"""The work of all searches for one target after which there is no further look."""

LAYERS_OF_COPY = (
    "the layers are those of a copy with the fix, as the file gives no model"
)
"""The note of a report whose model only a copy gives."""


def check(
    request: Walk,
    on_step: Callable[[str], None] = ignore_step,
    on_walked: Callable[[TargetReport], None] = ignore_report,
    started: float | None = None,
) -> TargetReport:
    """Check a target.

    `on_step` is called with each step (`shapelint.asked.request.STEPS`). `on_walked`
    gets the report of the walk, before the search for fixes. `started`: when the time
    for the target began (monotonic seconds; default: now).

    Raises:
        UsageError: the words of the request cannot be used.
    """
    with silence_torch():
        return _check(request, on_step, on_walked, started)


def _check(
    request: Walk,
    on_step: Callable[[str], None],
    on_walked: Callable[[TargetReport], None],
    started: float | None,
) -> TargetReport:
    started = time.monotonic() if started is None else started
    texts = DISK.with_copies(request.texts)
    look = Look(
        request,
        parse_target(request.target),
        texts,
        started + request.seconds * SEARCHING,
        on_step=on_step,
        on_walked=on_walked,
    )
    seen = look_once(look)
    report = _look_further(
        replace(look, on_step=ignore_step, on_walked=ignore_report), seen
    )
    if look.searched.note:
        report.notes.append(look.searched.note)
    return silence(report, request.ignored_in, texts)


def _look_further(look: Look, first: LookResult) -> TargetReport:
    """Look again until there is nothing more to see. Return the report of all looks."""
    seen, copy = first, MendedCopy()
    report, found = first.report, list(first.report.diagnostics)
    is_sure = True
    for number in range(1, PASSES):
        texts = _texts_with_mended(look, seen)
        if texts is None:
            break
        look = replace(look, texts=texts, work=seen.work, is_last=number == PASSES - 1)
        later = look_once(look)
        # a look counts if it came to its end
        if later.report.status is Status.FAILED or look.searched.is_late:
            break
        copy = copy.with_step(seen.further)
        # if no earlier look could walk, no finding is a consequence of an earlier one
        is_first_walk = not seen.report.rows and bool(later.report.rows)
        is_sure = is_sure and seen.is_sure
        new = later.report.diagnostics
        if is_first_walk:
            later.report.notes.append(LAYERS_OF_COPY)
        found = merge_looks(found, seen.waiting, new, copy, is_first_walk, is_sure)
        if len(later.report.rows) > len(report.rows):
            report = later.report
        seen = later
    # findings that the last look left to another one are shown unchanged
    report.diagnostics = merge_looks(found, seen.waiting, seen.waiting, copy)
    if first.report.status is not Status.CHECKED and report.status is Status.CHECKED:
        report.status = Status.PARTIAL
    return report


def _texts_with_mended(look: Look, seen: LookResult) -> Texts | None:
    """The files with the bug fixed that a look explained; None if there is nothing more
    to see or no time left."""
    if not seen.further:
        return None
    searched = look.searched
    searched.is_late = searched.is_late or is_past(look.deadline)
    searched.is_spent = searched.is_spent or seen.work >= ALL_WORK
    if searched.is_late or seen.work >= ALL_WORK:
        return None
    return try_edits(look.texts, seen.further)
