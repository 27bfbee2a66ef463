"""Whether two walks of one model are the same."""

from __future__ import annotations

from shapelint.facts.graph import Call, Trace


def is_same_walk(one: Trace, other: Trace) -> bool:
    """Whether the same was called with the same shapes, and failed alike."""
    if len(one.calls) != len(other.calls) or str(one.output) != str(other.output):
        return False
    raised = [
        (trace.raised.error_type, trace.raised.message) if trace.raised else None
        for trace in (one, other)
    ]
    if raised[0] != raised[1]:
        return False
    return all(map(_is_same_call, one.calls, other.calls))


def _is_same_call(one: Call, other: Call) -> bool:
    same = (one.layer, one.op, one.site) == (other.layer, other.op, other.site)
    failures = [
        (call.failure.error_type, call.failure.message) if call.failure else None
        for call in (one, other)
    ]
    return same and one.outputs == other.outputs and failures[0] == failures[1]
