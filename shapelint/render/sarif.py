"""SARIF 2.1.0, as GitHub's code scanning and editors read it."""

from __future__ import annotations

import inspect
from typing import Any

from shapelint import __version__
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Severity
from shapelint.facts.escape import json_text
from shapelint.facts.findings import Rule
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span
from shapelint.render.fingerprints import (
    Finding,
    file_and_cell,
    findings,
    plain_text,
    uri,
)
from shapelint.render.full import trail_text
from shapelint.render.rule_pages import rule_page, summary
from shapelint.rules import catalogue

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(outcomes: list[Outcome]) -> str:
    """One run; every rule that found something is described, with its page."""
    found = findings(outcomes)
    codes = sorted({item.diagnostic.code for item in found})
    rules = [catalogue().rules[code] for code in codes if code in catalogue().rules]
    index = {rule.code: position for position, rule in enumerate(rules)}
    failed = [outcome for outcome in outcomes if outcome.report.status is Status.FAILED]
    run = {
        "tool": {
            "driver": {
                "name": "shapelint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            "SRCROOT": {
                "description": {"text": "The directory shapelint was started in."}
            }
        },
        "invocations": [
            {
                "executionSuccessful": not failed,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {
                            "text": f"`{outcome.report.target}` could not be checked"
                        },
                    }
                    for outcome in failed
                ],
            }
        ],
        "results": [_result(item, index) for item in found],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(document, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    page = rule_page(rule)
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": summary(rule)},
        "fullDescription": {
            "text": " ".join(
                (inspect.getdoc(rule) or rule.name).replace("#", "").split()
            )
        },
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": ["pytorch", type(rule).__module__.split(".")[-2]]},
    }


def _result(item: Finding, index: dict[str, int]) -> dict[str, Any]:
    diagnostic = item.diagnostic
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": LEVELS[diagnostic.severity],
        "message": {"text": plain_text(diagnostic)},
        "partialFingerprints": {"shapelint/v1": item.fingerprint},
    }
    if diagnostic.code in index:
        result["ruleIndex"] = index[diagnostic.code]
    location = _location(item.place, diagnostic)
    if location:
        result["locations"] = [location]
    related = [
        {**_location(each.span), "message": {"text": each.message}, "id": number}
        for number, each in enumerate(diagnostic.related, 1)
    ]
    if related:
        result["relatedLocations"] = related
    if len(diagnostic.trail) > 1:
        result["codeFlows"] = [_flow(item)]
    fixes = [
        _fix(fix)
        for fix in diagnostic.fixes
        if fix.edits and not any(_in_cell(edit) for edit in fix.edits)
    ]
    if fixes:
        result["fixes"] = fixes
    found = {
        "expected": diagnostic.expected,
        "found": diagnostic.found,
        "modes": list(diagnostic.modes),
    }
    result["properties"] = {
        key: value
        for key, value in {"target": diagnostic.target, **found}.items()
        if value
    }
    return result


def _in_cell(edit: Edit) -> bool:
    return bool(file_and_cell(edit.file)[1])


def _location(
    span: Span | None, diagnostic: Diagnostic | None = None
) -> dict[str, Any]:
    location: dict[str, Any] = {}
    logical = []
    if span is not None:
        _, cell = file_and_cell(span.file)
        location["physicalLocation"] = {
            "artifactLocation": _artifact(span.file),
            "region": {"startLine": 1}
            if cell
            else _region(span),  # lines of a cell are not those of the file
        }
        if cell:
            logical.append({"name": f"cell {cell}, line {span.line}", "kind": "cell"})
    if diagnostic is not None and diagnostic.layer:
        logical.append({"fullyQualifiedName": diagnostic.layer, "kind": "member"})
    if logical:
        location["logicalLocations"] = logical
    return location


def _artifact(file: str) -> dict[str, str]:
    where = uri(file)
    return (
        {"uri": where}
        if where.startswith("file:")
        else {"uri": where, "uriBaseId": "SRCROOT"}
    )


def _region(span: Span) -> dict[str, int]:
    region = {"startLine": span.line}
    if span.column is not None:
        region["startColumn"] = span.column
    if span.end_line is not None:
        region["endLine"] = span.end_line
    if span.end_column is not None and span.column is not None:
        region["endColumn"] = span.end_column
    return region


def _flow(item: Finding) -> dict[str, Any]:
    """The way of the shapes, each step at the line that its layer is called on."""
    rows = {row.name: row for row in item.outcome.report.rows if row.file and row.line}
    steps: list[dict[str, Any]] = []
    for number, step in enumerate(item.diagnostic.trail):
        row = rows.get(step.layer)
        span = (
            Span(row.file, row.line)
            if row is not None and row.file and row.line
            else None
        )
        name = " ".join(word for word in (step.layer, step.op) if word) or "input"
        location = {**_location(span), "message": {"text": f"{name} {step.shape}"}}
        steps.append({"location": location, "executionOrder": number + 1})
    last = {
        **_location(item.place),
        "message": {"text": item.diagnostic.label or item.diagnostic.message},
    }
    steps.append(
        {"location": last, "executionOrder": len(steps) + 1, "importance": "essential"}
    )
    return {
        "message": {"text": trail_text(item.diagnostic.trail)},
        "threadFlows": [{"locations": steps}],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    files = dict.fromkeys(edit.file for edit in fix.edits)
    changes = [
        {
            "artifactLocation": _artifact(file),
            "replacements": [
                _replacement(edit) for edit in fix.edits if edit.file == file
            ],
        }
        for file in files
    ]
    return {
        "description": {"text": f"{fix.title} ({fix.safety}; {fix.cost})"},
        "artifactChanges": changes,
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    region = {
        "startLine": edit.start.line,
        "startColumn": edit.start.column,
        "endLine": edit.end.line,
        "endColumn": edit.end.column,
    }
    return {"deletedRegion": region, "insertedContent": {"text": edit.replacement}}
