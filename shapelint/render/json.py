"""JSON, version 1: others read it, so additions are free and changes are not."""

from __future__ import annotations

from typing import Any

from shapelint.facts.diagnostics import Diagnostic, Edit, Fix
from shapelint.facts.escape import json_text
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.places import Span
from shapelint.facts.rows import Row
from shapelint.facts.versions import versions
from shapelint.syntax.paths import relative_path

VERSION = 1


def render_json(outcomes: list[Outcome], fixed: int = 0) -> str:
    """One document for all targets; its schema is `docs/schema.json`."""
    torch = next((outcome.torch for outcome in outcomes if outcome.torch), None)
    reports = [outcome.report for outcome in outcomes]
    diagnostics = [
        diagnostic for report in reports for diagnostic in report.diagnostics
    ]
    counts = {
        name: sum(d.severity.value == name for d in diagnostics)
        for name in ("error", "warning", "info")
    }
    document = {
        "version": VERSION,
        "tool": versions(torch),
        "targets": [_target(outcome) for outcome in outcomes],
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
        "summary": {
            "errors": counts["error"],
            "warnings": counts["warning"],
            "infos": counts["info"],
            "targets": len(reports),
            "calls_checked": sum(report.calls_checked for report in reports),
            "calls_unchecked": sum(report.calls_unchecked for report in reports),
            "fixed": fixed,
        },
    }
    return json_text(document, indent=2) + "\n"


def _target(outcome: Outcome) -> dict[str, Any]:
    report: TargetReport = outcome.report
    totals = report.totals
    data: dict[str, Any] = {
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


def _layer(row: Row) -> dict[str, Any]:
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


def _span(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "file": relative_path(span.file),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {
        "file": relative_path(edit.file),
        "start": {"line": edit.start.line, "column": edit.start.column},
        "end": {"line": edit.end.line, "column": edit.end.column},
        "replacement": edit.replacement,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [_edit(edit) for edit in fix.edits]
    said = {
        "title": fix.title,
        "safety": fix.safety,
        "verified": fix.verified,
        "edits": edits,
        "cost": fix.cost,
    }
    return (
        {**said, "inputs": list(fix.inputs), "runs": fix.runs} if fix.inputs else said
    )


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "target": diagnostic.target,
        "layer": diagnostic.layer,
        "location": _span(diagnostic.span),
        "called_at": _span(diagnostic.called_at),
        "related": [
            {
                "file": relative_path(related.span.file),
                "line": related.span.line,
                "column": related.span.column,
                "message": related.message,
            }
            for related in diagnostic.related
        ],
        "expected": diagnostic.expected,
        "found": diagnostic.found,
        "trail": [
            {"layer": step.layer, "op": step.op, "shape": step.shape}
            for step in diagnostic.trail
        ],
        "notes": list(diagnostic.notes),
        "modes": list(diagnostic.modes),
        "fixes": [_fix(fix) for fix in diagnostic.fixes],
    }
