"""Reads files without running them, for `shapelint check train.py`. No torch here."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from shapelint import ops
from shapelint.asked.request import Read
from shapelint.facts.diagnostics import Diagnostic, Fix
from shapelint.facts.errors import UsageError
from shapelint.facts.findings import Finding
from shapelint.facts.kinds import CallKind, Safety, Status
from shapelint.facts.outcome import TargetReport
from shapelint.facts.places import Span
from shapelint.facts.rows import Row
from shapelint.known.suppressions import Acted, drop_ignored, drop_suppressed
from shapelint.reading.scopes import Files, Known
from shapelint.reading.script import read_script
from shapelint.reading.source_rule import SourceRule
from shapelint.rules import catalogue
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.cells import edit_in_cell, span_in_cell
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.edits import edit_texts
from shapelint.syntax.parsing import UnreadableError, parse_python
from shapelint.syntax.texts import Texts


@dataclass
class FoundInFiles:
    """The result of reading files: findings, the comments that suppressed others, and
    internal faults."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    acted: set[Acted] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def add(self, other: FoundInFiles) -> None:
        """Add the result of another file or another process."""
        self.diagnostics += other.diagnostics
        self.acted |= other.acted
        self.faults += other.faults


def read_files(
    files: Iterable[str], request: Read, texts: Texts, known: Known
) -> FoundInFiles:
    """Read files one after the other. A fault in one file does not stop the others."""
    found = FoundInFiles()
    for file in files:
        found.add(_Reader(file, request, known).read(texts))
    return found


@dataclass(frozen=True)
class _Reader:
    """Reads one file. `known`: the mode-dependent layers of models that were walked."""

    file: str
    request: Read
    known: Known

    def read(self, texts: Texts) -> FoundInFiles:
        """Return everything found in the file."""
        try:
            found = drop_ignored(self._check(texts), self.request.ignored_in)
            left, comments = drop_suppressed(found, texts)
        except Exception:
            # A fault of ours in one file must not hide what is found in the others.
            message = f"shapelint failed on `{self.file}`"
            fault = traceback.format_exc()
            return FoundInFiles([not_loadable(message, None, "")], faults=[fault])
        return FoundInFiles(
            [move_into_cells(item, texts) for item in left], set(comments)
        )

    def _check(self, texts: Texts) -> list[Diagnostic]:
        """Return the findings, each with its verified fixes."""
        path = os.path.abspath(self.file)
        try:
            # For the place of an error, which `_find` could not name.
            parse_python(texts.text_of(path))
        except UsageError as error:
            span: Span | None = None
            if isinstance(error, UnreadableError) and error.line:
                span = Span(path, error.line, error.column)
            message = f"`{self.file}` cannot be read: {error}"
            return [not_loadable(message, span, "")]
        findings = self._find(texts)
        counts = _count_codes(findings)
        return [
            replace(
                finding.diagnostic,
                fixes=tuple(self._verify_fixes(finding, counts, texts)),
            )
            for finding in findings
        ]

    def _find(self, texts: Texts) -> list[Finding]:
        script = read_script(self.file, Files(texts, self.known))
        if script is None:
            raise UnreadableError("it is not Python that can be parsed")
        rules = [
            rule
            for rule in catalogue().rules.values()
            if isinstance(rule, SourceRule) and rule.code in self.request.selected
        ]
        return [finding for rule in rules for finding in rule.check_script(script)]

    def _verify_fixes(
        self, finding: Finding, before: Counter[str], texts: Texts
    ) -> Iterator[Fix]:
        """Return the fixes that work: when the edited file is read again, the finding
        is gone and there is no new one."""
        code = finding.diagnostic.code
        rule = catalogue().rules[code]
        is_safe = isinstance(rule, SourceRule) and rule.fix_is_safe
        for candidate in finding.candidates:
            if edits_a_check(candidate.edits, texts):
                continue
            try:
                after = _count_codes(self._find(edit_texts(texts, candidate.edits)))
            except UsageError:
                continue
            # By their number: an edit may move the lines of the others.
            is_gone = after[code] < before[code]
            others = after.keys() - {code}
            if is_gone and all(after[other] <= before[other] for other in others):
                yield Fix(
                    candidate.title,
                    Safety.SAFE if is_safe else Safety.UNSAFE,
                    True,
                    candidate.edits,
                    "read again after it",
                )


def _count_codes(findings: Iterable[Finding]) -> Counter[str]:
    return Counter(finding.diagnostic.code for finding in findings)


def move_into_cells(item: Diagnostic, texts: Texts) -> Diagnostic:
    """Convert the places of a finding in a notebook, and those of its fixes, to cell
    and line."""
    if item.span is None or not item.span.file.endswith(".ipynb"):
        return item
    related = [
        replace(each, span=span_in_cell(each.span, texts)) for each in item.related
    ]
    fixes = []
    for fix in item.fixes:
        edits = tuple(edit_in_cell(edit, texts) for edit in fix.edits)
        fixes.append(replace(fix, edits=edits))
    return replace(
        item,
        span=span_in_cell(item.span, texts),
        related=tuple(related),
        fixes=tuple(fixes),
    )


def find_walked_layers(reports: Iterable[TargetReport]) -> Known:
    """The mode-dependent layers of walked models, by file and class. A script that
    makes such a model is judged by them."""
    known: Known = {}
    for report in reports:
        path, _, expression = report.target.partition(":")
        name = expression.lstrip(":").partition("(")[0]
        # A walk that ended early may not have come to all layers.
        is_walked = bool(report.rows) and report.status is Status.CHECKED
        if is_walked and name and os.path.isfile(path):
            layers = dict.fromkeys(row.op for row in report.rows if _acts_by_mode(row))
            known[os.path.abspath(path), name] = tuple(layers)
    return known


def _acts_by_mode(row: Row) -> bool:
    return row.kind is CallKind.MODULE and ops.of(row.op).by_mode
