"""Comments that suppress findings, and which of them did.

`# shapelint: ignore[SHP301] reason` on a line of the statement, or alone above it; `#
shapelint: file-ignore[SHP301]` for the file; `# noqa: SHP301` as other linters have it.
No torch here."""

from __future__ import annotations

import ast
import fnmatch
import io
import os
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.errors import UsageError
from shapelint.facts.outcome import TargetReport
from shapelint.facts.places import Span
from shapelint.rules import catalogue
from shapelint.syntax.notebooks import CELL
from shapelint.syntax.parsing import UnreadableError, parse_python
from shapelint.syntax.texts import Texts

_OWN = re.compile(
    r"#\s*shapelint:\s*(?P<word>file-ignore|ignore)\b(?:\[(?P<codes>[^\]]*)\])?"
)
_NOQA = re.compile(
    r"#\s*noqa(?P<colon>:\s*(?P<codes>[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Suppression:
    """One comment: its place, what it suppresses (nothing: everything), and the lines
    it is for.

    `column` and `end_column`: of the comment, in characters from 1. `first` and `last`:
    0 for a whole file."""

    file: str
    line: int
    column: int
    end_column: int
    codes: tuple[str, ...]
    first: int
    last: int
    kind: str

    @property
    def place(self) -> tuple[str, int, int]:
        """File, line and column."""
        return (self.file, self.line, self.column)

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding is suppressed by it."""
        if self.codes and not any(
            diagnostic.code.startswith(code) for code in self.codes
        ):
            return False
        if not diagnostic.is_about_code:
            return False
        spans = [
            span
            for span in (diagnostic.span, diagnostic.called_at)
            if span is not None and span.file == self.file
        ]
        return any(
            not self.last or self.first <= span.line <= self.last for span in spans
        )


def suppressions(file: str, texts: Texts) -> tuple[Suppression, ...]:
    """Every suppressing comment of a file; none where it cannot be read."""
    try:
        return _of_text(file, texts.text_of(file))
    except UsageError:
        return ()


@lru_cache(maxsize=256)
def _of_text(file: str, text: str) -> tuple[Suppression, ...]:
    if "shapelint:" not in text and "noqa" not in text.lower():
        return ()
    try:
        found = tuple(_read(file, text))
    except (tokenize.TokenError, SyntaxError, IndentationError, UnreadableError):
        return ()
    return found


def _read(file: str, text: str) -> Iterator[Suppression]:
    statements = _statements(text)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, column = token.start
        alone = not token.line[:column].strip()
        for match in _OWN.finditer(token.string):
            codes = tuple(
                _code(word)
                for word in (match["codes"] or "").split(",")
                if word.strip()
            )
            whole = match["word"] == "file-ignore"
            first, last = (0, 0) if whole else _lines(statements, line, alone)
            begin = column + match.start() + 1
            yield Suppression(
                file,
                line,
                begin,
                column + len(token.string) + 1,
                codes,
                first,
                last,
                match["word"],
            )
        for match in _NOQA.finditer(token.string):
            named = [word for word in re.split(r"[,\s]+", match["codes"] or "") if word]
            codes = tuple(
                word.upper() for word in named if word.upper().startswith("SHP")
            )
            if named and not codes:
                continue  # other linters' codes
            first, last = _lines(statements, line, False)
            begin = column + match.start() + 1
            yield Suppression(
                file, line, begin, column + match.end() + 1, codes, first, last, "noqa"
            )


def _code(word: str) -> str:
    """A rule's code for its code or name; as it is where there is none, so that it is
    never used."""
    wanted = word.strip()
    for rule in catalogue().rules.values():
        if wanted.lower() == rule.name:
            return rule.code
    return wanted.upper()


def _statements(text: str) -> list[tuple[int, int]]:
    """First and last line of each statement, of one with a body that of its head; the
    smallest last."""
    found = []
    for node in ast.walk(parse_python(text)):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        decorators = [each.lineno for each in getattr(node, "decorator_list", [])]
        last = node.end_lineno or node.lineno
        if isinstance(body, list) and body:
            last = max(node.lineno, min(each.lineno for each in body) - 1)
        found.append((min([node.lineno, *decorators]), last))
    return sorted(found, key=lambda lines: lines[0] - lines[1])


def _lines(
    statements: list[tuple[int, int]], line: int, alone: bool
) -> tuple[int, int]:
    """The lines a comment is for: of the statement it stands in; alone on its line, of
    the one that begins next."""
    around = [lines for lines in statements if lines[0] <= line <= lines[1]]
    if around and not (alone and around[-1][0] == line):
        return around[-1]
    later = [lines for lines in statements if lines[0] > line] if alone else []
    return min(later) if later else (line, line)


Acted = tuple[str, int, int, str]
"""File, line and column of a comment, and the code in it that suppressed something;
empty for all codes."""


def suppressed(
    diagnostics: Iterable[Diagnostic], texts: Texts
) -> tuple[list[Diagnostic], set[Acted]]:
    """The findings that are left, and what suppressed the others."""
    left: list[Diagnostic] = []
    acted: set[Acted] = set()
    for item in diagnostics:
        files = dict.fromkeys(
            span.file for span in (item.span, item.called_at) if span is not None
        )
        fitting = [
            each
            for file in files
            for each in suppressions(file, texts)
            if each.covers(item)
        ]
        if not fitting:
            left.append(item)
        for each in fitting:
            codes = [code for code in each.codes if item.code.startswith(code)] or [""]
            acted |= {(each.file, each.line, each.column, code) for code in codes}
    return left, acted


def not_ignored(
    diagnostics: Iterable[Diagnostic], ignored_in: Mapping[str, Iterable[str]]
) -> list[Diagnostic]:
    """The findings without those whose rule is off in their file: codes by patterns of
    absolute paths."""

    def is_off(item: Diagnostic) -> bool:
        place = item.place
        file = (
            os.path.abspath(place.file.partition(CELL)[0]) if place is not None else ""
        )
        return any(
            file
            and (
                fnmatch.fnmatch(file, pattern) or fnmatch.fnmatch(file, f"{pattern}/*")
            )
            and item.code in codes
            for pattern, codes in ignored_in.items()
        )

    return [item for item in diagnostics if not is_off(item)]


def quieten(
    report: TargetReport, ignored_in: Mapping[str, Iterable[str]], texts: Texts
) -> TargetReport:
    """A report without what comments suppress, and what is off in its file."""
    report.diagnostics = not_ignored(report.diagnostics, ignored_in)
    left, acted = suppressed(report.diagnostics, texts)
    report.suppressed += len(report.diagnostics) - len(left)
    report.diagnostics = left
    report.acted = sorted({*report.acted, *acted})
    return report


def span_of_comment(comment: Suppression) -> Span:
    """Where a comment stands."""
    return Span(
        comment.file, comment.line, comment.column, comment.line, comment.end_column
    )
