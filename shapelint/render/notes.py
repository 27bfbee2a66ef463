"""The notes beside a picture: each finding, next to the block it is about."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.kinds import BlockKind
from shapelint.facts.outcome import TargetReport
from shapelint.picture.block_kinds import DATA, MODULES
from shapelint.picture.geometry import Box, Point
from shapelint.picture.plan import Plan

NOTE_WIDTH, NOTE_LINE = 330, 15
"""The width of a note, and the height of one of its lines, in points."""

_LETTERS = 50
"""The most characters in a line of a note."""

_MESSAGE_LINES, _FIX_LINES = 5, 3
"""The most lines of the message and of the fix. The finding itself has all of them."""

_GAP = 12
"""Points between two notes."""

_LOWEST_AIM = 60
"""Notes point at most this far below the top of a block, where its name is."""


@dataclass(frozen=True)
class Note:
    """A finding in its place. `lines`: each with its CSS class. `points_at`: the right
    side of its block."""

    left: float
    top: float
    height: float
    lines: list[tuple[str, str]]
    is_warning: bool
    points_at: Point


def place_notes(noted: list[tuple[Box, Diagnostic]], left: float) -> list[Note]:
    """Place each finding at the height of its block, moved down if it would overlap the
    one above."""
    notes: list[Note] = []
    free = 10.0
    for box, item in sorted(noted, key=lambda pair: pair[0].top):
        lines = note_lines(item)
        height = NOTE_LINE * len(lines) + 14
        aim = box.top + min(box.height, _LOWEST_AIM) / 2
        top = max(free, aim - height / 2)
        points_at = (box.left + box.width, aim)
        is_warning = item.severity is not Severity.ERROR
        notes.append(Note(left, top, height, lines, is_warning, points_at))
        free = top + height + _GAP
    return notes


def lowest_of(notes: list[Note]) -> float:
    """The bottom of the last note, with a margin."""
    return notes[-1].top + notes[-1].height + _GAP + 10 if notes else 20.0


def note_lines(item: Diagnostic) -> list[tuple[str, str]]:
    """A finding and its first fix in short lines, each with its CSS class."""
    message = textwrap.wrap(item.message.replace("`", ""), _LETTERS)
    lines = [("code", f"{item.code} {item.name}")]
    lines += [("said", part) for part in message[:_MESSAGE_LINES]]
    for fix in item.fixes[:1]:
        title = f"fix: {fix.title}".replace("`", "")
        parts = textwrap.wrap(title, _LETTERS - 6)  # they are set in a wider font
        lines += [("mend", part) for part in parts[:_FIX_LINES]]
    return lines


def findings_by_block(report: TargetReport, plan: Plan) -> dict[int, list[Diagnostic]]:
    """The findings of each block. Those that are not about a layer belong to the
    model."""
    found: dict[int, list[Diagnostic]] = {}
    for item in report.diagnostics:
        if item.severity is not Severity.INFO:
            found.setdefault(_find_block(item, plan), []).append(item)
    return found


def _find_block(item: Diagnostic, plan: Plan) -> int:
    """The block of a finding's layer. A layer that is called several times has several
    blocks, and so has one that calls functions."""
    own = [
        at
        for at, block in enumerate(plan.blocks)
        if at != 0 and block.layer == item.layer and block.kind not in DATA
    ]
    if not own:
        return 0
    best = max(own, key=lambda at: _likelihood(item, plan, at))
    is_at_line, is_failure, _ = _likelihood(item, plan, best)
    is_layer = plan.blocks[best].kind in MODULES
    # The finding is not about a function that is only called in the same layer.
    return best if is_at_line or is_failure or is_layer else 0


def _likelihood(item: Diagnostic, plan: Plan, at: int) -> tuple[bool, bool, bool]:
    """The evidence for a block, the strongest first: its line is the finding's, it
    fails as the finding says, and it is not a module with other blocks inside."""
    block = plan.blocks[at]
    spans = [span for span in (item.called_at, item.span) if span is not None]
    lines = {(span.file, span.line) for span in spans}
    is_failure = block.failed and item.severity is Severity.ERROR
    return (
        block.called in lines or block.made in lines,
        is_failure,
        block.kind is not BlockKind.CONTAINER,
    )
