"""Draws a picture without scripts from its layout, with the findings beside it."""

from __future__ import annotations

from html import escape

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.outcome import TargetReport
from shapelint.picture.geometry import BORDER, Box, Layout, Line
from shapelint.picture.layouts import Layouts
from shapelint.picture.plan import Plan
from shapelint.render.block_words import describe_block, is_unchanged
from shapelint.render.notes import NOTE_WIDTH, findings_by_block, lowest_of, place_notes
from shapelint.render.svg_elements import (
    family,
    write_block,
    write_document,
    write_frame,
    write_group,
    write_line,
    write_line_label,
    write_note,
)

_NOTES_ASIDE, _MARGIN = 40, 20
"""Points between picture and notes, and in the margin at the right and below."""


def render_svg(report: TargetReport) -> str:
    """The picture of one target, with its findings beside their blocks."""
    if report.picture is None or not report.picture.blocks:
        return _draw_nothing(report)
    layouts = Layouts(Plan(report.picture))
    return draw(report, layouts, layouts.plan.choose_open())


def _draw_nothing(report: TargetReport) -> str:
    left_out = report.picture.left_out if report.picture is not None else 0
    text = "nothing was walked"
    if left_out:
        text = f"{left_out:,} calls are too many for a picture; the table has them"
    return write_document(620, 60, [f'<text x="20" y="34">{escape(text)}</text>'])


def draw(
    report: TargetReport, layouts: Layouts, opened: set[int], alone: bool = True
) -> str:
    """The picture with these modules open. `alone`: with its own styles."""
    plan = layouts.plan
    about = findings_by_block(report, plan)
    whole = layouts.lay_out(0, opened.__contains__)
    drawing = _Drawing(plan, about)
    drawing.add_module(0, whole, 0.0, 0.0)
    noted = [
        (drawing.box_around(at), item) for at, items in about.items() for item in items
    ]
    notes = place_notes(noted, whole.width + _NOTES_ASIDE)
    parts = [part for note in notes for part in write_note(note)]
    width = whole.width + _MARGIN
    if notes:
        width += _NOTES_ASIDE + NOTE_WIDTH
    height = max(whole.height + _MARGIN, lowest_of(notes))
    return write_document(width, height, [*drawing.parts, *parts], alone)


def mark_block(plan: Plan, at: int, about: list[Diagnostic]) -> str:
    """The CSS class of a block that fails or has findings. Empty for the model itself,
    since red around everything says nothing."""
    if at == 0:
        return ""
    severities = {item.severity for item in about}
    if plan.blocks[at].failed or Severity.ERROR in severities:
        return "failed"
    return "warned" if Severity.WARNING in severities else ""


class _Drawing:
    """A picture while it is drawn: parts of an SVG, and the place of each block."""

    def __init__(self, plan: Plan, about: dict[int, list[Diagnostic]]) -> None:
        self.plan, self.about = plan, about
        self.parts: list[str] = []
        self.boxes: dict[int, Box] = {}

    def add_module(self, at: int, layout: Layout, left: float, top: float) -> None:
        """Add an open module with its contents. Lines are drawn below blocks, shapes
        above them."""
        self.boxes[at] = Box(left, top, layout.width, layout.height)
        frame = write_frame(self.plan, at, layout.width, layout.height)
        place = f"translate({left:.1f} {top:.1f})"
        self.parts += [
            f'<g class="open {self._mark(at)}" transform="{place}">',
            frame,
            "</g>",
        ]
        # SVG draws in this order, and later parts cover earlier ones.
        for line in layout.lines:
            self.parts.append(write_line(line, left, top, self._has_tip(line)))
        for child, box in layout.boxes.items():
            inner = layout.inner.get(child)
            if inner is not None:
                self.add_module(child, inner, left + box.left, top + box.top)
            else:
                self._add_block(child, box, left, top)
        for line in layout.lines:
            if BORDER in (line.source, line.target):
                label = ""  # the line continues outside, where its shape is written
            else:
                is_same = is_unchanged(self.plan, line)
                label = write_line_label(line, left, top, is_same)
            self.parts.append(label)

    def _add_block(self, at: int, box: Box, left: float, top: float) -> None:
        moved = Box(left + box.left, top + box.top, box.width, box.height)
        self.boxes[at] = moved
        self.parts.append(
            write_group(
                family(self.plan.blocks[at]),
                self._mark(at),
                moved,
                describe_block(self.plan, at),
                write_block(self.plan, at),
            )
        )

    def _mark(self, at: int) -> str:
        return mark_block(self.plan, at, self.about.get(at, []))

    def _has_tip(self, line: Line) -> bool:
        """Whether a line ends in an arrow tip. Into an open module it continues without
        one."""
        return line.target != BORDER and line.target not in self.plan.children

    def box_around(self, at: int) -> Box:
        """The box of a block, or of the closed module that contains it."""
        while at not in self.boxes:
            at = self.plan.blocks[at].within or 0
        return self.boxes[at]
