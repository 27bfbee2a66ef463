"""Layers of einops (`Rearrange`, `Reduce`). Each counts as one call, like torch's own
layers."""

from __future__ import annotations

from typing import Any

from torch import nn


def is_pattern_layer(module: nn.Module) -> bool:
    """Whether a module is a layer of einops."""
    is_einops = type(module).__module__.startswith("einops.layers")
    return is_einops and hasattr(module, "pattern")


def layer_arguments(module: Any) -> tuple[str, dict[str, int]]:
    """The pattern of an einops layer, and the lengths of its axes."""
    return module.pattern, dict(getattr(module, "axes_lengths", {}))
