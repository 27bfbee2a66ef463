"""Counts the failures of a walk, and compares two walks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shapelint import ops
from shapelint.facts.graph import Call, Key, Trace
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Family

Failures = Counter[Key]
"""How often each call failed. An exception outside of any call counts under
`RAISED`."""

RAISED: Key = ("", "raised", 0)


def failures_of(trace: Trace) -> Failures:
    """Count the failures of a walk."""
    found = Counter(call.key for call in trace.failures)
    if trace.raised is not None and trace.raised.call is None:
        found[RAISED] += 1
    return found


def count_in_layer(failures: Failures, layer: str, op: str) -> int:
    """How often an op failed in a layer."""
    keys = [key for key in failures if key[:2] == (layer, op)]
    return sum(failures[key] for key in keys)


def is_improved(before: Trace, after: Trace, key: Key) -> bool:
    """Whether the failure `key` is gone and nothing else fails more often. Failures
    beyond the point where the first walk ended do not count."""
    was, now = failures_of(before), failures_of(after)
    if after.given_up or now[key] >= was[key]:
        return False
    if _is_moved(before, after, key) or _is_broadcast_loss(after, key):
        return False
    if before.raised is None:
        is_less = now.total() < was.total()
        return is_less and not has_more(now, was)
    # the first walk could not see failures after its end
    reaches_further = len(after.calls) > len(before.calls)
    if after.raised is not None and not reaches_further:
        return False
    return all(now[other] <= was[other] for other in was)


def is_further(before: Trace, after: Trace, key: Key) -> bool:
    """Whether the failure `key` is gone, and what fails anew fails behind it, where the
    first walk had only guessed shapes to go on with."""
    was, now = failures_of(before), failures_of(after)
    if after.given_up or after.raised is not None or now[key] >= was[key]:
        return False
    if _is_moved(before, after, key) or _is_broadcast_loss(after, key):
        return False
    mended = _call_of(key, after.calls)
    new = [call for call in after.failures if now[call.key] > was[call.key]]
    return mended is not None and all(call.index > mended.index for call in new)


def has_more(now: Failures, was: Failures) -> bool:
    """Whether anything fails more often than before."""
    return any(now[key] > was[key] for key in now)


def _is_moved(before: Trace, after: Trace, key: Key) -> bool:
    """Whether the same call still fails on the same shapes under another name, as after
    swapping two layers."""
    failed = _call_of(key, before.failures)
    if failed is None:
        return False
    signature = _signature(failed)
    was = [_signature(call) for call in before.failures].count(signature)
    now = [_signature(call) for call in after.failures].count(signature)
    return now >= was


def _is_broadcast_loss(after: Trace, key: Key) -> bool:
    """Whether a loss now runs only because one side is broadcast, and so compares every
    pair of predictions and targets."""
    call = _call_of(key, after.calls)
    if call is None:
        return False
    op = ops.of(call.op)
    if op.family is not Family.LOSS or not op.broadcasts:
        return False
    shapes = {fact.shape for fact in call.inputs[:2]}
    return len(shapes) > 1


def _call_of(key: Key, calls: Iterable[Call]) -> Call | None:
    return next((call for call in calls if call.key == key), None)


def _signature(call: Call) -> tuple[str, tuple[Shape, ...]]:
    """The op of a failed call, and the shapes of its tensors."""
    if call.failure is None:
        return call.op, ()
    return call.op, tuple(fact.shape for fact in call.failure.tensors)
