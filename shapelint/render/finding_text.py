"""Prints one finding in the style of rustc: headline, the user's line with the span
marked, how it came about, and the verified fixes."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic, Fix, SizeOrigin, TrailStep
from shapelint.facts.escape import visible
from shapelint.facts.places import Span
from shapelint.render.style import Style
from shapelint.syntax.paths import shown_path
from shapelint.syntax.texts import DISK

_TRAIL_SHOWN = 6
"""The most steps of a trail that are shown. Of a longer one, the first and the last
three are shown."""


def render_diagnostic(diagnostic: Diagnostic, style: Style) -> str:
    """The text of one finding, several lines."""
    head = style.severity(diagnostic, f"{diagnostic.severity.value}[{diagnostic.code}]")
    lines = [f"{head}: {style.paint(diagnostic.message, bold=True)}"]
    span = diagnostic.span
    # Everything below is indented by the width of the line's number.
    margin = " " * (len(str(span.line)) if span is not None else 1)
    if span is not None:
        lines += _excerpt(diagnostic, span, style, margin)
    facts = _facts(diagnostic)
    facts += [("help", _write_help(fix, span)) for fix in diagnostic.fixes]
    equals = style.paint("=", "blue", bold=True)
    for name, text in facts:
        lines.append(f"{margin} {equals} {style.paint(name, bold=True)}: {text}")
    return "\n".join(lines)


def _excerpt(
    diagnostic: Diagnostic, span: Span, style: Style, margin: str
) -> list[str]:
    """The place, and its line with marks if the file can be read."""
    arrow = style.paint("-->", "blue", bold=True)
    bar = style.paint("|", "blue", bold=True)
    column = f":{span.column}" if span.column else ""
    lines = [f"{margin}{arrow} {shown_path(span.file)}:{span.line}{column}"]
    text = DISK.line_of(span.file, span.line).rstrip()
    if not text:
        return lines
    number = style.paint(str(span.line), "blue", bold=True)
    lines += [f"{margin} {bar}", f"{number} {bar} {visible(text)}"]
    marks = _mark(diagnostic, span, text, style)
    if marks:
        lines.append(f"{margin} {bar} {marks}")
    lines.append(f"{margin} {bar}")
    return lines


def _mark(diagnostic: Diagnostic, span: Span, text: str, style: Style) -> str:
    """The line below the user's line: carets under the span, and the label."""
    label = diagnostic.label
    if span.column is None:
        return style.severity(diagnostic, label) if label else ""
    end = len(text) + 1
    if span.end_line == span.line and span.end_column:
        end = span.end_column
    # Both are measured as printed: a control character takes four columns there, and a
    # tab as many as the terminal likes.
    before = visible(text[: span.column - 1])
    indent = "".join("\t" if char == "\t" else " " for char in before)
    carets = "^" * max(1, len(visible(text[span.column - 1 : end - 1])))
    return indent + style.severity(diagnostic, f"{carets} {label}" if label else carets)


def _facts(diagnostic: Diagnostic) -> list[tuple[str, str]]:
    """How the finding came about: the name and text of each line."""
    facts: list[tuple[str, str]] = []
    called = diagnostic.called_at
    where = f"called at {shown_path(called.file)}:{called.line}" if called else ""
    words = ", ".join(part for part in (diagnostic.layer, where) if part)
    if words:
        facts.append(("layer" if diagnostic.layer else "call", words))
    if len(diagnostic.trail) > 1:
        facts.append(("trail", write_trail(diagnostic.trail)))
    facts += [
        ("size", _write_origin(origin))
        for origin in diagnostic.origins
        if _says_more(origin, diagnostic)
    ]
    if diagnostic.is_after_fix:
        facts.append(("note", "raises after the fix above"))
    facts += [("note", note) for note in diagnostic.notes]
    for message, spans in _group_related_places(diagnostic).items():
        facts.append(("note", f"{message}: {_write_places(spans)}"))
    return facts


def _group_related_places(diagnostic: Diagnostic) -> dict[str, list[Span]]:
    """The related places of a finding by their message, without mere background."""
    places: dict[str, list[Span]] = {}
    for related in diagnostic.related:
        if not related.is_background:
            places.setdefault(related.message, []).append(related.span)
    return places


def _says_more(origin: SizeOrigin, diagnostic: Diagnostic) -> bool:
    """Whether an origin says what neither the line shown nor a note does."""
    span = diagnostic.span
    shown = (span.file, span.line) if span is not None else None
    is_shown = all((place.file, place.line) == shown for place in origin.places)
    equation = f"{origin.size} = {origin.expression}"
    is_noted = any(note.startswith(equation) for note in diagnostic.notes)
    return not is_shown and not is_noted


def _write_origin(origin: SizeOrigin) -> str:
    """A size and what it was computed from: `48 = emb + hid * 2 (model.py:5, 7)`."""
    computed = f" = {origin.expression}" if origin.expression else ""
    return f"{origin.size}{computed} ({_write_places(list(origin.places))})"


def _write_places(spans: list[Span]) -> str:
    """Places with the same message on one line: `model.py:7, 9, other.py:3`."""
    lines: dict[str, list[str]] = {}
    for span in spans:
        own = lines.setdefault(span.file, [])
        if str(span.line) not in own:
            own.append(str(span.line))
    return ", ".join(
        f"{shown_path(file)}:{', '.join(numbers)}" for file, numbers in lines.items()
    )


def write_trail(trail: tuple[TrailStep, ...]) -> str:
    """The shapes on the way to a finding: `1,3,32,32 -> stem Conv2d 1,16,32,32`."""
    steps = []
    for step in trail[1:]:
        name = " ".join(word for word in (step.layer, step.op) if word)
        steps.append(f"{name} {step.shape}")
    if len(steps) > _TRAIL_SHOWN:
        steps = [steps[0], "...", *steps[-3:]]
    return " -> ".join([trail[0].shape, *steps])


def _write_help(fix: Fix, primary: Span | None) -> str:
    """A fix and its cost, and its place if that is another line than the one shown."""
    facts = "verified" if fix.verified else "not verified"
    if fix.cost:
        facts += f"; {fix.cost}"
    return f"{fix.title}{_write_fix_place(fix, primary)}  [{facts}]"


def _write_fix_place(fix: Fix, primary: Span | None) -> str:
    if not fix.edits:
        return ""
    first = fix.edits[0]
    line = (first.file, first.start.line)
    if primary is not None and line == (primary.file, primary.line):
        return ""
    return f" at {shown_path(first.file)}:{first.start.line}"
