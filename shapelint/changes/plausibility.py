"""How natural a change is before it is tried: numbers people write, windows people
choose.

The weights are few and were set by hand; the mutation benchmark says what they are
worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shapelint import ops
from shapelint.facts.graph import Trace
from shapelint.ops.record import Family


class Numbers:
    """The sizes a model is written in: one that stands elsewhere too, or a round one,
    is likelier to be meant."""

    def __init__(self, traces: Iterable[Trace], written: Iterable[int] = ()) -> None:
        self.uses: Counter[int] = Counter(written)
        seen: set[tuple[Any, ...]] = set()
        for trace in traces:
            for call in trace.calls:
                for name in ops.widths():
                    key = (call.definition[:1] or call.module_path, name)
                    value = call.attributes.get(name)
                    value = value[-1] if isinstance(value, tuple) and value else value
                    if isinstance(value, int) and key not in seen:
                        seen.add(key)
                        self.uses[value] += 1

    def of(self, value: int, own: int = 0) -> float:
        """How much a number looks like one of the model's; `own`: uses that are the
        place in question."""
        others = max(0, self.uses[value] - own)
        return 0.8 * min(1, others) + 0.2 * math.log2(1 + others) + roundness(value)

    def gain(self, old: int | None, new: int) -> float:
        """How much likelier the new number is than the old one, from -2.5 to 2.5."""
        if old is None or (old < 8 and new < 8):
            return 0.0
        return max(-2.5, min(2.5, self.of(new) - self.of(old, own=1)))


def roundness(value: int) -> float:
    """0 for a power of two or 10, 100, 1000; down to -1.2 for an odd number."""
    if value in (1, 3, 10, 100, 1000) or (value > 0 and value & (value - 1) == 0):
        return 0.0
    if value % 8 == 0 or value % 10 == 0:
        return -0.3
    return -0.7 if value % 2 == 0 else -1.2


def irregularity(op: str, window: dict[str, int]) -> float:
    """0 for windows people choose: `same` or no padding, kernel and stride that fit
    each other."""
    kernel, stride, padding = window["kernel_size"], window["stride"], window["padding"]
    dilation = window.get("dilation", 1)
    if ops.is_of(op, Family.POOLING):
        overlapping = kernel == 3 and stride in (1, 2) and padding in (0, 1)
        return (
            0.0 if kernel == stride and padding == 0 else (0.2 if overlapping else 1.0)
        )
    if ops.of(op).is_transposed:
        gives = kernel - 2 * padding + window.get("output_padding", 0)
        if stride == 1:
            return 0.0 if padding in (0, (kernel - 1) // 2) else 1.0
        return (
            0.0
            if gives == stride
            else (0.5 if padding == 0 and window.get("output_padding", 0) == 0 else 1.0)
        )
    if stride > kernel:
        return 1.0
    if stride >= 3 and stride != kernel and kernel < 7:
        return 0.6
    same = dilation * (kernel - 1)
    if padding * 2 == same or (kernel == stride and padding == 0):
        return 0.0
    if stride > 1 and kernel % 2 == 0 and kernel - 2 * padding == stride:
        return 0.0
    if padding == 0:
        return 0.2 if stride == 1 and kernel % 2 else 0.5
    return 1.0
