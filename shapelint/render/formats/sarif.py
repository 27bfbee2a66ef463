"""SARIF 2.1.0, as GitHub's code scanning and editors read it.

The standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""

from __future__ import annotations

import inspect

from shapelint import __version__
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from shapelint.facts.escape import json_text
from shapelint.facts.findings import Rule
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span
from shapelint.facts.rows import Row
from shapelint.render.finding_text import write_trail
from shapelint.render.fingerprints import (
    ReportedFinding,
    file_and_cell,
    list_findings,
    plain_text,
    uri,
)
from shapelint.render.format import Escaping, Format, Wanted
from shapelint.render.rule_pages import rule_page, summarise_rule
from shapelint.rules import catalogue

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}

JsonObject = dict[str, object]


class Sarif(Format):
    """One run, which describes every rule that found something, with its page."""

    name = "sarif"
    escaping = Escaping.EXACT

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        found = list_findings(outcomes)
        known = catalogue().rules
        codes = sorted({item.diagnostic.code for item in found} & known.keys())
        rules = [known[code] for code in codes]
        index = {rule.code: position for position, rule in enumerate(rules)}
        source_root = {"text": "The directory shapelint was started in."}
        run = {
            "tool": {"driver": _driver(rules)},
            # As `Span` counts columns; the standard knows UTF-16 units too.
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"SRCROOT": {"description": source_root}},
            "invocations": [_invocation(outcomes)],
            "results": [_result(item, index) for item in found],
        }
        document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
        return json_text(document, indent=2) + "\n"


# -- the run


def _driver(rules: list[Rule]) -> JsonObject:
    return {
        "name": "shapelint",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: Rule) -> JsonObject:
    page = rule_page(rule)
    # A `text` is shown as it is: no Markdown, so no headings.
    text = (inspect.getdoc(rule) or rule.name).replace("#", "")
    family = type(rule).__module__.split(".")[-2]
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": summarise_rule(rule)},
        "fullDescription": {"text": " ".join(text.split())},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": ["pytorch", family]},
    }


def _invocation(outcomes: list[Outcome]) -> JsonObject:
    """Whether everything was checked. A target that could not be checked is not a
    result, since it may have any number of findings."""
    failed = [
        outcome.report.target
        for outcome in outcomes
        if outcome.report.status is Status.FAILED
    ]
    notifications = [
        {"level": "error", "message": {"text": f"`{target}` could not be checked"}}
        for target in failed
    ]
    return {
        "executionSuccessful": not failed,
        "toolExecutionNotifications": notifications,
    }


# -- results


def _result(item: ReportedFinding, index: dict[str, int]) -> JsonObject:
    diagnostic = item.diagnostic
    result: JsonObject = {
        "ruleId": diagnostic.code,
        "level": LEVELS[diagnostic.severity],
        "message": {"text": plain_text(diagnostic)},
        # Versioned, as the standard wants it: made in another way, it is a `v2`.
        "partialFingerprints": {"shapelint/v1": item.fingerprint},
    }
    if diagnostic.code in index:
        result["ruleIndex"] = index[diagnostic.code]
    location = _location(item.place, diagnostic.layer)
    if location:
        result["locations"] = [location]
    if diagnostic.related:
        result["relatedLocations"] = [
            _write_related_location(number, each)
            for number, each in enumerate(diagnostic.related, 1)
        ]
    if len(diagnostic.trail) > 1:
        result["codeFlows"] = [_flow(item)]
    fixes = [_fix(fix) for fix in diagnostic.fixes if _can_apply(fix)]
    if fixes:
        result["fixes"] = fixes
    result["properties"] = _properties(diagnostic)
    return result


def _write_related_location(number: int, related: Related) -> JsonObject:
    location = _location(related.span)
    return {**location, "message": {"text": related.message}, "id": number}


def _properties(diagnostic: Diagnostic) -> JsonObject:
    properties: JsonObject = {
        "target": diagnostic.target,
        "expected": diagnostic.expected,
        "found": diagnostic.found,
        "modes": list(diagnostic.modes),
    }
    return {key: value for key, value in properties.items() if value}


def _flow(item: ReportedFinding) -> JsonObject:
    """The trail of shapes, each step at the line that calls its layer."""
    rows = {row.name: row for row in item.outcome.report.rows}
    trail = item.diagnostic.trail
    steps: list[JsonObject] = []
    for number, step in enumerate(trail, 1):
        name = " ".join(word for word in (step.layer, step.op) if word) or "input"
        location: JsonObject = _location(_span_of(rows.get(step.layer)))
        location["message"] = {"text": f"{name} {step.shape}"}
        steps.append({"location": location, "executionOrder": number})
    last: JsonObject = _location(item.place)
    last["message"] = {"text": item.diagnostic.label or item.diagnostic.message}
    order = len(trail) + 1
    steps.append({"location": last, "executionOrder": order, "importance": "essential"})
    return {
        "message": {"text": write_trail(trail)},
        "threadFlows": [{"locations": steps}],
    }


def _span_of(row: Row | None) -> Span | None:
    if row is None or not row.file or not row.line:
        return None
    return Span(row.file, row.line)


# -- places


def _location(span: Span | None, layer: str = "") -> JsonObject:
    location: JsonObject = {}
    logical = []
    if span is not None:
        _, cell = file_and_cell(span.file)
        # Lines of a cell are not those of the file, in which readers would look.
        region = {"startLine": 1} if cell else _region(span)
        location["physicalLocation"] = {
            "artifactLocation": _artifact(span.file),
            "region": region,
        }
        if cell:
            logical.append({"name": f"cell {cell}, line {span.line}", "kind": "cell"})
    if layer:
        logical.append({"fullyQualifiedName": layer, "kind": "member"})
    if logical:
        location["logicalLocations"] = logical
    return location


def _artifact(file: str) -> dict[str, str]:
    where = uri(file)
    if where.startswith("file:"):
        return {"uri": where}
    return {"uri": where, "uriBaseId": "SRCROOT"}


def _region(span: Span) -> dict[str, int]:
    region = {"startLine": span.line}
    if span.column is not None:
        region["startColumn"] = span.column
    if span.end_line is not None:
        region["endLine"] = span.end_line
    if span.end_column is not None and span.column is not None:
        region["endColumn"] = span.end_column
    return region


# -- fixes


def _can_apply(fix: Fix) -> bool:
    """Whether a reader could apply a fix. The lines of a notebook's cell are not lines
    of its file."""
    in_cells = any(file_and_cell(edit.file)[1] for edit in fix.edits)
    return bool(fix.edits) and not in_cells


def _fix(fix: Fix) -> JsonObject:
    edits: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        edits.setdefault(edit.file, []).append(edit)
    changes = [
        {
            "artifactLocation": _artifact(file),
            "replacements": [_replacement(edit) for edit in own],
        }
        for file, own in edits.items()
    ]
    return {
        "description": {"text": f"{fix.title} ({fix.safety}; {fix.cost})"},
        "artifactChanges": changes,
    }


def _replacement(edit: Edit) -> JsonObject:
    region = {
        "startLine": edit.start.line,
        "startColumn": edit.start.column,
        "endLine": edit.end.line,
        "endColumn": edit.end.column,
    }
    return {"deletedRegion": region, "insertedContent": {"text": edit.replacement}}
