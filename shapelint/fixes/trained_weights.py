"""The consequences of a change for the weights of a trained model."""

from __future__ import annotations

import torch
from torch.nn.parameter import is_lazy

from shapelint.tracing.members import modules_of, param_facts


def have_same_weights(before: torch.nn.Module, after: torch.nn.Module) -> bool:
    """Whether a state_dict of one model loads into the other, strictly."""
    was, now = (
        {key: tuple(value.shape) for key, value in _state(model).items()}
        for model in (before, after)
    )
    return was == now


def describe_cost(
    before: torch.nn.Module, after: torch.nn.Module, layer: str, keeps: bool
) -> str:
    """Describe the cost of changing a layer. `keeps`: trained weights still load."""
    if keeps:
        return "keeps trained weights"
    if _is_other_class(before, after, layer):
        layer = ""  # something was put in before it, and the names moved on
    was, now = (_params_below(model, layer) for model in (before, after))
    if was == now:
        return f"{now:,} parameters; new weights"
    return f"{now:,} parameters instead of {was:,}; new weights"


def _is_other_class(before: torch.nn.Module, after: torch.nn.Module, name: str) -> bool:
    """Whether a name stands for layers of different classes in the two models."""
    classes = {
        type(model.get_submodule(name))
        for model in (before, after)
        if name in dict(modules_of(model))
    }
    return len(classes) > 1


def _state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    try:
        state = model.state_dict()
    except (AttributeError, RecursionError):
        # half made, or in itself: nobody ever saved it
        return {}
    return {
        key: value
        for key, value in state.items()
        if isinstance(value, torch.Tensor) and not is_lazy(value)
    }


def _params_below(model: torch.nn.Module, layer: str) -> int:
    try:
        part = model.get_submodule(layer)
    except AttributeError:
        part = model
    return sum(param.numel for param in param_facts(part).values())
