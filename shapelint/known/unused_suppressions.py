"""Comments that suppress nothing in a whole run. No torch here."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Edit, Fix
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import DiagnosticKind, Safety, Status, TargetKind
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.places import Position
from shapelint.known.suppressions import Suppression, span_of_comment, suppressions
from shapelint.reading.source_rule import SourceRule
from shapelint.rules import catalogue
from shapelint.rules.gaps.unused_suppression import UnusedSuppression
from shapelint.syntax.cells import edit_in_cell, span_in_cell
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import DISK


def with_unused(
    outcomes: list[Outcome], selected: list[Collection[str]]
) -> list[Outcome]:
    """The outcomes, with a finding for each comment that suppresses nothing, at the
    first target that shows it.

    `selected`: the rules that were on for each of them.
    """
    reports = [outcome.report for outcome in outcomes]
    for report in reports:
        report.diagnostics = [
            item
            for item in report.diagnostics
            if item.kind is not DiagnosticKind.COMMENT
        ]
    acted = {each for report in reports for each in report.acted}
    judged: dict[Suppression, tuple[TargetReport, set[str]]] = {}
    for report, on in zip(reports, selected, strict=True):
        for comment, rules in (
            _looked_at(report) if UnusedSuppression.code in on else ()
        ):
            known = judged.setdefault(comment, (report, set()))
            known[1].update(rules & set(on))
    for comment, (report, rules) in judged.items():
        found = _finding(
            comment, rules, {each[3] for each in acted if each[:3] == comment.place}
        )
        if found is not None:
            report.diagnostics.append(found.with_target(report.target))
            report.diagnostics.sort(key=lambda item: item.sort_key)
    return outcomes


def _looked_at(report: TargetReport) -> Iterator[tuple[Suppression, set[str]]]:
    """Comments in what a target's check looked at, and the rules that would have spoken
    there."""
    rules = catalogue().rules
    of_source = {code for code, rule in rules.items() if isinstance(rule, SourceRule)}
    if report.status is Status.FAILED:
        return
    if report.kind is TargetKind.SOURCE:
        for file in report.files:
            yield from (
                (comment, of_source)
                for comment in suppressions(os.path.abspath(file), DISK)
            )
        return
    if report.status is not Status.CHECKED:
        return
    lines: dict[str, set[int]] = {}
    for row in report.rows:
        if row.file and row.line:
            lines.setdefault(os.path.abspath(row.file), set()).add(row.line)
    for file, walked in lines.items():
        if "site-packages" in file:
            continue
        blocks = [
            block for block in _blocks(file) if any(line in block for line in walked)
        ]
        for comment in suppressions(file, DISK):
            if not comment.last or any(comment.line in block for block in blocks):
                yield comment, set(rules) - of_source - {UnusedSuppression.code}


def _blocks(file: str) -> list[range]:
    """The lines of each class and function of a file."""
    try:
        tree = parse_python(DISK.text_of(file))
    except UsageError:
        return []
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in tree.body
        if isinstance(node, kinds)
    ]


def _finding(
    comment: Suppression, rules: set[str], acted: set[str]
) -> Diagnostic | None:
    """`rules`: those that would have spoken there; `acted`: the codes of the comment
    that suppressed something."""
    known = catalogue().rules
    if not comment.codes:
        every = set(known) - {UnusedSuppression.code}
        if acted or comment.kind == "noqa" or not every <= rules:
            return None
        return _told(comment, "this suppresses nothing", ())
    unknown = [
        code
        for code in comment.codes
        if not any(each.startswith(code) for each in known)
    ]
    idle = [
        code
        for code in comment.codes
        if code not in unknown
        and code not in acted
        and {each for each in known if each.startswith(code)} <= rules
    ]
    if not unknown and not idle:
        return None
    left = tuple(
        code for code in comment.codes if code not in unknown and code not in idle
    )
    words = [*(f"{code}, which is no rule" for code in unknown), *idle]
    some = f": {', '.join(words)}" if left or unknown else ""
    return _told(comment, f"this suppresses nothing{some}", left)


def _told(comment: Suppression, message: str, left: tuple[str, ...]) -> Diagnostic:
    span = span_of_comment(comment)
    edit = _without(comment, left)
    title = f"`{', '.join(left)}` alone" if left else "without it"
    fixes = (
        (Fix(title, Safety.SAFE, True, (edit_in_cell(edit, DISK),)),)
        if edit is not None
        else ()
    )
    diagnostic = UnusedSuppression().diagnostic(message).at(span_in_cell(span, DISK))
    return replace(diagnostic, fixes=fixes)


def _without(comment: Suppression, left: tuple[str, ...]) -> Edit | None:
    """The comment taken away, with the white space before it and the line if it was
    alone; or some of its codes."""
    line = DISK.line_of(comment.file, comment.line)
    text = line[comment.column - 1 : comment.end_column - 1]
    if comment.kind == "noqa" and (
        left
        or any(word.isupper() and not word.startswith("SHP") for word in text.split())
    ):
        return None  # other linters' codes are in it
    start, end = (
        Position(comment.line, comment.column),
        Position(comment.line, comment.end_column),
    )
    if left:
        inside = text.partition("[")[2].partition("]")[0]
        return Edit(comment.file, start, end, text.replace(inside, ", ".join(left), 1))
    before = line[: comment.column - 1]
    if not before.strip() and comment.end_column > len(line.rstrip()):
        return Edit(
            comment.file, Position(comment.line, 1), Position(comment.line + 1, 1), ""
        )
    return Edit(comment.file, Position(comment.line, len(before.rstrip()) + 1), end, "")
