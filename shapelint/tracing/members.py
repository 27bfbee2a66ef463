"""Lists the modules, parameters and buffers of a model from torch's own registries.

`Module.modules()` and similar methods recurse, hash modules, and may be shadowed by an
attribute of the user's; a model may also contain itself. Here modules are compared by
identity, and each is listed once, in torch's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from shapelint.facts.tensors import ParamFact
from shapelint.facts.walked_target import Cycle
from shapelint.tracing.torch_private import (
    buffers_in,
    has_registries,
    modules_in,
    parameters_in,
)

_LEAF_PACKAGES = ("torch.nn.modules", "torch.ao.nn", "torch.nn.utils")

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
"""Torch's own modules that are never called themselves; their members are."""

_WHOLE = (nn.MultiheadAttention,)
"""Torch's own modules that count as one call although they contain modules: this one
reads the weights of its projection and never calls it."""


def children_of(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules registered on a module, by their names."""
    return [
        (name, child)
        for name, child in modules_in(module).items()
        if isinstance(child, nn.Module)
    ]


def modules_of(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Every module once, by its first qualified name. The model itself comes first,
    with the name ""."""
    seen: set[int] = set()
    # A stack in place of recursion: a model may hold itself, or nest very deeply.
    waiting = [("", model)]
    while waiting:
        path, module = waiting.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        yield path, module
        for name, child in reversed(children_of(module)):
            waiting.append((qualify(path, name), child))


def qualify(path: str, name: str) -> str:
    """The qualified name of an attribute of the module at `path`."""
    return f"{path}.{name}" if path else name


def cycles_of(model: nn.Module) -> Iterator[Cycle]:
    """The places where a module contains itself.

    A depth-first search: `around` holds the modules from the root to the current one,
    each with the children still to visit. A child that is among them closes a cycle."""
    names = {id(module): path for path, module in modules_of(model)}
    done: set[int] = set()
    around = {id(model): iter(children_of(model))}
    while around:
        holder = next(reversed(around))
        for name, child in around[holder]:
            if id(child) in around:
                yield Cycle(names[holder], name, names[id(child)])
            elif id(child) not in done:
                around[id(child)] = iter(children_of(child))
                break
        else:
            done.add(holder)
            around.popitem()


def parameters_of(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Every parameter once, by its first qualified name."""
    for name, parameter in _tensors_of(model, parameters_in):
        # `torch.func.functional_call` puts plain tensors there while it runs.
        yield name, cast(nn.Parameter, parameter)


def buffers_of(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every buffer once, by its first qualified name."""
    return _tensors_of(model, buffers_in)


def _tensors_of(
    model: nn.Module,
    registry_of: Callable[[nn.Module], Mapping[str, object]],
) -> Iterator[tuple[str, Tensor]]:
    seen: set[int] = set()
    for path, module in modules_of(model):
        for name, tensor in registry_of(module).items():
            # A shared tensor goes by its first name only.
            if isinstance(tensor, Tensor) and id(tensor) not in seen:
                seen.add(id(tensor))
                yield qualify(path, name), tensor


def is_initialised(module: nn.Module) -> bool:
    """Whether `nn.Module.__init__` has run on a module."""
    return has_registries(module)


def is_leaf(module: nn.Module) -> bool:
    """Whether a module counts as one call, as in torch.fx: it is torch's own and has no
    children."""
    is_torchs = type(module).__module__.startswith(_LEAF_PACKAGES)
    if not is_torchs or isinstance(module, _CONTAINERS):
        return False
    return not modules_in(module) or isinstance(module, _WHOLE)


def has_lazy_tensors(model: nn.Module) -> bool:
    """Whether some weight gets its shape only in the first forward
    (`nn.LazyLinear`)."""
    tensors = [*parameters_of(model), *buffers_of(model)]
    return any(is_lazy(tensor) for _, tensor in tensors)


def param_facts(model: nn.Module) -> dict[str, ParamFact]:
    """Every parameter by its first name. One without a shape yet counts no elements."""
    facts: dict[str, ParamFact] = {}
    for name, parameter in parameters_of(model):
        has_shape = not is_lazy(parameter)
        shape = tuple(parameter.shape) if has_shape else ()
        numel = parameter.numel() if has_shape else 0
        size = parameter.element_size() if has_shape else 0
        module_path = name.rpartition(".")[0]
        facts[name] = ParamFact(
            name, shape, numel, numel * size, parameter.requires_grad, module_path
        )
    return facts
