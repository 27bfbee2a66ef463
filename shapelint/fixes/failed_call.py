"""Connects a finding with its failed call."""

from __future__ import annotations

from dataclasses import dataclass

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding
from shapelint.facts.graph import Call, Raised, Trace
from shapelint.facts.kinds import CallKind
from shapelint.facts.walked_target import Walked


@dataclass(frozen=True)
class FailedCall:
    """A finding, its call, and the walk of that call.

    If the model or a library raised outside of any call, `call` is the last call before
    it and `raised` describes the exception."""

    finding: Finding
    trace: Trace
    call: Call
    raised: Raised | None = None


def find_failed_call(walked: Walked, finding: Finding) -> FailedCall | None:
    """The failed call that a finding is about; None if there is none."""
    is_error = finding.diagnostic.severity is Severity.ERROR
    if not is_error or finding.mode not in walked.traces:
        return None
    trace = walked.trace_of(finding.mode)
    if finding.call is not None:
        call = trace.calls[finding.call]
        return FailedCall(finding, trace, call) if call.failure is not None else None
    raised = trace.raised
    if raised is None or raised.call is not None:
        return None
    nothing = Call(0, "", "raise", CallKind.FUNCTION)
    last = trace.calls[-1] if trace.calls else nothing
    return FailedCall(finding, trace, last, raised)
