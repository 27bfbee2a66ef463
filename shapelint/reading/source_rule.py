"""The base class of rules about training code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from shapelint.facts.findings import Finding, Rule
from shapelint.facts.walked_target import Walked
from shapelint.reading.script import Script


class SourceRule(Rule):
    """A rule that reads a file without running it.

    `bad_script` and `good_script` are its examples. `fix_is_safe`: its fixes do not
    change the results of the program, only time and memory."""

    bad_script: ClassVar[str] = ""
    good_script: ClassVar[str] = ""
    fix_is_safe: ClassVar[bool] = False

    def check(self, walked: Walked) -> Iterator[Finding]:
        """Yield nothing: this rule reads files, not walks."""
        del walked
        yield from ()

    def check_script(self, script: Script) -> Iterator[Finding]:
        """Yield the findings of this rule in a file."""
        raise NotImplementedError


def keep_first(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Keep one finding for each place, since several paths and entries may lead to
    it."""
    seen: set[tuple[str, int, int | None]] = set()
    for finding in findings:
        span = finding.diagnostic.span
        assert span is not None
        place = (span.file, span.line, span.column)
        if place not in seen:
            seen.add(place)
            yield finding
