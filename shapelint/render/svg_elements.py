"""The elements of a picture as SVG. Other modules decide what they show."""

from __future__ import annotations

import math
from html import escape
from importlib import resources

from shapelint.facts.drawing import Block
from shapelint.ops.wording import colour_of
from shapelint.picture.block_kinds import DATA, MODULES
from shapelint.picture.geometry import HEADER, PADDING, Box, Line
from shapelint.picture.labels import labels_of, write_shape
from shapelint.picture.plan import SHARE_SHOWN, Plan, positions_of
from shapelint.render.notes import NOTE_LINE, NOTE_WIDTH, Note

LABEL_ASIDE = 4
"""Points between a line and the shape beside it, in addition to those in the layout."""

LOW = 34
"""Blocks lower than this have a single line of words."""

HALF_LETTER = 4
"""Points from the middle of a letter down to its baseline, to which SVG's positions of
text refer."""

WORDS_LINE = 14
"""Points between the lines of words on a block."""

_SHEETS, _SHEET_RANGE = 5, 18
"""The most sheets for an activation, and the difference in points between the sides of
the longest dimension and of a single position."""

_TIP = (
    '<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="{size}" '
    'markerHeight="{size}" markerUnits="userSpaceOnUse" orient="auto">'
    '<path class="{kind}" d="M0 0L8 4L0 8z"/></marker>'
)
MARKERS = (
    "<defs>"
    + _TIP.format(name="tip", size=8, kind="tip")
    + _TIP.format(name="tip-broken", size=11, kind="tip broken")
    + "</defs>"
)
"""The arrowheads of lines."""


def family(block: Block) -> str:
    """The CSS class of a block, which sets its colour (`assets/picture.css`)."""
    if block.kind in DATA:
        return "data"
    plain = "module" if block.kind in MODULES else "math"
    return colour_of(block.op) or plain


def read_asset(name: str) -> str:
    """Read a file that is included in pictures and pages."""
    folder = resources.files("shapelint.render").joinpath("assets")
    return folder.joinpath(name).read_text(encoding="utf-8")


def write_document(
    width: float, height: float, parts: list[str], alone: bool = True
) -> str:
    """A complete SVG. `alone`: with its own styles, which a page has already."""
    size = f'width="{width:.0f}" height="{height:.0f}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {size} '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        'role="img" aria-label="the model as a picture">'
    )
    styles = [f"<style>{read_asset('picture.css')}</style>"] if alone else []
    ground = f'<rect class="ground" {size}/>'
    return "\n".join([head, *styles, MARKERS, ground, *parts, "</svg>"]) + "\n"


# -- blocks, from 0, 0


def write_block(plan: Plan, at: int) -> str:
    """A closed block with its words, in the size set by the plan."""
    block = plan.blocks[at]
    width, height = plan.size(at)
    is_module_with_more = at in plan.children
    parts = []
    if is_module_with_more:
        parts.append(
            _write_box(width, height, 6, 'x="5" y="5" ')
        )  # a second one behind
    is_pill = block.kind in DATA or height <= 24
    parts.append(_write_box(width, height, height / 2 if is_pill else 6))
    if height < LOW:
        parts.append(_write_one_line(block, width, height))
        return "".join(parts)
    parts.append(_write_sheets(plan, at))
    parts += _write_words(plan, at)
    if is_module_with_more:
        parts.append(_write_sign(width - 14, 12, is_open=False))
    return "".join(parts)


def _write_box(width: float, height: float, radius: float, place: str = "") -> str:
    size = f'rx="{radius:g}" width="{width:.0f}" height="{height:.0f}"'
    return f'<rect class="box" {place}{size}/>'


def _write_one_line(block: Block, width: float, height: float) -> str:
    first, second = map(escape, labels_of(block))
    sub = f' <tspan class="sub">{second}</tspan>' if second else ""
    text = f"{first}{sub}".strip()
    return _write_text("op", width / 2, height / 2 + HALF_LETTER, text)


def _write_words(plan: Plan, at: int) -> list[str]:
    """Up to three lines, one below the other, around the middle of the block."""
    width, height = plan.size(at)
    first, second = map(escape, labels_of(plan.blocks[at]))
    share = plan.share(at)
    has_share = share >= SHARE_SHOWN and height >= 60
    top = height / 2 + (HALF_LETTER + 1 if second else HALF_LETTER)
    top -= 8 * (bool(second) + has_share)
    parts = [_write_text("op", width / 2, top, first)]
    if second:
        parts.append(_write_text("sub", width / 2, top + WORDS_LINE, second))
    if has_share:
        words = f"{100 * share:.0f} % of the parameters"
        parts.append(_write_text("share", width / 2, top + 2 * WORDS_LINE + 1, words))
    return parts


def _write_text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{text}</text>'


def _write_sheets(plan: Plan, at: int) -> str:
    """The result of a block as a stack of sheets, the usual way to draw feature maps.

    The sides follow the square roots of the spatial sizes, the number of sheets the
    logarithm of the channels: 8 channels are two sheets, 1,024 are five."""
    outputs = plan.blocks[at].outputs
    shape = outputs[0].shape if outputs else ()
    positions = positions_of(shape)
    if not positions:
        return ""
    channels = shape[1] if len(shape) > 3 else shape[-1]
    count = min(_SHEETS, 1 + round(math.log2(max(1, channels)) / 2.5))
    # A sequence has one dimension, and is drawn as a bar.
    tall, wide = positions[-2:] if len(positions) > 1 else (positions[0], 0)
    height = 3 + _SHEET_RANGE * math.sqrt(tall / plan.longest)
    width = 3 + _SHEET_RANGE * math.sqrt(wide / plan.longest)
    middle = plan.size(at)[1] / 2
    parts = []
    for number in reversed(range(count)):  # the foremost last
        x = 9 + 1.8 * number
        y = middle - height / 2 + 1.4 * (count - 1) / 2 - 1.4 * number
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        parts.append(f'<rect class="sheet" {place}/>')
    return "".join(parts)


# -- open modules, from 0, 0


def write_frame(plan: Plan, at: int, width: float, height: float) -> str:
    """The frame around an open module."""
    rect = f'<rect class="frame" rx="10" width="{width:.1f}" height="{height:.1f}"/>'
    return rect + write_frame_words(plan, at)


def write_frame_words(plan: Plan, at: int) -> str:
    """The words at the top of an open module."""
    block = plan.blocks[at]
    params = f" · {block.params:,} parameters" if block.params else ""
    # The model itself cannot be folded.
    sign = _write_sign(16, HEADER / 2 + 2, is_open=True) if at else ""
    start = 30 if at else PADDING
    name, kind = (block.layer, block.op) if block.layer else (block.op, "")
    words = f'<tspan class="op">{escape(name)}</tspan> {escape(kind)}{params}'
    place = f'x="{start}" y="{HEADER / 2 + 6:.0f}"'
    return f'{sign}<text class="name" {place}>{words}</text>'


def _write_sign(x: float, y: float, is_open: bool) -> str:
    """A minus or a plus in a circle."""
    stroke = f"M{x - 3} {y}h6" + ("" if is_open else f"M{x} {y - 3}v6")
    circle = f'<circle class="fold" cx="{x}" cy="{y}" r="7"/>'
    return f'{circle}<path class="sign" d="{stroke}"/>'


# -- lines and notes


def write_line(line: Line, left: float, top: float, has_tip: bool) -> str:
    """A line. `left` and `top` are those of its module."""
    first, *points = (f"{left + x:.1f} {top + y:.1f}" for x, y in line.points)
    curve = f"M{first}C{' '.join(points)}"
    marks = " arc" if line.is_arc else ""
    name = "tip"
    if line.into_failed:
        marks, name = " broken", "tip-broken"
    tip = f' marker-end="url(#{name})"' if has_tip else ""
    return f'<path class="line{marks}" d="{curve}"{tip}/>'


def write_line_label(line: Line, left: float, top: float, is_same: bool) -> str:
    """The shape beside a line. `is_same`: its maker returned the shape of its input."""
    x, y = line.label_at
    marks = " same" if is_same else ""
    if line.into_failed:
        marks = " broken"
    text = escape(write_shape(line.shape))
    return _write_text(
        f"shape{marks}", left + x + LABEL_ASIDE, top + y + HALF_LETTER, text
    )


def write_note(note: Note) -> list[str]:
    """A finding beside the picture, and the line to its block."""
    kind = " warning" if note.is_warning else ""
    (x, y), middle = note.points_at, note.top + note.height / 2
    bend = f"{note.left - 8:.1f} {y:.1f}"
    leader = f"M{x:.1f} {y:.1f}L{bend}L{note.left:.1f} {middle:.1f}"
    place = f"translate({note.left:.1f} {note.top:.1f})"
    parts = [
        f'<path class="leader{kind}" d="{leader}"/>',
        f'<g class="note{kind}" transform="{place}">',
        f'<rect rx="6" width="{NOTE_WIDTH}" height="{note.height}"/>',
    ]
    for number, (name, text) in enumerate(note.lines):
        place = f'x="12" y="{20 + NOTE_LINE * number}"'
        parts.append(f'<text class="{name}" {place}>{escape(text)}</text>')
    return [*parts, "</g>"]


def write_group(kind: str, marks: str, box: Box, words: str, content: str) -> str:
    """A closed block in its place. `words` are shown when the pointer is over it."""
    place = f"translate({box.left:.1f} {box.top:.1f})"
    title = f"<title>{escape(words)}</title>"
    return f'<g class="{kind} {marks}" transform="{place}">\n{title}{content}</g>'
