"""`shapelint check train.py`: files and folders that are read and not run. No torch
here."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from shapelint.asked.request import Read
from shapelint.facts.diagnostics import Diagnostic, Fix
from shapelint.facts.errors import UsageError
from shapelint.facts.findings import Finding
from shapelint.facts.kinds import Safety, Status
from shapelint.facts.outcome import TargetReport
from shapelint.facts.places import Span
from shapelint.known.suppressions import Acted, not_ignored, suppressed
from shapelint.reading.files import BY_MODE, Files, Known
from shapelint.reading.script import read
from shapelint.reading.source_rule import SourceRule
from shapelint.rules import catalogue
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.cells import edit_in_cell, span_in_cell
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.edits import edit_texts
from shapelint.syntax.parsing import UnreadableError, parse_python
from shapelint.syntax.texts import Texts

SAFE = {"SHP406"}
"""Rules whose fix changes no result."""


@dataclass
class FoundInFiles:
    """What was found in files that were read: findings, what suppressed others, and
    faults of ours."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    acted: set[Acted] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def add(self, other: FoundInFiles) -> None:
        """Put what another process or another file gave with it."""
        self.diagnostics += other.diagnostics
        self.acted |= other.acted
        self.faults += other.faults


def read_files(
    files: Iterable[str], request: Read, texts: Texts, known: Known
) -> FoundInFiles:
    """What there is in files, one after the other; what goes wrong with one is not the
    end of the others."""
    all_found = FoundInFiles()
    for file in files:
        all_found.add(_read_file(file, request, texts, known))
    return all_found


def _read_file(file: str, request: Read, texts: Texts, known: Known) -> FoundInFiles:
    try:
        found = _checked(file, request, texts, known)
        left, comments = suppressed(not_ignored(found, request.ignored_in), texts)
    except Exception:
        return FoundInFiles(
            [not_loadable(f"shapelint failed on `{file}`", None, "")],
            faults=[traceback.format_exc()],
        )
    return FoundInFiles([in_cells(item, texts) for item in left], set(comments))


def _checked(file: str, request: Read, texts: Texts, known: Known) -> list[Diagnostic]:
    """The findings in one file, each with the fixes that hold."""
    try:
        parse_python(texts.text_of(os.path.abspath(file)))
    except UnreadableError as error:
        span = (
            Span(os.path.abspath(file), error.line, error.column)
            if error.line
            else None
        )
        return [not_loadable(f"`{file}` cannot be read: {error}", span, "")]
    except UsageError as error:
        return [not_loadable(f"`{file}` cannot be read: {error}", None, "")]
    found = _findings(file, request.selected, texts, known)
    return [
        replace(
            each.diagnostic,
            fixes=tuple(_fixes(each, found, file, request, texts, known)),
        )
        for each in found
    ]


def in_cells(item: Diagnostic, texts: Texts) -> Diagnostic:
    """A finding in a notebook with cell and line as its places, its fixes too."""
    if item.span is None or not item.span.file.endswith(".ipynb"):
        return item
    return replace(
        item,
        span=span_in_cell(item.span, texts),
        related=tuple(
            replace(each, span=span_in_cell(each.span, texts)) for each in item.related
        ),
        fixes=tuple(
            replace(fix, edits=tuple(edit_in_cell(edit, texts) for edit in fix.edits))
            for fix in item.fixes
        ),
    )


def _findings(
    file: str, selected: Iterable[str], texts: Texts, known: Known
) -> list[Finding]:
    script = read(file, Files(texts, known))
    if script is None:
        raise UnreadableError("it is no Python that can be parsed")
    rules = [
        rule
        for rule in catalogue().rules.values()
        if isinstance(rule, SourceRule) and rule.code in selected
    ]
    return [finding for rule in rules for finding in rule.check_script(script)]


def _fixes(
    finding: Finding,
    before: list[Finding],
    file: str,
    request: Read,
    texts: Texts,
    known: Known,
) -> Iterator[Fix]:
    """Candidates after which the file is read again: the finding must be gone, and
    nothing new there."""
    old = Counter(each.diagnostic.code for each in before)
    code = finding.diagnostic.code
    for candidate in finding.candidates:
        if edits_a_check(candidate.edits, texts):
            continue
        changed = edit_texts(texts, candidate.edits)
        try:
            after = _findings(file, request.selected, changed, known)
        except UsageError:
            continue
        new = Counter(each.diagnostic.code for each in after)
        if new[code] < old[code] and all(
            new[other] <= old[other] for other in new if other != code
        ):
            yield Fix(
                candidate.title,
                Safety.SAFE if code in SAFE else Safety.UNSAFE,
                True,
                candidate.edits,
                "read again after it",
            )


def layers_walked(reports: Iterable[TargetReport]) -> Known:
    """What walks know of the layers of their models that act by mode."""
    known: Known = {}
    for report in reports:
        path, _, expression = report.target.partition(":")
        name = expression.lstrip(":").partition("(")[0]
        if (
            report.rows
            and name
            and os.path.isfile(path)
            and report.status is Status.CHECKED
        ):
            known[(os.path.abspath(path), name)] = tuple(
                dict.fromkeys(row.op for row in report.rows if row.op in BY_MODE)
            )
    return known
