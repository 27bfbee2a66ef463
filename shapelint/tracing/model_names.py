"""Converts tensors and arguments to plain data: shapes, dtypes, and names within the
model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from shapelint.facts.tensors import TensorFact
from shapelint.tracing.members import buffers_of, modules_of, parameters_of
from shapelint.tracing.nested import Args, Kwargs
from shapelint.tracing.op_names import dtype_name
from shapelint.tracing.sizes_kept import sizes_of
from shapelint.tracing.user_text import key_text, plain_value

NESTED = 20
"""How many levels of nested arguments and results are followed. A container may contain
itself."""


@dataclass(frozen=True)
class ModelNames:
    """Qualified names by object identity. A shared object has its first name.
    `parameters`: the names that belong to parameters rather than buffers."""

    modules: dict[int, str]
    tensors: dict[int, str]
    parameters: frozenset[str]

    @classmethod
    def of(cls, model: nn.Module) -> ModelNames:
        """The names of everything that is registered in a model."""
        modules = {id(module): name for name, module in modules_of(model)}
        tensors = {id(parameter): name for name, parameter in parameters_of(model)}
        parameters = frozenset(tensors.values())
        for name, buffer in buffers_of(model):
            tensors.setdefault(id(buffer), name)
        return cls(modules, tensors, parameters)

    def is_parameter(self, tensor: Tensor) -> bool:
        """Whether a tensor is a parameter of the model."""
        return self.tensors.get(id(tensor)) in self.parameters

    def fact(self, tensor: Tensor) -> TensorFact:
        """A tensor as plain data."""
        name = self.tensors.get(id(tensor), "")
        return TensorFact(dtype_name(tensor.dtype), sizes_of(tensor), name)

    def plain_args(self, args: Args) -> tuple[Any, ...]:
        """Positional arguments as plain data; see `plain`."""
        return tuple(self.plain(arg, NESTED - 1) for arg in args)

    def plain_kwargs(self, kwargs: Kwargs) -> dict[str, Any]:
        """Keyword arguments as plain data; see `plain`."""
        items = kwargs.items()
        return {key_text(key): self.plain(value, NESTED - 1) for key, value in items}

    def plain(self, value: object, levels: int = NESTED) -> object:
        """A nested argument as plain data: TensorFacts, numbers, texts, slices and
        containers. Anything else, or nested too deeply, becomes None."""
        if isinstance(value, Tensor):
            return self.fact(value)
        if isinstance(value, (int, float, str)):
            return plain_value(value)
        if isinstance(value, slice):
            return value if _has_plain_bounds(value) else None
        if value is Ellipsis:
            return value
        if not levels:
            return None
        if isinstance(value, list):
            return [self.plain(item, levels - 1) for item in value]
        if isinstance(value, tuple):
            return tuple(self.plain(item, levels - 1) for item in value)
        if isinstance(value, dict):
            items = value.items()
            return {key_text(key): self.plain(item, levels - 1) for key, item in items}
        return None


def _has_plain_bounds(value: slice) -> bool:
    bounds = (value.start, value.stop, value.step)
    return all(bound is None or isinstance(bound, int) for bound in bounds)
