"""The model before the walk, and again after it: flags, buffers, weights, attributes,
hooks, RNG."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from shapelint.tracing.members import buffers_of, modules_of, parameters_of
from shapelint.tracing.session import Session, is_fake
from shapelint.tracing.torch_private import no_modes

Kept = tuple[Any, Any]
"""An attribute, and a copy of what it held if it is a container."""


def _keep(value: Any) -> Kept:
    """Containers a forward may write to are copied one level deep; what they hold stays
    itself."""
    is_container = isinstance(value, (dict, list, set)) and type(value).__module__ in (
        "builtins",
        "collections",
    )
    return (value, value.copy()) if is_container else (value, None)


@contextlib.contextmanager
def untouched(model: torch.nn.Module, session: Session) -> Iterator[None]:
    """Whatever happens inside, the model and the random number generators are as they
    were."""
    modules = [module for _, module in modules_of(model)]
    attributes = [
        {key: _keep(value) for key, value in vars(module).items()} for module in modules
    ]
    written: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    parameters = [param for _, param in parameters_of(model)]
    everything = [*parameters, *(buffer for _, buffer in buffers_of(model))]
    own = {id(t): t for t in everything if not is_fake(t) and not is_lazy(t)}
    storages = {
        t.untyped_storage()._cdata: t for t in own.values() if t.layout == torch.strided
    }

    def keep(tensor: torch.Tensor) -> None:
        if is_fake(tensor) or tensor.layout != torch.strided:
            return
        mine = storages.get(tensor.untyped_storage()._cdata)
        if mine is not None and id(mine) not in written:
            with no_modes():
                written[id(mine)] = (mine, mine.detach().clone())

    gradients = [(param, param.grad) for param in parameters]
    session.before_mutation = keep
    try:
        with generators_kept(seed=0):
            yield
    finally:
        session.before_mutation = None
        with no_modes(), torch.no_grad():
            for mine, before in written.values():
                mine.data.copy_(before)
        for module, before_attributes in zip(modules, attributes, strict=True):
            _restore_attributes(module, before_attributes)
        for param, gradient in gradients:
            param.grad = gradient


def _restore_attributes(module: torch.nn.Module, before: dict[str, Kept]) -> None:
    now = vars(module)
    for key in [key for key in now if key not in before]:
        del now[key]
    for key, (value, held) in before.items():
        if held is not None:
            value.clear()
            value.extend(held) if isinstance(value, list) else value.update(held)
        now[key] = value


@contextlib.contextmanager
def generators_kept(seed: int | None = None) -> Iterator[None]:
    """Python's, torch's and NumPy's generators are as they were afterwards; inside they
    start from `seed`, if given."""
    numpy = sys.modules.get("numpy")
    has_numpy = numpy is not None and hasattr(numpy, "random")
    python_state, torch_state = random.getstate(), torch.get_rng_state()
    numpy_state: Any = (
        numpy.random.get_state() if numpy is not None and has_numpy else None
    )
    if seed is not None:
        random.seed(seed)
        torch.default_generator.manual_seed(seed)
        if numpy is not None and has_numpy:
            numpy.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        torch.set_rng_state(torch_state)
        if numpy is not None and has_numpy:
            numpy.random.set_state(numpy_state)
