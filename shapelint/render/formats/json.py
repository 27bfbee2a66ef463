"""JSON, version 1. Other programs read it, so that fields may be added but not changed.
Its schema is `docs/schema.json`."""

from __future__ import annotations

from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, SizeOrigin
from shapelint.facts.escape import json_text
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span
from shapelint.facts.rows import Row
from shapelint.facts.versions import versions
from shapelint.render.format import Escaping, Format, Wanted
from shapelint.render.style import Style
from shapelint.render.summary import count_findings
from shapelint.syntax.paths import relative_path

VERSION = 1

JsonObject = dict[str, object]


class Json(Format):
    name = "json"
    escaping = Escaping.EXACT

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        return render_json(outcomes, wanted.fixes.made)

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_json([outcome], 0)


def render_json(outcomes: list[Outcome], fixed: int) -> str:
    """One document for all targets."""
    # Reading files starts no process with torch, so its version is not known.
    torch = next((outcome.torch for outcome in outcomes if outcome.torch), None)
    found = [item for outcome in outcomes for item in outcome.report.diagnostics]
    document = {
        "version": VERSION,
        "tool": versions(torch),
        "targets": [_target(outcome) for outcome in outcomes],
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in found],
        "summary": _summary(outcomes, fixed),
    }
    return json_text(document, indent=2) + "\n"


def _summary(outcomes: list[Outcome], fixed: int) -> JsonObject:
    reports = [outcome.report for outcome in outcomes]
    counts = count_findings(outcomes)
    return {
        **{f"{severity.value}s": count for severity, count in counts.items()},
        "targets": len(reports),
        "calls_checked": sum(report.calls_checked for report in reports),
        "calls_unchecked": sum(report.calls_unchecked for report in reports),
        "fixed": fixed,
    }


def _target(outcome: Outcome) -> JsonObject:
    report = outcome.report
    totals = report.totals
    data: JsonObject = {
        "target": report.target,
        "inputs": [str(value) for value in report.inputs],
        "status": report.status,
        "output": str(report.output) if report.output is not None else None,
        "layers": [_layer(row) for row in report.rows],
        "totals": {
            "params": totals.params,
            "trainable_params": totals.trainable_params,
            "param_bytes": totals.param_bytes,
            "mult_adds": totals.mult_adds,
            "features_params": totals.features_params,
            "head_params": totals.head_params,
        },
        "notes": report.notes,
    }
    if outcome.fault:
        data["fault"] = outcome.fault
    return data


def _layer(row: Row) -> JsonObject:
    return {
        "name": row.name,
        "op": row.op,
        "kind": row.kind,
        "inputs": [str(fact) for fact in row.inputs],
        "outputs": [str(fact) for fact in row.outputs],
        "params": row.params,
        "file": relative_path(row.file) if row.file else None,
        "line": row.line,
        "mult_adds": row.mult_adds,
        "repeat": row.repeat,
        "shared": row.shared,
        "failed": row.failed,
    }


def _span(span: Span | None) -> JsonObject | None:
    if span is None:
        return None
    return {
        "file": relative_path(span.file),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _edit(edit: Edit) -> JsonObject:
    return {
        "file": relative_path(edit.file),
        "start": {"line": edit.start.line, "column": edit.start.column},
        "end": {"line": edit.end.line, "column": edit.end.column},
        "replacement": edit.replacement,
    }


def _fix(fix: Fix) -> JsonObject:
    data: JsonObject = {
        "title": fix.title,
        "safety": fix.safety,
        "verified": fix.verified,
        "edits": [_edit(edit) for edit in fix.edits],
        "cost": fix.cost,
    }
    if fix.inputs:
        data["inputs"] = list(fix.inputs)
        data["runs"] = fix.runs
    return data


def _origin(origin: SizeOrigin) -> JsonObject:
    return {
        "size": origin.size,
        "expression": origin.expression or str(origin.size),
        "places": [_span(place) for place in origin.places],
    }


def _diagnostic(diagnostic: Diagnostic) -> JsonObject:
    related = [
        {
            "file": relative_path(each.span.file),
            "line": each.span.line,
            "column": each.span.column,
            "message": each.message,
        }
        for each in diagnostic.related
    ]
    trail = [
        {"layer": step.layer, "op": step.op, "shape": step.shape}
        for step in diagnostic.trail
    ]
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "target": diagnostic.target,
        "layer": diagnostic.layer,
        "location": _span(diagnostic.span),
        "called_at": _span(diagnostic.called_at),
        "related": related,
        "expected": diagnostic.expected,
        "found": diagnostic.found,
        "trail": trail,
        "origins": [_origin(each) for each in diagnostic.origins],
        "after_fix": diagnostic.is_after_fix,
        "notes": list(diagnostic.notes),
        "modes": list(diagnostic.modes),
        "fixes": [_fix(fix) for fix in diagnostic.fixes],
    }
