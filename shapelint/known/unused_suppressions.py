"""Finds comments that suppress nothing in a whole run. No torch here."""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from shapelint.facts.diagnostics import Diagnostic, Edit, Fix
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import DiagnosticKind, Safety, Status, TargetKind
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.places import Position
from shapelint.known.suppressions import (
    CommentPlace,
    Suppression,
    SuppressionKind,
    suppressions,
)
from shapelint.reading.source_rule import SourceRule
from shapelint.rules import catalogue
from shapelint.rules.gaps.unused_suppression import UnusedSuppression
from shapelint.syntax.cells import edit_in_cell, span_in_cell
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import DISK


@dataclass
class _SeenComment:
    """A comment, the first target whose check saw it, and the rules that could have
    reported there."""

    comment: Suppression
    report: TargetReport
    rules: set[str] = field(default_factory=set)


def with_unused(
    outcomes: list[Outcome], selected: list[Collection[str]]
) -> list[Outcome]:
    """Add a finding for each comment that suppresses nothing, at the first target whose
    check saw it.

    `selected`: the rules that were on for each outcome."""
    # Called again after fixes, so the earlier findings about comments are dropped.
    reports = [outcome.report for outcome in outcomes]
    for report in reports:
        report.diagnostics = [
            item
            for item in report.diagnostics
            if item.kind is not DiagnosticKind.COMMENT
        ]
    acted = _codes_by_place(reports)
    for judged in _judge_comments(reports, selected):
        comment, report = judged.comment, judged.report
        found = _find_unused(comment, judged.rules, acted[comment.place])
        if found is not None:
            report.diagnostics.append(found.with_target(report.target))
            report.diagnostics.sort(key=lambda item: item.sort_key)
    return outcomes


def _codes_by_place(
    reports: list[TargetReport],
) -> defaultdict[CommentPlace, set[str]]:
    """The codes that suppressed something in any report, by the place of their
    comment."""
    codes: defaultdict[CommentPlace, set[str]] = defaultdict(set)
    for report in reports:
        for file, line, column, code in report.acted:
            codes[file, line, column].add(code)
    return codes


def _judge_comments(
    reports: list[TargetReport], selected: list[Collection[str]]
) -> list[_SeenComment]:
    """Every comment once, however many targets saw it."""
    judged: dict[Suppression, _SeenComment] = {}
    for report, on in zip(reports, selected, strict=True):
        if UnusedSuppression.code not in on:
            continue
        for comment, rules in _comments_seen(report):
            known = judged.setdefault(comment, _SeenComment(comment, report))
            known.rules |= rules & set(on)
    return list(judged.values())


def _comments_seen(report: TargetReport) -> Iterator[tuple[Suppression, set[str]]]:
    """The comments in the code that a check read or ran, and the rules that could have
    reported there."""
    rules = catalogue().rules
    of_source = {code for code, rule in rules.items() if isinstance(rule, SourceRule)}
    of_walks = rules.keys() - of_source - {UnusedSuppression.code}
    if report.kind is TargetKind.SOURCE and report.status is not Status.FAILED:
        for file in report.files:
            for comment in suppressions(os.path.abspath(file), DISK):
                yield comment, of_source
    # a walk that ended early says nothing about the code after its end
    if report.kind is TargetKind.MODEL and report.status is Status.CHECKED:
        for file, lines in _lines_walked(report).items():
            for comment in _comments_walked(file, lines):
                yield comment, of_walks


def _lines_walked(report: TargetReport) -> dict[str, set[int]]:
    """The lines of the user's files that ran, by absolute path."""
    lines: dict[str, set[int]] = defaultdict(set)
    for row in report.rows:
        if row.file and row.line:
            lines[os.path.abspath(row.file)].add(row.line)
    return {file: own for file, own in lines.items() if "site-packages" not in file}


def _comments_walked(file: str, lines: set[int]) -> Iterator[Suppression]:
    """The comments for a whole file, and those inside classes and functions of which
    some line ran. Others may belong to code that this target does not use."""
    blocks = [block for block in _blocks(file) if not lines.isdisjoint(block)]
    walked = {line for block in blocks for line in block}
    for comment in suppressions(file, DISK):
        if comment.is_for_file or comment.line in walked:
            yield comment


def _blocks(file: str) -> list[range]:
    """The lines of each class and function of a file."""
    try:
        tree = parse_python(DISK.text_of(file))
    except UsageError:
        return []
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in tree.body if isinstance(node, kinds)]
    return [range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in nodes]


def _find_unused(
    comment: Suppression, rules: set[str], acted: set[str]
) -> Diagnostic | None:
    """Build the finding if codes of a comment suppress nothing. `rules`: those that
    could have reported there. `acted`: the codes of the comment that suppressed
    something."""
    if not comment.codes:
        return _find_unused_for_all(comment, rules, acted)
    unknown: list[str] = []
    idle: list[str] = []
    left: list[str] = []
    for code in comment.codes:
        named = _rules_named(code)
        if not named:
            unknown.append(code)
        elif code not in acted and named <= rules:
            idle.append(code)
        else:
            left.append(code)
    if not unknown and not idle:
        return None
    words = [*(f"{code}, which is not a rule" for code in unknown), *idle]
    # if no code is left and none is unknown, the whole comment is unused
    some = f": {', '.join(words)}" if left or unknown else ""
    return _diagnostic(comment, f"this suppresses nothing{some}", tuple(left))


def _find_unused_for_all(
    comment: Suppression, rules: set[str], acted: set[str]
) -> Diagnostic | None:
    """Build the finding for an unused comment without codes. A bare `# noqa` may be
    meant for another linter."""
    every = set(catalogue().rules) - {UnusedSuppression.code}
    if acted or comment.kind is SuppressionKind.NOQA or not every <= rules:
        return None
    return _diagnostic(comment, "this suppresses nothing", ())


def _rules_named(code: str) -> set[str]:
    """The rules that a code, or the beginning of one, stands for."""
    return {each for each in catalogue().rules if each.startswith(code)}


def _diagnostic(
    comment: Suppression, message: str, left: tuple[str, ...]
) -> Diagnostic:
    """The finding, with its fix. `left`: the codes that the comment keeps."""
    place = span_in_cell(comment.span, DISK)
    diagnostic = UnusedSuppression().diagnostic(message).at(place)
    edit = _remove_comment(comment, left)
    if edit is None:
        return diagnostic
    title = f"`{', '.join(left)}` alone" if left else "without it"
    fix = Fix(title, Safety.SAFE, True, (edit_in_cell(edit, DISK),))
    return replace(diagnostic, fixes=(fix,))


def _remove_comment(comment: Suppression, left: tuple[str, ...]) -> Edit | None:
    """The edit that removes a comment, with the white space before it and the line if
    nothing else is on it, or that removes some of its codes."""
    line = DISK.line_of(comment.file, comment.line)
    text = line[comment.column - 1 : comment.end_column - 1]
    is_noqa = comment.kind is SuppressionKind.NOQA
    if is_noqa and (left or _has_others_codes(text)):
        return None
    end = Position(comment.line, comment.end_column)
    if left:
        start = Position(comment.line, comment.column)
        inside = text.partition("[")[2].partition("]")[0]
        return Edit(comment.file, start, end, text.replace(inside, ", ".join(left), 1))
    before = line[: comment.column - 1].rstrip()
    is_whole_line = not before and comment.end_column > len(line.rstrip())
    if is_whole_line:
        first, next_line = Position(comment.line, 1), Position(comment.line + 1, 1)
        return Edit(comment.file, first, next_line, "")
    return Edit(comment.file, Position(comment.line, len(before) + 1), end, "")


def _has_others_codes(noqa: str) -> bool:
    """Whether a `# noqa` also names codes of other linters."""
    words = noqa.split()
    return any(word.isupper() and not word.startswith("SHP") for word in words)
