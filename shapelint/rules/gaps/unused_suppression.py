"""SHP900."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.kinds import DiagnosticKind
from shapelint.facts.walked_target import Walked


class UnusedSuppression(Rule):
    """
    ## What it does
    Finds `# shapelint: ignore[...]`, `# shapelint: file-ignore[...]` and `# noqa:
    SHP...` that suppress nothing: the finding is gone, the rule does not exist, or the
    comment is on another line.

    A comment is judged only if its rules were on in this run and its code was walked or
    read in it.

    ## Why is this bad?
    The next finding of that rule at this place would be suppressed unnoticed.

    ## Fix
    Remove the comment, or the code from it; `--fix` does so.
    """

    code = "SHP900"
    name = "unused-suppression"
    severity = Severity.WARNING
    kind = DiagnosticKind.COMMENT

    def check(self, walked: Walked) -> Iterator[Finding]:
        """Yield nothing: unused comments are known only after every target of a run."""
        return iter(())
