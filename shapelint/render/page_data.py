"""The data from which the page's script, `assets/report.js`, draws a picture: the
blocks, and the layout of each module with all inner modules closed."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.escape import json_text
from shapelint.picture.geometry import Layout, Line
from shapelint.picture.labels import write_shape
from shapelint.picture.layouts import Layouts
from shapelint.picture.plan import Plan
from shapelint.render.block_words import describe_block, is_unchanged
from shapelint.render.notes import NOTE_WIDTH, note_lines
from shapelint.render.static_picture import mark_block
from shapelint.render.svg_elements import (
    LABEL_ASIDE,
    MARKERS,
    family,
    write_block,
    write_frame_words,
)

SMALLEST = 0.6
"""The smallest scale at which a picture is fitted to a narrow page. Below it, the page
scrolls."""

JsonObject = dict[str, object]


def write_page_data(
    layouts: Layouts, about: dict[int, list[Diagnostic]], opened: set[int]
) -> str:
    """The data as JSON that is safe inside a `script` tag. `about`: the findings by
    block. `opened`: the modules that are open at first."""
    plan = layouts.plan
    data = {
        "blocks": [
            _block(plan, at, about.get(at, [])) for at in range(len(plan.blocks))
        ],
        "modules": {
            at: _module(plan, layouts.lay_out_folded(at)) for at in plan.children
        },
        "opened": sorted(opened),
        "notes": [_note(at, item) for at, items in about.items() for item in items],
        "noteWidth": NOTE_WIDTH,
        "labelAside": LABEL_ASIDE,
        "smallest": SMALLEST,
        "markers": MARKERS,
    }
    # `</script>` within a string would end the tag.
    return json_text(data, separators=(",", ":")).replace("<", "\\u003c")


def _block(plan: Plan, at: int, about: list[Diagnostic]) -> JsonObject:
    block = plan.blocks[at]
    return {
        "family": family(block),
        "marks": mark_block(plan, at, about),
        "within": block.within,
        "words": describe_block(plan, at),
        "box": write_block(plan, at) if at else "",
        "frame": write_frame_words(plan, at) if at in plan.children else "",
    }


def _note(at: int, item: Diagnostic) -> JsonObject:
    kind = "" if item.severity is Severity.ERROR else "warning"
    return {"at": at, "kind": kind, "lines": note_lines(item)}


def _module(plan: Plan, layout: Layout) -> JsonObject:
    return {
        "width": round(layout.width, 1),
        "height": round(layout.height, 1),
        "boxes": layout.boxes,
        "lines": [_line(plan, line) for line in layout.lines],
        "in": layout.ports_in,
        "out": layout.ports_out,
    }


def _line(plan: Plan, line: Line) -> JsonObject:
    return {
        "source": line.source,
        "target": line.target,
        "port": line.port,
        "shape": write_shape(line.shape),
        "broken": line.into_failed,
        "arc": line.is_arc,
        "same": is_unchanged(plan, line),
        "points": line.points,
        "label": line.label_at,
    }
