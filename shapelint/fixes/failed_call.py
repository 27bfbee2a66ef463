"""A finding about a failed call, with the call and its walk."""

from __future__ import annotations

from dataclasses import dataclass

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding
from shapelint.facts.graph import Call, Raised, Trace
from shapelint.facts.kinds import CallKind
from shapelint.facts.walked_target import Walked


@dataclass(frozen=True)
class FailedCall:
    """A finding, the call that it is about, and the walk of the call.

    Where the model or a library raised outside of any call, `call` is the last one
    before and `raised` what was raised."""

    finding: Finding
    trace: Trace
    call: Call
    raised: Raised | None = None


def find_failed_call(walked: Walked, finding: Finding) -> FailedCall | None:
    """The failed call of a finding; None where it is not about one."""
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
