"""Findings with the user's own line, as rustc prints them; then the table and the
totals."""

from __future__ import annotations

from shapelint.apply.rounds import applicable
from shapelint.facts.diagnostics import Diagnostic, Fix, TrailStep
from shapelint.facts.escape import visible
from shapelint.facts.kinds import Status, TargetKind
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span
from shapelint.facts.versions import versions
from shapelint.render.style import Fixes, Style
from shapelint.render.table import render_table, totals_line
from shapelint.syntax.paths import shown_path
from shapelint.syntax.texts import DISK

ROWS_SHOWN = 80
_TRAIL_SHOWN = 6


def render_full(
    outcomes: list[Outcome], style: Style, report: bool, fixes: Fixes
) -> str:
    """The default format of `check`."""
    parts: list[str] = []
    for outcome in outcomes:
        if len(outcomes) > 1:
            parts.append(style.paint(f"# {outcome.report.target}", bold=True))
        parts += [
            render_diagnostic(diagnostic, style)
            for diagnostic in outcome.report.diagnostics
        ]
        if outcome.fault:
            parts.append(fault_text(outcome))
        if report and outcome.report.rows:
            parts.append(render_table(outcome.report, style, ROWS_SHOWN))
        if outcome.report.status is not Status.FAILED:
            is_model = outcome.report.kind is TargetKind.MODEL
            parts.append(
                totals_line(outcome.report)
                if is_model
                else "; ".join(outcome.report.notes)
            )
    parts.append(summary(outcomes, style, fixes))
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(outcomes: list[Outcome], style: Style, fixes: Fixes) -> str:
    """The last lines: how many findings, in how many targets, and how many of them
    could be fixed."""
    counts = {"error": 0, "warning": 0, "info": 0}
    for outcome in outcomes:
        for diagnostic in outcome.report.diagnostics:
            counts[diagnostic.severity.value] += 1
    failed = sum(outcome.report.status is Status.FAILED for outcome in outcomes)
    found = [
        f"{count} {name}{'s' if count > 1 else ''}"
        for name, count in counts.items()
        if count
    ]
    text = ", ".join(found) if found else "nothing found"
    where = f" in {len(outcomes)} targets" if len(outcomes) > 1 else ""
    if failed:
        where += f"; {failed} of {len(outcomes)} could not be checked"
    colour = "red" if counts["error"] else ("yellow" if counts["warning"] else "green")
    made = f"; {fixes.made} fixed" if fixes.made else ""
    known = sum(outcome.report.known for outcome in outcomes)
    made += f"; {known} in the baseline" if known else ""
    lines = [style.paint(text + where + made, colour, bold=True)]
    hint = _fixable(outcomes, fixes)
    return "\n".join([*lines, hint] if hint else lines)


def _fixable(outcomes: list[Outcome], fixes: Fixes) -> str:
    """What `--fix` would do, and `--unsafe-fixes` beyond it."""
    found = [item for outcome in outcomes for item in outcome.report.diagnostics]
    safe = sum(applicable(item, unsafe=False) is not None for item in found)
    unsafe = sum(applicable(item, unsafe=True) is not None for item in found) - safe
    parts = []
    if safe and not fixes.wanted:
        parts.append(f"{safe} fixable with `--fix`")
    if unsafe and not (fixes.wanted and fixes.unsafe):
        parts.append(
            f"{unsafe}{' more' if parts else ' fixable'} with `--fix --unsafe-fixes`"
        )
    return ", ".join(parts)


def fault_text(outcome: Outcome) -> str:
    """What is said where shapelint itself failed on a target."""
    return fault_text_of(outcome.fault or "", outcome.torch)


def fault_text_of(fault: str, torch: str | None) -> str:
    """A fault of ours, with the versions that a report of it must name."""
    found = versions(torch)
    named = f"shapelint {found['version']}, torch {found['torch']}, Python {found['python']}"
    return f"this is a fault of shapelint ({named}), not of your model; please report it with:\n{fault}"


def render_diagnostic(diagnostic: Diagnostic, style: Style) -> str:
    """One finding: headline, source line with the span marked, facts, verified
    fixes."""
    head = style.severity(diagnostic, f"{diagnostic.severity.value}[{diagnostic.code}]")
    lines = [f"{head}: {style.paint(diagnostic.message, bold=True)}"]
    margin = len(str(diagnostic.span.line)) if diagnostic.span else 1
    if diagnostic.span is not None:
        lines += _excerpt(diagnostic, diagnostic.span, style, margin)
    facts = _facts(diagnostic)
    facts += [("help", _help(fix, diagnostic.span)) for fix in diagnostic.fixes]
    equals = style.paint("=", "blue", bold=True)
    lines += [
        f"{' ' * margin} {equals} {style.paint(name, bold=True)}: {text}"
        for name, text in facts
    ]
    return "\n".join(lines)


def _excerpt(
    diagnostic: Diagnostic, span: Span, style: Style, margin: int
) -> list[str]:
    column = f":{span.column}" if span.column else ""
    arrow, bar = (
        style.paint("-->", "blue", bold=True),
        style.paint("|", "blue", bold=True),
    )
    lines = [f"{' ' * margin}{arrow} {shown_path(span.file)}:{span.line}{column}"]
    text = DISK.line_of(span.file, span.line).rstrip()
    if not text:
        return lines
    number = style.paint(str(span.line), "blue", bold=True)
    lines += [f"{' ' * margin} {bar}", f"{number} {bar} {visible(text)}"]
    if span.column is not None:
        end = (
            span.end_column
            if span.end_line == span.line and span.end_column
            else len(text) + 1
        )
        before = "".join(
            "\t" if char == "\t" else " " for char in visible(text[: span.column - 1])
        )
        width = len(visible(text[span.column - 1 : end - 1]))
        marks = style.severity(
            diagnostic,
            "^" * max(1, width) + (f" {diagnostic.label}" if diagnostic.label else ""),
        )
        lines.append(f"{' ' * margin} {bar} {before}{marks}")
    elif diagnostic.label:
        lines.append(
            f"{' ' * margin} {bar} {style.severity(diagnostic, diagnostic.label)}"
        )
    lines.append(f"{' ' * margin} {bar}")
    return lines


def _facts(diagnostic: Diagnostic) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    called = diagnostic.called_at
    where = f"called at {shown_path(called.file)}:{called.line}" if called else ""
    if diagnostic.layer or where:
        facts.append(
            (
                "layer" if diagnostic.layer else "call",
                ", ".join(p for p in (diagnostic.layer, where) if p),
            )
        )
    if len(diagnostic.trail) > 1:
        facts.append(("trail", trail_text(diagnostic.trail)))
    facts += [("note", note) for note in diagnostic.notes]
    helped = {
        (edit.file, edit.start.line)
        for fix in diagnostic.fixes
        for edit in fix.edits[:1]
    }
    places: dict[str, list[Span]] = {}
    for related in diagnostic.related:
        if not (
            related.is_other_place and (related.span.file, related.span.line) in helped
        ):
            places.setdefault(related.message, []).append(related.span)
    facts += [
        ("note", f"{message}: {_lines(spans)}") for message, spans in places.items()
    ]
    return facts


def _lines(spans: list[Span]) -> str:
    """Places of one sort in a line: `model.py:7, 9, other.py:3`."""
    files = dict.fromkeys(span.file for span in spans)
    return ", ".join(
        f"{shown_path(file)}:{', '.join(str(span.line) for span in spans if span.file == file)}"
        for file in files
    )


def trail_text(trail: tuple[TrailStep, ...]) -> str:
    """The way of the shapes; a long one without its middle."""
    steps = [
        f"{' '.join(word for word in (step.layer, step.op) if word)} {step.shape}"
        for step in trail[1:]
    ]
    if len(steps) > _TRAIL_SHOWN:
        steps = [steps[0], "...", *steps[-3:]]
    return " -> ".join([trail[0].shape, *steps])


def _help(fix: Fix, primary: Span | None) -> str:
    """A fix and what it costs; where it is made, if that is another line than the one
    shown."""
    words = ["verified"] if fix.verified else ["not verified"]
    first = fix.edits[0] if fix.edits else None
    elsewhere = first is not None and (
        primary is None
        or (first.file, first.start.line) != (primary.file, primary.line)
    )
    place = (
        f" at {shown_path(first.file)}:{first.start.line}"
        if first is not None and elsewhere
        else ""
    )
    return (
        f"{fix.title}{place}  [{'; '.join(words + ([fix.cost] if fix.cost else []))}]"
    )
