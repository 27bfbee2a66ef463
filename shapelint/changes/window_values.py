"""Kernels, strides and paddings: the present ones of a call, and other values for
them."""

from __future__ import annotations

from shapelint import ops
from shapelint.changes.other_values import Pairs
from shapelint.facts.graph import Call
from shapelint.ops.record import Family
from shapelint.ops.sliding import expand_to_dims

_DEFAULTS = {
    "kernel_size": 1,
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "output_padding": 0,
}
WINDOW = tuple(_DEFAULTS)
"""The arguments of a window."""

POOLING = ("input", "kernel_size", "stride", "padding")
"""Arguments of a pooling function, in order."""

_TOLERANCE = 0.1
"""The share by which a size may miss the multiple of another, because borders are cut
off."""


def window_of(call: Call) -> dict[str, int] | None:
    """Kernel, stride and padding of a layer or function, each in its first dimension;
    None if it has no kernel or its padding is a word."""
    values = dict(call.attributes)
    is_pooling = ops.is_of(call.op, Family.POOLING)
    if not values and is_pooling:
        values = dict(zip(POOLING, call.args, strict=False)) | call.kwargs
    if "kernel_size" not in values:
        return None
    if is_pooling and values.get("stride") in (None, ()):
        values["stride"] = values["kernel_size"]
    found = {}
    for name, default in _DEFAULTS.items():
        value = values.get(name)
        if isinstance(value, str):
            return None  # `padding="same"`
        try:
            found[name] = expand_to_dims(value, 2, default)[0]
        except (TypeError, ValueError):
            return None
    return found


def window_values(name: str, value: int, window: dict[str, int]) -> list[int]:
    """Other values for one argument of a window, the usual ones first."""
    kernel, stride, padding = window["kernel_size"], window["stride"], window["padding"]
    keeps_size = window["dilation"] * (kernel - 1) // 2
    less, more = value - 1, value + 1
    options = {
        "kernel_size": [
            *(less, more, 2 * padding + 1, stride, 3, 2, value - 2, value + 2, 1)
        ],
        "stride": [1, 2, kernel, less, more],
        "padding": [keeps_size, 0, 1, less, more, 2],
        "output_padding": [1 - value, less],
        "dilation": [1, 2],
    }
    least = 0 if "padding" in name else 1
    others = dict.fromkeys(options[name])
    return [each for each in others if each >= least and each != value]


def explains(name: str, old: int, new: int, pairs: Pairs, step: int = 1) -> bool:
    """Whether a changed window turns one size of a pair into the other: by a factor,
    its square, or a border.

    `step`: the stride of the window, by which borders are divided."""
    if name == "stride":
        return _explains_stride(old, new, pairs)
    # a padding is added on both sides
    sides = {"padding": 2, "kernel_size": 1, "output_padding": 1}.get(name, 0)
    border = sides * abs(new - old)
    borders = {border, border // step, -(-border // step)} - {0}
    return any(abs(one - other) in borders for one, other in pairs)


def _explains_stride(old: int, new: int, pairs: Pairs) -> bool:
    if not old or not new:
        return False
    factors = (old / new, new / old)
    for one, other in pairs:
        # of sizes, or of the features of a square map
        for factor in (factors[0], factors[1], factors[0] ** 2, factors[1] ** 2):
            if abs(one - other * factor) < _TOLERANCE * one:
                return True
        larger, smaller = max(one, other), min(one, other)
        if larger > 3 and abs(larger / max(factors) - smaller) <= 1:
            return True
    return False
