"""Larger images, to see whether a fixed model takes them too."""

from __future__ import annotations

from dataclasses import replace

from shapelint.asked.inputs import TensorSpec


def enlarge(spec: TensorSpec) -> TensorSpec:
    """An image half as large again, its sides increased by multiples of 32. Any other
    input is returned unchanged."""
    is_image = len(spec.shape) in (4, 5) and min(spec.shape[2:]) >= 16
    if not is_image:
        return spec
    # 32: five halvings, as in ResNet, VGG and most later models
    sides = (side + 32 * max(1, side // 64) for side in spec.shape[2:])
    return replace(spec, shape=(*spec.shape[:2], *sides))
