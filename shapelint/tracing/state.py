"""Saves the state of the model before a walk and restores it: flags, buffers, weights,
attributes, hooks and random number generators."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from shapelint.tracing.fake_tensors import is_fake
from shapelint.tracing.members import buffers_of, modules_of, parameters_of
from shapelint.tracing.session import Session
from shapelint.tracing.torch_private import no_modes, storage_key

_CONTAINER_MODULES = ("builtins", "collections")
"""The modules of container classes that can be emptied and refilled without surprises.
Those of the user may behave differently."""


@dataclass(frozen=True)
class _AttributeCopy:
    """An attribute, and a copy of its content if it is a container."""

    value: Any
    held: Any

    @classmethod
    def of(cls, value: Any) -> _AttributeCopy:
        """Copy a container that the forward may change, one level deep. Its members are
        not copied."""
        is_container = isinstance(value, (dict, list, set))
        if is_container and type(value).__module__ in _CONTAINER_MODULES:
            return cls(value, value.copy())
        return cls(value, None)

    def restore(self) -> Any:
        """Return the attribute with its original content."""
        if self.held is None:
            return self.value
        self.value.clear()
        if isinstance(self.value, list):
            self.value.extend(self.held)
        else:
            self.value.update(self.held)
        return self.value


class _WrittenTensors:
    """Copies of the model's own tensors, each made just before it is written.

    Most walks write none, and copying all of them would take as long as the walk."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self._own: dict[int, Tensor] = {}
        for tensor in tensors:
            if _has_memory(tensor):
                self._own[storage_key(tensor)] = tensor
        self._copies: dict[int, Tensor] = {}

    def keep(self, tensor: Tensor) -> None:
        """Copy a tensor, or the model's tensor of which it is a view, before it is
        written."""
        if not _has_memory(tensor):
            return
        storage = storage_key(tensor)
        if storage in self._own and storage not in self._copies:
            with no_modes():
                self._copies[storage] = self._own[storage].detach().clone()

    def restore(self) -> None:
        """Write the original values back."""
        with no_modes(), torch.no_grad():
            for storage, before in self._copies.items():
                self._own[storage].data.copy_(before)


def _has_memory(tensor: Tensor) -> bool:
    if is_fake(tensor) or is_lazy(tensor):
        return False
    return tensor.layout == torch.strided


@contextlib.contextmanager
def preserve_model(model: nn.Module, session: Session) -> Iterator[None]:
    """Restore the model and the random number generators on exit."""
    parameters = [parameter for _, parameter in parameters_of(model)]
    buffers = [buffer for _, buffer in buffers_of(model)]
    gradients = [(parameter, parameter.grad) for parameter in parameters]
    modules = [module for _, module in modules_of(model)]
    attributes = [(module, _keep_attributes(module)) for module in modules]
    written = _WrittenTensors([*parameters, *buffers])
    session.before_mutation = written.keep
    try:
        with preserve_generators(seed=0):
            yield
    finally:
        session.before_mutation = None
        written.restore()
        for module, before in attributes:
            _restore_attributes(module, before)
        for parameter, gradient in gradients:
            parameter.grad = gradient


def _keep_attributes(module: nn.Module) -> dict[str, _AttributeCopy]:
    return {name: _AttributeCopy.of(value) for name, value in vars(module).items()}


def _restore_attributes(module: nn.Module, before: dict[str, _AttributeCopy]) -> None:
    now = vars(module)
    for name in [name for name in now if name not in before]:
        del now[name]
    for name, kept in before.items():
        now[name] = kept.restore()


@contextlib.contextmanager
def preserve_generators(seed: int | None = None) -> Iterator[None]:
    """Restore the generators of Python, torch and NumPy on exit. Inside, they start
    from `seed` if it is given."""
    # NumPy is not imported for it: what the user's code imports inside starts anew.
    numpy: Any = getattr(sys.modules.get("numpy"), "random", None)
    python_state, torch_state = random.getstate(), torch.get_rng_state()
    numpy_state = numpy.get_state() if numpy is not None else None
    if seed is not None:
        random.seed(seed)
        torch.default_generator.manual_seed(seed)
        if numpy is not None:
            numpy.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        torch.set_rng_state(torch_state)
        if numpy is not None:
            numpy.set_state(numpy_state)
