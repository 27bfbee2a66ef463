"""Whether a change leaves alone what says how a model computes, and what for."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.changes.window_values import WINDOW
from shapelint.facts.graph import Call, Trace

_KEPT = (*WINDOW, "output_size", "ceil_mode", "groups", "num_classes", "n_classes")
"""Attributes of layers with which another function is computed, though the weights may
still fit."""


def keeps_windows_and_classes(before: Trace, after: Trace) -> bool:
    """Whether every layer that both walks call has the same window, stride and pooling,
    and the last one gives as many classes."""
    was = {call.module_path: call for call in before.calls if call.is_module}
    for call in after.calls:
        earlier = was.get(call.module_path) if call.is_module else None
        if earlier is not None and _attributes(earlier) != _attributes(call):
            return False
    return _last_width(before) == _last_width(after)


def keeps_calls_before(before: Trace, after: Trace) -> bool:
    """Whether all ops that ran in front of the first failure still do, in this order;
    others may run in between, as a pooling before a flatten."""
    left = iter([call.op for call in after.calls])
    return all(op in left for op in _ops_before_failure(before))


def _ops_before_failure(trace: Trace) -> Iterator[str]:
    for call in trace.calls:
        if call.failure is not None:
            return
        yield call.op


def _attributes(call: Call) -> tuple[str, dict[str, object]]:
    kept = {name: value for name, value in call.attributes.items() if name in _KEPT}
    return call.op, kept


def _last_width(trace: Trace) -> object:
    """How many features the last layer with weights gives."""
    for call in reversed(trace.calls):
        if call.is_module and "out_features" in call.attributes:
            return call.attributes["out_features"]
    return None
