"""einops raises before torch is asked: its functions and layers as calls of the walk
where they fail."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from shapelint.tracing.recorder import Recorder


def is_pattern_layer(module: torch.nn.Module) -> bool:
    """Whether a module is a layer of einops, as `Rearrange`."""
    return type(module).__module__.startswith("einops.layers") and hasattr(
        module, "pattern"
    )


def layer_arguments(module: Any) -> tuple[str, dict[str, int]]:
    """The pattern of a layer and the lengths it was given."""
    return module.pattern, dict(getattr(module, "axes_lengths", {}))


@contextlib.contextmanager
def seen_patterns(recorder: Recorder) -> Iterator[None]:
    """`rearrange` and `repeat` that fail go on with a recovered shape; both end in
    einops' own `reduce`."""
    module: Any = sys.modules.get("einops.einops")
    if module is None or not hasattr(module, "reduce"):
        yield
        return
    original = module.reduce

    def reduce(tensor: Any, pattern: str, reduction: Any, **lengths: int) -> Any:
        try:
            return original(tensor, pattern, reduction, **lengths)
        except Exception as error:
            if not isinstance(tensor, torch.Tensor):
                raise
            name = reduction if reduction in ("rearrange", "repeat") else "reduce"
            return recorder.on_failed_pattern(name, tensor, pattern, lengths, error)

    module.reduce = reduce
    try:
        yield
    finally:
        module.reduce = original
