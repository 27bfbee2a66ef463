"""The modules, parameters and buffers of a model, from where torch keeps them.

`Module.modules()` and its like call themselves for each level, hash modules, and may be
shadowed by an attribute of the user's; a model may also hold itself. Here identity
decides, and each module comes once, in torch's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from shapelint.facts.graph import Cycle


def children_of(module: torch.nn.Module) -> list[tuple[str, torch.nn.Module]]:
    """The modules registered on a module, by their names."""
    found = _registry(module, "_modules").items()
    return [
        (name, child) for name, child in found if isinstance(child, torch.nn.Module)
    ]


def modules_of(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
    """Every module once, by its first qualified name; the model itself, named "", comes
    first."""
    seen: set[int] = set()
    waiting = [("", model)]
    while waiting:
        path, module = waiting.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        yield path, module
        waiting += [
            (f"{path}.{name}".lstrip("."), child)
            for name, child in reversed(children_of(module))
        ]


def cycles_of(model: torch.nn.Module) -> Iterator[Cycle]:
    """Where a module is registered within itself."""
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


def parameters_of(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Every parameter once, by its first qualified name."""
    return _tensors(model, "_parameters")


def buffers_of(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Every buffer once, by its first qualified name."""
    return _tensors(model, "_buffers")


def _tensors(model: torch.nn.Module, kind: str) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for path, module in modules_of(model):
        for name, tensor in _registry(module, kind).items():
            if isinstance(tensor, torch.Tensor) and id(tensor) not in seen:
                seen.add(id(tensor))
                yield f"{path}.{name}".lstrip("."), tensor


def is_initialised(module: torch.nn.Module) -> bool:
    """Whether `nn.Module.__init__` has run on a module."""
    return "_modules" in vars(module) or isinstance(module, torch.jit.ScriptModule)


def _registry(module: torch.nn.Module, kind: str) -> Any:
    """A dict of torch's on a module; none where its constructor never ran."""
    if isinstance(module, torch.jit.ScriptModule):
        return getattr(module, kind)
    found = vars(module).get(kind)
    return (
        found if isinstance(found, dict) else {}
    )  # the user's own attribute may have taken its name
