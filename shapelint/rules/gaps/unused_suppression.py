"""SHP900."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import Walked
from shapelint.facts.kinds import DiagnosticKind


class UnusedSuppression(Rule):
    """
    ## What it does
    Finds `# shapelint: ignore[...]`, `# shapelint: file-ignore[...]` and `# noqa:
    SHP...` that suppress nothing: the finding is gone, the rule does not exist, or the
    comment stands at another line.

    Only comments are judged whose rules were on in this run, in code that was walked or
    read in it.

    ## Why is this bad?
    The next finding of that rule at this place is suppressed unseen.

    ## Fix
    Take the comment, or the code in it, away: `--fix` does.
    """

    code = "SHP900"
    name = "unused-suppression"
    severity = Severity.WARNING
    kind = DiagnosticKind.COMMENT

    def check(self, walked: Walked) -> Iterator[Finding]:
        """Nothing: what is unused is known once every target of a run was looked at."""
        del walked
        yield from ()
