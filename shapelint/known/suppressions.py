"""Comments that suppress findings.

`# shapelint: ignore[SHP301] reason` on a line of the statement, or alone above it;
`# shapelint: file-ignore[SHP301]` for the file; `# noqa: SHP301` as in other linters.
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
from shapelint.facts.kinds import Word
from shapelint.facts.outcome import TargetReport
from shapelint.facts.places import Span
from shapelint.rules import catalogue
from shapelint.syntax.notebooks import CELL
from shapelint.syntax.parsing import UnreadableError, parse_python
from shapelint.syntax.texts import Texts

_OWN = re.compile(
    r"#\s*shapelint:\s*(?P<word>file-ignore|ignore)\b(?:\[(?P<codes>[^\]]*)\])?"
)
# As flake8 reads it: in any case, codes divided by commas or blanks.
_NOQA = re.compile(
    r"#\s*noqa(?P<colon>:\s*(?P<codes>[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*))?", re.IGNORECASE
)


Lines = tuple[int, int]
"""First and last line."""

WHOLE_FILE: Lines = (0, 0)

CommentPlace = tuple[str, int, int]
"""File, line and column of a comment."""

Acted = tuple[str, int, int, str]
"""A comment that suppressed something: file, line, column, and the code in the comment,
empty for all codes."""


class SuppressionKind(Word):
    """The kinds of suppressing comments."""

    IGNORE = "ignore"
    FILE_IGNORE = "file-ignore"
    NOQA = "noqa"


@dataclass(frozen=True)
class Suppression:
    """One comment: its place, the codes that it suppresses (none: all), and the lines
    it applies to.

    `column` and `end_column` delimit the comment, in characters from 1. `first` and
    `last` are 0 for a whole file."""

    file: str
    line: int
    column: int
    end_column: int
    codes: tuple[str, ...]
    first: int
    last: int
    kind: SuppressionKind

    @property
    def place(self) -> CommentPlace:
        """Identifies the comment."""
        return (self.file, self.line, self.column)

    @property
    def span(self) -> Span:
        """The place of the comment."""
        return Span(self.file, self.line, self.column, self.line, self.end_column)

    @property
    def is_for_file(self) -> bool:
        """Whether it applies to all lines of its file."""
        return (self.first, self.last) == WHOLE_FILE

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether it suppresses a finding."""
        if not diagnostic.is_about_code:
            return False
        is_named = any(diagnostic.code.startswith(code) for code in self.codes)
        if self.codes and not is_named:
            return False
        places = (diagnostic.span, diagnostic.called_at)
        return any(place is not None and self._is_for(place) for place in places)

    def _is_for(self, place: Span) -> bool:
        if place.file != self.file:
            return False
        return self.is_for_file or self.first <= place.line <= self.last


def suppressions(file: str, texts: Texts) -> tuple[Suppression, ...]:
    """Every suppressing comment of a file; empty if it cannot be read."""
    try:
        return _of_text(file, texts.text_of(file))
    except UsageError:
        return ()


@lru_cache(maxsize=256)
def _of_text(file: str, text: str) -> tuple[Suppression, ...]:
    # Most files have no such comment, and to tokenize them takes long.
    if "shapelint:" not in text and "noqa" not in text.lower():
        return ()
    try:
        return tuple(_read(file, text))
    except (tokenize.TokenError, SyntaxError, UnreadableError):
        return ()


def _read(file: str, text: str) -> Iterator[Suppression]:
    statements = _statements(text)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield from _own_comments(file, token, statements)
            yield from _noqa_comments(file, token, statements)


def _own_comments(
    file: str, token: tokenize.TokenInfo, statements: list[Lines]
) -> Iterator[Suppression]:
    """The comments `# shapelint: ignore[...]` and `# shapelint: file-ignore[...]`."""
    line, column = token.start
    is_alone = not token.line[:column].strip()
    for match in _OWN.finditer(token.string):
        words = (match["codes"] or "").split(",")
        codes = tuple(_code(word) for word in words if word.strip())
        kind = SuppressionKind(match["word"])
        lines = WHOLE_FILE
        if kind is SuppressionKind.IGNORE:
            lines = _lines_for(statements, line, is_alone)
        # up to the end of the comment, since the text after the codes is the reason
        start, end = column + match.start() + 1, column + len(token.string) + 1
        yield Suppression(file, line, start, end, codes, *lines, kind)


def _noqa_comments(
    file: str, token: tokenize.TokenInfo, statements: list[Lines]
) -> Iterator[Suppression]:
    line, column = token.start
    for match in _NOQA.finditer(token.string):
        named = [word for word in re.split(r"[,\s]+", match["codes"] or "") if word]
        upper = [word.upper() for word in named]
        codes = tuple(word for word in upper if word.startswith("SHP"))
        if named and not codes:
            continue  # other linters' codes
        # As with flake8, such a comment alone on its line is for that line.
        lines = _lines_for(statements, line, is_alone=False)
        start, end = column + match.start() + 1, column + match.end() + 1
        kind = SuppressionKind.NOQA
        yield Suppression(file, line, start, end, codes, *lines, kind)


def _code(word: str) -> str:
    """The code of a rule, by its code or name. An unknown word is returned unchanged,
    so that it never matches."""
    wanted = word.strip()
    for rule in catalogue().rules.values():
        if wanted.lower() == rule.name:
            return rule.code
    return wanted.upper()


def _statements(text: str) -> list[Lines]:
    """First and last line of each statement, or of its head if it has a body; the
    smallest statement last."""
    nodes = ast.walk(parse_python(text))
    found = [_lines_of(node) for node in nodes if isinstance(node, ast.stmt)]
    return sorted(found, key=lambda lines: lines[0] - lines[1])


def _lines_of(statement: ast.stmt) -> Lines:
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(each.lineno for each in decorators)])
    body = getattr(statement, "body", None)
    if not isinstance(body, list) or not body:
        return first, statement.end_lineno or statement.lineno
    last_of_head = min(each.lineno for each in body) - 1
    return first, max(statement.lineno, last_of_head)


def _lines_for(statements: list[Lines], line: int, is_alone: bool) -> Lines:
    """The lines to which a comment applies: those of its statement, or of the next one
    if it is alone on its line."""
    around = [lines for lines in statements if lines[0] <= line <= lines[1]]
    own = around[-1] if around else (line, line)
    if not is_alone:
        return own
    # the smallest statement; but a comment alone above a body is no part of the head
    if around and own[0] != line:
        return own
    return min((lines for lines in statements if lines[0] > line), default=(line, line))


def drop_suppressed(
    diagnostics: Iterable[Diagnostic], texts: Texts
) -> tuple[list[Diagnostic], set[Acted]]:
    """Split findings into those that remain and the comments that suppressed the
    others."""
    left: list[Diagnostic] = []
    acted: set[Acted] = set()
    for item in diagnostics:
        comments = list(_comments_on(item, texts))
        if not comments:
            left.append(item)
        for each in comments:
            acted |= {(*each.place, code) for code in _codes_for(each, item)}
    return left, acted


def _codes_for(comment: Suppression, item: Diagnostic) -> list[str]:
    """The codes of a comment that suppress a finding."""
    return [code for code in comment.codes if item.code.startswith(code)] or [""]


def _comments_on(item: Diagnostic, texts: Texts) -> Iterator[Suppression]:
    places = [place for place in (item.span, item.called_at) if place is not None]
    for file in dict.fromkeys(place.file for place in places):
        for comment in suppressions(file, texts):
            if comment.covers(item):
                yield comment


def drop_ignored(
    diagnostics: Iterable[Diagnostic], ignored_in: Mapping[str, Iterable[str]]
) -> list[Diagnostic]:
    """Remove the findings whose rule is off in their file. `ignored_in` has codes by
    patterns of absolute paths."""
    return [item for item in diagnostics if not _is_off(item, ignored_in)]


def _is_off(item: Diagnostic, ignored_in: Mapping[str, Iterable[str]]) -> bool:
    if item.place is None:
        return False
    file = os.path.abspath(item.place.file.partition(CELL)[0])
    patterns = [pattern for pattern, codes in ignored_in.items() if item.code in codes]
    return any(_fits(file, pattern) for pattern in patterns)


def _fits(file: str, pattern: str) -> bool:
    """Whether a pattern matches a file, or a folder that contains it."""
    return fnmatch.fnmatch(file, pattern) or fnmatch.fnmatch(file, f"{pattern}/*")


def silence(
    report: TargetReport, ignored_in: Mapping[str, Iterable[str]], texts: Texts
) -> TargetReport:
    """Remove the findings of a report that comments suppress or that are off in their
    file."""
    report.diagnostics = drop_ignored(report.diagnostics, ignored_in)
    left, acted = drop_suppressed(report.diagnostics, texts)
    report.suppressed += len(report.diagnostics) - len(left)
    report.diagnostics = left
    # As a list: reports travel as JSON. Sorted: sets have no order of their own.
    report.acted = sorted({*report.acted, *acted})
    return report
