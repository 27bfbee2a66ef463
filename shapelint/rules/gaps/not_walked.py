"""SHP903."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import Call, Failure, Raised, Trace
from shapelint.facts.kinds import DiagnosticKind, NoPlace
from shapelint.facts.walked_target import Walked
from shapelint.ops.wording import subject
from shapelint.syntax.spans import span_of
from shapelint.syntax.walked_calls import finding_at_layer


class NotWalked(Rule):
    """
    ## What it does
    Reports what could not be followed: a call that failed with assumed values or was
    too large to be run, and a walk that ended early because of such a call or because
    its time ran out.

    ## Why is this bad?
    Whatever comes after was not checked. A walk that ended early is a `warning`; a
    single call that could not be checked is an `info`. If the time for the target ran
    out, the exit code is 2.

    ## Fix
    Pass real inputs (`--input-factory`), or check a smaller configuration of the same
    model.
    """

    code = "SHP903"
    name = "not-walked"
    severity = Severity.WARNING
    kind = DiagnosticKind.GAP

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace in walked.traces.values():
            for call in trace.failures:
                failure = call.failure
                if failure is not None and not failure.certain:
                    yield self._report_unjudged(walked, trace, call, failure)
            if trace.raised is not None and _is_gap(trace, trace.raised):
                yield self._report_end(walked, trace, trace.raised)

    def _report_unjudged(
        self, walked: Walked, trace: Trace, call: Call, failure: Failure
    ) -> Finding:
        # nothing after a call that raised for good was walked
        ended_walk = trace.raised is not None and trace.raised.call == call.index
        draft = self.diagnostic(
            f"{subject(call)} could not be checked: {failure.error_type}: {failure.message}",
            Severity.WARNING if ended_walk else Severity.INFO,
        )
        return finding_at_layer(walked, trace, call, draft, ())

    def _report_end(self, walked: Walked, trace: Trace, raised: Raised) -> Finding:
        notes: tuple[str, ...] = ()
        if trace.out_of_time:
            message = f"{raised.message}: the walk ended here"
            notes = ("`--timeout` allows more time",)
        else:
            message = _explain_end(trace, raised)
        span = span_of(raised.sites[0], walked.texts) if raised.sites else None
        draft = replace(self.diagnostic(message), layer=raised.layer, notes=notes)
        return Finding(draft.at(span, otherwise=NoPlace.NO_SOURCE), trace.mode)


def _explain_end(trace: Trace, raised: Raised) -> str:
    is_assumed = raised.after_assumption or trace.uncertain
    why = "after an assumed value" if is_assumed else "out of memory"
    reason = raised.message.splitlines()[0] if raised.message else ""
    what = f"{raised.error_type}: {reason}" if reason else raised.error_type
    return f"the walk ended here, {why}: {what}"


def _is_gap(trace: Trace, raised: Raised) -> bool:
    """Whether a walk ended at a point that does not prove the model wrong."""
    if trace.out_of_time:
        return True
    if raised.call is not None or trace.is_ended_by_own_raise:
        return False
    # after a call that eager refuses, whatever raises may follow from it
    failures = [call.failure for call in trace.failures if call.failure is not None]
    return not any(failure.certain for failure in failures)
