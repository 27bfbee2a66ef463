"""How natural a change is before it is tried: numbers people write, windows people
choose.

The weights are few and were set by hand; the mutation benchmark says what they are
worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shapelint.changes import weights
from shapelint.facts.graph import Trace

_COUNTED = (
    *(
        "in_features",
        "out_features",
        "in_channels",
        "out_channels",
        "num_features",
        "hidden_size",
        "input_size",
    ),
    *("embedding_dim", "embed_dim", "num_channels", "d_model", "normalized_shape"),
)


class Numbers:
    """The sizes a model is written in: one that stands elsewhere too, or a round one,
    is likelier to be meant."""

    def __init__(self, traces: Iterable[Trace], written: Iterable[int] = ()) -> None:
        self.uses: Counter[int] = Counter(written)
        seen: set[tuple[Any, ...]] = set()
        for trace in traces:
            for call in trace.calls:
                for name in _COUNTED:
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
        often = weights.NUMBER_USED_EACH * math.log2(1 + others)
        return weights.NUMBER_USED * min(1, others) + often + roundness(value)

    def gain(self, old: int | None, new: int) -> float:
        """How much likelier the new number is than the old one, from -2.5 to 2.5."""
        if old is None or (old < 8 and new < 8):
            return 0.0
        gain = self.of(new) - self.of(old, own=1)
        most = weights.NUMBER_GAIN_LIMIT
        return max(-most, min(most, gain))


def roundness(value: int) -> float:
    """0 for a power of two or 10, 100, 1000; down to -1.2 for an odd number."""
    if value in (1, 3, 10, 100, 1000) or (value > 0 and value & (value - 1) == 0):
        return 0.0
    if value % 8 == 0 or value % 10 == 0:
        return -weights.ROUGH_MULTIPLE
    return -(weights.ROUGH_EVEN if value % 2 == 0 else weights.ROUGH_ODD)


def irregularity(op: str, window: dict[str, int]) -> float:
    """0 for windows people choose: `same` or no padding, kernel and stride that fit
    each other."""
    kernel, stride, padding = window["kernel_size"], window["stride"], window["padding"]
    dilation = window.get("dilation", 1)
    if "Pool" in op or "pool" in op:
        overlapping = kernel == 3 and stride in (1, 2) and padding in (0, 1)
        return (
            0.0
            if kernel == stride and padding == 0
            else (weights.IRREGULAR_OVERLAPPING if overlapping else weights.IRREGULAR)
        )
    if "Transpose" in op or "transpose" in op:
        gives = kernel - 2 * padding + window.get("output_padding", 0)
        if stride == 1:
            return 0.0 if padding in (0, (kernel - 1) // 2) else weights.IRREGULAR
        return (
            0.0
            if gives == stride
            else (
                weights.IRREGULAR_UNPADDED
                if padding == 0 and window.get("output_padding", 0) == 0
                else weights.IRREGULAR
            )
        )
    if stride > kernel:
        return weights.IRREGULAR
    if stride >= 3 and stride != kernel and kernel < 7:
        return weights.IRREGULAR_LARGE_STRIDE
    same = dilation * (kernel - 1)
    if padding * 2 == same or (kernel == stride and padding == 0):
        return 0.0
    if stride > 1 and kernel % 2 == 0 and kernel - 2 * padding == stride:
        return 0.0
    if padding == 0:
        return (
            weights.IRREGULAR_UNPADDED_ODD
            if stride == 1 and kernel % 2
            else weights.IRREGULAR_UNPADDED
        )
    return weights.IRREGULAR
