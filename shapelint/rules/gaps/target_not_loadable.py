"""SHP902."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.kinds import DiagnosticKind, NoPlace
from shapelint.facts.places import Span
from shapelint.facts.walked_target import Walked


class TargetNotLoadable(Rule):
    """
    ## What it does
    Reports why a target gave no model: the file or the class does not exist, an import
    failed, the constructor needs arguments or raised, or no input was given.

    ## Why is this bad?
    Nothing was checked. The exit code is 2, so that CI does not mistake silence for a
    clean model.

    ## Fix
    The message names the place in the file, the signature, or the name that was
    probably meant.
    """

    code = "SHP902"
    name = "target-not-loadable"
    severity = Severity.ERROR
    kind = DiagnosticKind.UNCHECKED

    def check(self, walked: Walked) -> Iterator[Finding]:
        """Yield nothing: a target that was walked has been loaded."""
        return iter(())


def not_loadable(message: str, span: Span | None, hint: str) -> Diagnostic:
    """The diagnostic for a target that gave no model. `hint` says how to correct it."""
    diagnostic = TargetNotLoadable().diagnostic(message)
    noted = replace(diagnostic, notes=(hint,) if hint else ())
    return noted.at(span, otherwise=NoPlace.TARGET)
