"""How plausible a change is before it is tried: numbers that people write, and windows
that people choose."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from shapelint import ops
from shapelint.changes import weights
from shapelint.facts.graph import Call, Trace
from shapelint.ops.record import Family


class Numbers:
    """The sizes used in a model. A number that is used elsewhere, or a round one, is
    more plausible."""

    def __init__(self, traces: Iterable[Trace], written: Iterable[int] = ()) -> None:
        """`written`: numbers in the code, in addition to those of the layers."""
        sizes: dict[object, int] = {}
        for trace in traces:
            for call in trace.calls:
                # a layer called twice, or in both modes, is written once
                layer = call.definition[:1] or call.module_path
                for name, value in _sizes_of(call):
                    sizes.setdefault((layer, name), value)
        self.uses = Counter([*written, *sizes.values()])

    def familiarity(self, value: int, own: int = 0) -> float:
        """How much a number looks like one of the model's. `own`: uses at the place in
        question, which do not count."""
        others = max(0, self.uses[value] - own)
        often = weights.NUMBER_USED_EACH * math.log2(1 + others)
        return weights.NUMBER_USED * min(1, others) + often + roundness(value)

    def gain(self, old: int, new: int) -> float:
        """How much more plausible the new number is than the old one."""
        # small numbers count things: all of them are used, and none is round
        if max(old, new) < 8:
            return 0.0
        gain = self.familiarity(new) - self.familiarity(old, own=1)
        most = weights.NUMBER_GAIN_LIMIT
        return max(-most, min(most, gain))


def _sizes_of(call: Call) -> Iterator[tuple[str, int]]:
    """The sizes among a layer's arguments, by name. If an argument has several, the
    last one counts."""
    for name in ops.list_width_arguments():
        value = call.attributes.get(name)
        if isinstance(value, tuple) and value:
            value = value[-1]
        if isinstance(value, int):
            yield name, value


def roundness(value: int) -> float:
    """0 for a power of two or 10, 100, 1000; negative for all other numbers, lowest for
    odd ones."""
    is_power_of_two = value > 0 and value & (value - 1) == 0
    # 3: the channels of an image
    if is_power_of_two or value in (3, 10, 100, 1000):
        return 0.0
    is_multiple = value % 8 == 0 or value % 10 == 0
    if is_multiple:
        return -weights.ROUGH_MULTIPLE
    if value % 2 == 0:
        return -weights.ROUGH_EVEN
    return -weights.ROUGH_ODD


# -- windows -----------------------------------------------------------------------------


def irregularity(op: str, window: dict[str, int]) -> float:
    """0 for windows that people choose: `same` or no padding, with kernel and stride
    that fit each other."""
    if ops.is_of(op, Family.POOLING):
        return _irregularity_of_pooling(window)
    if ops.of(op).is_transposed:
        return _irregularity_of_transposed(window)
    return _irregularity_of_convolution(window)


def _irregularity_of_pooling(window: dict[str, int]) -> float:
    kernel, stride, padding = _numbers_of(window)
    is_in_patches = (stride, padding) == (kernel, 0)
    if is_in_patches:
        return 0.0
    if kernel != 3:
        return weights.IRREGULAR
    # AlexNet has (2, 0), ResNet (2, 1), Inception (1, 1)
    is_overlapping = stride in (1, 2) and padding in (0, 1)
    return weights.IRREGULAR_OVERLAPPING if is_overlapping else weights.IRREGULAR


def _numbers_of(window: dict[str, int]) -> tuple[int, int, int]:
    return window["kernel_size"], window["stride"], window["padding"]


def _irregularity_of_transposed(window: dict[str, int]) -> float:
    kernel, stride, padding = _numbers_of(window)
    added = window.get("output_padding", 0)
    if stride == 1:
        is_usual = padding in (0, (kernel - 1) // 2)
        return 0.0 if is_usual else weights.IRREGULAR
    # (n - 1) * stride + gives: the map becomes exactly `stride` times as large
    gives = kernel - 2 * padding + added
    if gives == stride:
        return 0.0
    is_plain = padding == added == 0
    return weights.IRREGULAR_UNPADDED if is_plain else weights.IRREGULAR


def _irregularity_of_convolution(window: dict[str, int]) -> float:
    kernel, stride, padding = _numbers_of(window)
    if stride > kernel:
        return weights.IRREGULAR  # some of the map is never seen
    is_large_stride = 3 <= stride < kernel
    if is_large_stride and kernel < 7:
        return weights.IRREGULAR_LARGE_STRIDE
    if _is_chosen(window):
        return 0.0
    if padding:
        return weights.IRREGULAR
    if stride == 1 and kernel % 2:
        return weights.IRREGULAR_UNPADDED_ODD
    return weights.IRREGULAR_UNPADDED


def _is_chosen(window: dict[str, int]) -> bool:
    """Whether a convolution keeps the size, cuts patches, or divides the size exactly
    by its stride."""
    kernel, stride, padding = _numbers_of(window)
    # "same": a window takes away (kernel - 1) * dilation
    keeps_size = padding * 2 == window.get("dilation", 1) * (kernel - 1)
    # as ViT and ConvNeXt begin
    is_in_patches = (stride, padding) == (kernel, 0)
    # kernel 4, stride 2, padding 1, as in DCGAN
    is_even = stride > 1 and kernel % 2 == 0
    divides = is_even and kernel - 2 * padding == stride
    return keeps_size or is_in_patches or divides
