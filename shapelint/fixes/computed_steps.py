"""What a walk computes, to compare it with another walk."""

from __future__ import annotations

from shapelint.facts.graph import Trace


def list_computed(trace: Trace) -> list[object]:
    """The steps that a walk computes, regardless of in-place writes and devices."""
    left_out = ("inplace", "device")
    steps: list[object] = []
    for call in trace.calls:
        settings = {
            name: value
            for name, value in {**call.attributes, **call.kwargs}.items()
            if name not in left_out
        }
        shapes = [fact.shape for fact in call.outputs]
        steps.append((call.op, call.layer, shapes, settings, call.args, call.training))
    return steps
