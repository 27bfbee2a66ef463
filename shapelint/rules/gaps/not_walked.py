"""SHP903."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import Raised, Trace, Walked
from shapelint.facts.kinds import DiagnosticKind, NoPlace
from shapelint.rules.shape.forward_raises import is_users
from shapelint.syntax.spans import span_of
from shapelint.syntax.walked_calls import located, subject


class NotWalked(Rule):
    """
    ## What it does
    Names what could not be followed: a call that failed with assumed values, or too
    large to be tried for real; and where a walk ended early because of it, or because
    its time was over.

    ## Why is this bad?
    What comes after was not checked. A walk that ended early is a `warning`; a single
    call that could not be judged is an `info`. Where the time for the target was over,
    the exit code is 2.

    ## Fix
    Real inputs (`--input-factory`), or a smaller configuration of the same model.
    """

    code = "SHP903"
    name = "not-walked"
    severity = Severity.WARNING
    kind = DiagnosticKind.GAP

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace in walked.traces.values():
            ended = trace.raised.call if trace.raised is not None else None
            for call in trace.failures:
                failure = call.failure
                if failure is None or failure.certain:
                    continue
                severity = Severity.WARNING if call.index == ended else Severity.INFO
                text = f"{subject(call)} could not be judged: {failure.error_type}: {failure.message}"
                diagnostic = located(
                    self.diagnostic(text, severity), walked, trace, call
                )
                yield Finding(diagnostic, trace.mode, call.index)
            if trace.raised is not None and self._is_gap(trace, trace.raised):
                yield self._ended(walked, trace, trace.raised)

    @staticmethod
    def _is_gap(trace: Trace, raised: Raised) -> bool:
        if trace.out_of_time:
            return True
        earlier = any(
            call.failure is not None and call.failure.certain for call in trace.failures
        )
        return raised.call is None and not is_users(trace, raised) and not earlier

    def _ended(self, walked: Walked, trace: Trace, raised: Raised) -> Finding:
        span = span_of(raised.sites[0], walked.texts) if raised.sites else None
        if trace.out_of_time:
            diagnostic = self.diagnostic(f"{raised.message}: the walk ended here")
            notes = ("`--timeout` gives it more time",)
            whole = replace(diagnostic, notes=notes, layer=raised.layer)
            return Finding(whole.at(span, otherwise=NoPlace.NO_SOURCE), trace.mode)
        text = raised.message.splitlines()[0] if raised.message else ""
        why = (
            "after an assumed value"
            if raised.after_assumption or trace.uncertain
            else "for lack of memory"
        )
        diagnostic = self.diagnostic(
            f"the walk ended here, {why}: {raised.error_type}{': ' if text else ''}{text}"
        )
        whole = replace(diagnostic, layer=raised.layer)
        return Finding(whole.at(span, otherwise=NoPlace.NO_SOURCE), trace.mode)
