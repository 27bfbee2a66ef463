"""The model as a picture: one SVG that needs nothing else."""

from __future__ import annotations

import math
import textwrap
from html import escape
from importlib import resources

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.drawing import Block
from shapelint.facts.escape import in_one_line
from shapelint.facts.kinds import BlockKind
from shapelint.facts.outcome import TargetReport
from shapelint.ops.wording import colour_of
from shapelint.picture.geometry import HEADER, PADDING, Inside, Line
from shapelint.picture.labels import labels, shown_shape, shown_value
from shapelint.picture.plan import SHARE_SHOWN, Plan
from shapelint.syntax.paths import shown_path
from shapelint.syntax.texts import DISK

NOTE_WIDTH, _NOTE_LETTERS = 330, 50
LABEL_ASIDE = 4
"""Points by which a shape stands beside where the layout has it, clear of its line."""


def family(block: Block) -> str:
    """What kind of block it is, by which it is coloured."""
    if block.kind in (BlockKind.INPUT, BlockKind.OUTPUT):
        return "data"
    colour = colour_of(block.op)
    if colour:
        return colour
    return "module" if block.kind in (BlockKind.MODULE, BlockKind.CONTAINER) else "math"


def render_svg(report: TargetReport) -> str:
    """The picture of one target, and its findings beside the blocks they are about."""
    if report.picture is None or not report.picture.blocks:
        return _nothing_to_draw(report)
    plan = Plan(report.picture)
    opened = plan.opened()
    return static_picture(report, plan, opened)


def _nothing_to_draw(report: TargetReport) -> str:
    left_out = report.picture.left_out if report.picture is not None else 0
    text = (
        f"{left_out:,} calls are too many for a picture; the table has them"
        if left_out
        else "nothing was walked"
    )
    return _document(620, 60, [f'<text x="20" y="34">{escape(text)}</text>'])


def static_picture(
    report: TargetReport, plan: Plan, opened: set[int], alone: bool = True
) -> str:
    """The picture with some modules open; `alone`: with its own styles."""
    about = blocks_of(report, plan)
    whole = plan.inside(0, opened.__contains__)
    drawing = Drawing(report, plan, about)
    drawing.module(0, whole, 0.0, 0.0)
    notes = drawing.notes(whole.width + 40)
    width = whole.width + (40 + NOTE_WIDTH + 20 if notes else 20)
    return _document(
        width, max([whole.height + 20, drawing.lowest]), [*drawing.parts, *notes], alone
    )


def _document(width: float, height: float, parts: list[str], alone: bool = True) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="the model as a picture">'
    )
    ground = f'<rect class="ground" width="{width:.0f}" height="{height:.0f}"/>'
    styles = [f"<style>{asset('picture.css')}</style>"] if alone else []
    return "\n".join([head, *styles, MARKERS, ground, *parts, "</svg>"]) + "\n"


MARKERS = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker>'
    '<marker id="tip-broken" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="11" markerHeight="11" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip broken" d="M0 0L8 4L0 8z"/></marker></defs>'
)


def asset(name: str) -> str:
    """A file that goes into pictures and pages."""
    return (
        resources.files("shapelint.render")
        .joinpath("assets", name)
        .read_text(encoding="utf-8")
    )


class Drawing:
    """A picture while it is drawn: parts of an SVG, and where each block is."""

    def __init__(
        self, report: TargetReport, plan: Plan, about: dict[int, list[Diagnostic]]
    ) -> None:
        self.report, self.plan, self.about = report, plan, about
        self.parts: list[str] = []
        self.places: dict[int, tuple[float, float, float, float]] = {}
        self.lowest = 0.0

    def module(self, at: int, inside: Inside, left: float, top: float) -> None:
        """An open module with all in it."""
        self.places[at] = (left, top, inside.width, inside.height)
        marks = self._marks(at)
        self.parts.append(
            f'<g class="open {marks}" transform="translate({left:.1f} {top:.1f})">'
        )
        self.parts.append(frame(self.plan, at, inside.width, inside.height))
        self.parts.append("</g>")
        for line in inside.lines:
            self.parts.append(self._path(line, left, top))
        for child, (x, y, width, height) in inside.boxes.items():
            inner = inside.inner.get(child)
            if inner is not None:
                self.module(child, inner, left + x, top + y)
                continue
            self.places[child] = (left + x, top + y, width, height)
            self.parts.append(
                f'<g class="{family(self.plan.blocks[child])} {self._marks(child)}" '
            )
            self.parts[-1] += f'transform="translate({left + x:.1f} {top + y:.1f})">'
            self.parts.append(
                f"<title>{escape(described(self.plan, child))}</title>{box(self.plan, child)}</g>"
            )
        for line in inside.lines:
            self.parts.append(self._label(line, left, top))

    def _marks(self, at: int) -> str:
        if at == 0:
            return ""
        if self.plan.blocks[at].failed:
            return "failed"
        worst = min((item.severity.rank for item in self.about.get(at, [])), default=9)
        return {0: "failed", 1: "warned"}.get(worst, "")

    def _path(self, line: Line, left: float, top: float) -> str:
        points = [f"{left + x:.1f} {top + y:.1f}" for x, y in line.points]
        marks = " broken" if line.into_failed else (" arc" if line.is_arc else "")
        is_end = line.target >= 0 and line.target not in self.plan.children
        tip = (
            f' marker-end="url(#tip{"-broken" if line.into_failed else ""})"'
            if is_end
            else ""
        )
        return (
            f'<path class="line{marks}" d="M{points[0]}C{" ".join(points[1:])}"{tip}/>'
        )

    def _label(self, line: Line, left: float, top: float) -> str:
        if line.source < 0 or line.target < 0:
            return ""  # it goes on beyond the border, where its shape stands
        x, y = line.label_at
        marks = (
            " broken"
            if line.into_failed
            else (" same" if is_unchanged(self.plan, line) else "")
        )
        text = escape(shown_shape(line.shape))
        return f'<text class="shape{marks}" x="{left + x + LABEL_ASIDE:.1f}" y="{top + y + 4:.1f}">{text}</text>'

    def notes(self, left: float) -> list[str]:
        """The findings, each as high as its block, one below the other where they would
        overlap."""
        found: list[str] = []
        free = 10.0
        told = [
            (self._shown_place(at), item)
            for at, items in self.about.items()
            for item in items
        ]
        for (x, y, width, height), item in sorted(told, key=lambda pair: pair[0][1]):
            lines = note_lines(item)
            middle = y + min(height, 60) / 2
            high = 15 * len(lines) + 14
            top = max(free, middle - high / 2)
            free = top + high + 12
            kind = "" if item.severity is Severity.ERROR else " warning"
            found.append(
                f'<path class="leader{kind}" d="M{x + width:.1f} {middle:.1f}L{left - 8:.1f} {middle:.1f}'
                f'L{left:.1f} {top + high / 2:.1f}"/>'
            )
            found.append(
                f'<g class="note{kind}" transform="translate({left:.1f} {top:.1f})">'
            )
            found.append(f'<rect rx="6" width="{NOTE_WIDTH}" height="{high}"/>')
            for number, (name, text) in enumerate(lines):
                found.append(
                    f'<text class="{name}" x="12" y="{20 + 15 * number}">{escape(text)}</text>'
                )
            found.append("</g>")
        self.lowest = free + 10
        return found

    def _shown_place(self, at: int) -> tuple[float, float, float, float]:
        while at not in self.places:
            at = self.plan.blocks[at].within or 0
        return self.places[at]


def is_unchanged(plan: Plan, line: Line) -> bool:
    """Whether the block that made a tensor gave back the shape that it got."""
    maker = plan.blocks[line.port]
    return (
        maker.kind not in (BlockKind.INPUT, BlockKind.CONTAINER)
        and line.shape in maker.inputs
    )


def note_lines(item: Diagnostic) -> list[tuple[str, str]]:
    """A finding and its first fix in short lines, each with the class it is shown
    in."""
    lines = [("code", f"{item.code} {item.name}")]
    lines += [
        ("said", part)
        for part in textwrap.wrap(item.message.replace("`", ""), _NOTE_LETTERS)[:5]
    ]
    for fix in item.fixes[:1]:
        title = f"fix: {fix.title}".replace("`", "")
        lines += [
            ("mend", part) for part in textwrap.wrap(title, _NOTE_LETTERS - 6)[:3]
        ]
    return lines


def blocks_of(report: TargetReport, plan: Plan) -> dict[int, list[Diagnostic]]:
    """The findings by the block each is about; those about no layer belong to the
    model."""
    found: dict[int, list[Diagnostic]] = {}
    for item in report.diagnostics:
        if item.severity is not Severity.INFO:
            found.setdefault(_block_of(item, plan), []).append(item)
    return found


def _block_of(item: Diagnostic, plan: Plan) -> int:
    own = [
        at
        for at, block in enumerate(plan.blocks)
        if block.layer == item.layer
        and block.kind not in (BlockKind.INPUT, BlockKind.OUTPUT)
    ]
    lines = {
        (span.file, span.line)
        for span in (item.called_at, item.span)
        if span is not None
    }

    def likelihood(at: int) -> tuple[bool, bool, bool]:
        block = plan.blocks[at]
        is_error = item.severity is Severity.ERROR
        return (
            block.called in lines or block.made in lines,
            block.failed and is_error,
            block.kind is not BlockKind.CONTAINER,
        )

    calls = [at for at in own if at != 0]
    if not calls:
        return 0
    best = max(calls, key=likelihood)
    return (
        best
        if any(likelihood(best)[:2])
        or plan.blocks[best].kind in (BlockKind.MODULE, BlockKind.CONTAINER)
        else 0
    )


def box(plan: Plan, at: int) -> str:
    """A block, from 0, 0: as large as the layout thinks it is, with its words in it."""
    block = plan.blocks[at]
    width, height = plan.size(at)
    first, second = labels(block)
    middle = width / 2
    parts = []
    if at in plan.children:
        parts.append(
            f'<rect class="box" x="5" y="5" rx="6" width="{width:.0f}" height="{height:.0f}"/>'
        )
    radius = (
        height / 2
        if block.kind in (BlockKind.INPUT, BlockKind.OUTPUT) or height <= 24
        else 6
    )
    parts.append(
        f'<rect class="box" rx="{radius:g}" width="{width:.0f}" height="{height:.0f}"/>'
    )
    if height < LOW:
        words = f"{escape(first)} " + (
            f'<tspan class="sub">{escape(second)}</tspan>' if second else ""
        )
        parts.append(
            f'<text class="op" x="{middle:.1f}" y="{height / 2 + 4:.1f}">{words.strip()}</text>'
        )
        return "".join(parts)
    parts.append(sheets(plan, at))
    share = plan.share(at)
    has_share = share >= SHARE_SHOWN and height >= 60
    top = (
        height / 2
        - (8 if second else 0)
        - (8 if has_share else 0)
        + (5 if second else 4)
    )
    parts.append(
        f'<text class="op" x="{middle:.1f}" y="{top:.1f}">{escape(first)}</text>'
    )
    if second:
        parts.append(
            f'<text class="sub" x="{middle:.1f}" y="{top + 14:.1f}">{escape(second)}</text>'
        )
    if has_share:
        parts.append(
            f'<text class="share" x="{middle:.1f}" y="{top + 29:.1f}">{100 * share:.0f} % of the parameters</text>'
        )
    if at in plan.children:
        parts.append(_sign(width - 14, 12, False))
    return "".join(parts)


def sheets(plan: Plan, at: int) -> str:
    """What a block gives, as a stack of sheets: by the roots of its sizes as large, by
    its channels as many."""
    sizes = plan.blocks[at].outputs[0].shape if plan.blocks[at].outputs else ()
    if len(sizes) < 3:
        return ""
    channels, *places = sizes[1:] if len(sizes) > 3 else (sizes[-1], sizes[1])
    count = min(5, 1 + round(math.log2(max(1, channels)) / 2.5))
    high, wide = (places[-2], places[-1]) if len(places) > 1 else (places[0], 0)
    tall = 3 + 18 * math.sqrt(high / plan.longest)
    broad = 3 + 18 * math.sqrt(wide / plan.longest) if wide else 3.0
    middle = plan.size(at)[1] / 2
    parts = []
    for number in reversed(range(count)):
        x, y = (
            9 + 1.8 * number,
            middle - tall / 2 + 1.4 * (count - 1) / 2 - 1.4 * number,
        )
        parts.append(
            f'<rect class="sheet" x="{x:.1f}" y="{y:.1f}" width="{broad:.1f}" height="{tall:.1f}"/>'
        )
    return "".join(parts)


LOW = 34
"""Blocks lower than this have one line of words."""


def frame(plan: Plan, at: int, width: float, height: float) -> str:
    """What is around an open module, from 0, 0."""
    rect = f'<rect class="frame" rx="10" width="{width:.1f}" height="{height:.1f}"/>'
    return rect + frame_words(plan, at)


def frame_words(plan: Plan, at: int) -> str:
    """What stands at the top of an open module."""
    block = plan.blocks[at]
    params = f" · {block.params:,} parameters" if block.params else ""
    sign = _sign(16, HEADER / 2 + 2, True) if at else ""
    start = 30 if at else PADDING
    words = f'<tspan class="op">{escape(block.layer or block.op)}</tspan> {escape(block.op if block.layer else "")}{params}'
    return (
        f'{sign}<text class="name" x="{start}" y="{HEADER / 2 + 6:.0f}">{words}</text>'
    )


def _sign(x: float, y: float, is_open: bool) -> str:
    stroke = f"M{x - 3} {y}h6" + ("" if is_open else f"M{x} {y - 3}v6")
    return f'<circle class="fold" cx="{x}" cy="{y}" r="7"/><path class="sign" d="{stroke}"/>'


def described(plan: Plan, at: int) -> str:
    """All that is known of a block, a line each."""
    block = plan.blocks[at]
    lines = [
        f"{block.layer} {block.op}".strip()
        if block.kind in (BlockKind.MODULE, BlockKind.CONTAINER)
        else block.op
    ]
    if block.kind in (BlockKind.FUNCTION, BlockKind.METHOD):
        lines[0] += f"() in {block.layer or plan.blocks[0].op}"
    if block.inputs and block.kind is not BlockKind.OUTPUT:
        lines.append(
            "in " + ", ".join(shown_shape(shape) for shape in block.inputs[:4])
        )
    if block.kind is BlockKind.INPUT and block.value is not None:
        lines.append(f"out {shown_value(block.value)}")
    elif block.outputs:
        lines.append(
            "out " + ", ".join(shown_shape(shape) for shape in block.outputs[:4])
        )
    if block.params:
        lines.append(f"{block.params:,} parameters ({100 * plan.share(at):.1f} %)")
    if block.mult_adds:
        lines.append(f"{block.mult_adds:,} mult-adds")
    for word, place in (("made", block.made), ("called", block.called)):
        if place is not None:
            text = in_one_line(DISK.line_of(*place).strip())
            lines += [
                f"{word} at {shown_path(place[0])}:{place[1]}",
                *([f"    {text}"] if text else []),
            ]
    return "\n".join(lines)
