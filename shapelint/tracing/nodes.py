"""The fx graph of a walk while it grows: nodes, and which node made which tensor."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.fx
from torch.fx.passes.shape_prop import TensorMetadata

from shapelint.facts.graph import Call
from shapelint.tracing.costs import tensors_in
from shapelint.tracing.described import key_text
from shapelint.tracing.torch_private import no_torch_function

NESTED = 20
"""Levels of nested arguments and results that are followed; a container may hold
itself."""

_PLAIN = (str, int, float, bool, complex, type(None))
_CONSTANTS = (*_PLAIN, torch.dtype, torch.device, torch.memory_format, torch.layout)


@dataclass
class Origin:
    """Which node made a tensor, where in its result it stood, and the call's index
    (below 0: a model input)."""

    ref: weakref.ref[torch.Tensor]
    node: torch.fx.Node
    path: tuple[Any, ...]
    call: int


class GraphBuilder:
    """Emits a node for each call. `tensor_names`: qualified names of weights and
    buffers by identity."""

    def __init__(self, tensor_names: dict[int, str]) -> None:
        self.graph = torch.fx.Graph()
        self._tensor_names = tensor_names
        self._origins: dict[int, Origin] = {}
        self._attributes: dict[str, torch.fx.Node] = {}
        self._nodes: dict[int, torch.fx.Node] = {}
        self._inputs = 0

    def origin(self, tensor: torch.Tensor) -> Origin | None:
        """Where a tensor came from, if a call or an input of this walk made it."""
        origin = self._origins.get(id(tensor))
        return origin if origin is not None and origin.ref() is tensor else None

    def add_input(self, name: str, value: Any) -> None:
        """A model input: a placeholder."""
        node = self.graph.placeholder(name)
        self._inputs += 1
        self._remember(value, node, (), -self._inputs)
        if isinstance(value, torch.Tensor):
            node.meta["tensor_meta"] = tensor_metadata(value)

    def add_module(
        self, call: Call, module: torch.nn.Module, args: Any, kwargs: Any
    ) -> torch.fx.Node:
        """A call of a leaf module; one that is no attribute of the model becomes a
        function."""
        if call.registered:
            return self._add(call, "call_module", call.module_path, tuple(args), kwargs)
        return self._add(
            call, "call_function", _function_of(module), tuple(args), kwargs
        )

    def add_function(
        self, call: Call, func: Any, raw: str, args: Any, kwargs: Any
    ) -> torch.fx.Node:
        """A call of a torch function, a method or a property."""
        if raw == "__getitem__":
            return self._add(
                call, "call_function", operator.getitem, tuple(args), kwargs
            )
        if getattr(func, "__name__", "") == "__get__":
            return self._add(call, "call_function", getattr, (*args[:1], raw), {})
        if call.is_method:
            return self._add(call, "call_method", raw, tuple(args), kwargs)
        return self._add(call, "call_function", func, tuple(args), kwargs)

    def _add(
        self,
        call: Call,
        op: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> torch.fx.Node:
        node = self.graph.create_node(
            op, target, self._argument(args), self._argument(dict(kwargs))
        )
        if call.site is not None:
            site = call.site
            node.meta["stack_trace"] = (
                f'  File "{site.file}", line {site.line}, in {site.function}\n'
            )
        node.meta["shapelint"] = call
        self._nodes[call.index] = node
        return node

    def finish(self, call: Call, out: Any) -> None:
        """The result of a call that was added."""
        node = self._nodes.get(call.index)
        if node is None:
            return
        if isinstance(out, torch.Tensor):
            node.meta["tensor_meta"] = tensor_metadata(out)
        self._remember(out, node, (), call.index)

    def forget(self, call: Call) -> None:
        """Take a call back that gave no tensor."""
        node = self._nodes.pop(call.index, None)
        if node is not None:
            self.graph.erase_node(node)

    def output(self, out: Any) -> None:
        """The model's result."""
        self.graph.output(self._argument(out))

    def _remember(
        self, value: Any, node: torch.fx.Node, path: tuple[Any, ...], index: int
    ) -> None:
        if isinstance(value, torch.Tensor):
            self._origins[id(value)] = Origin(weakref.ref(value), node, path, index)
        elif len(path) >= NESTED:
            return
        elif isinstance(value, (list, tuple)):
            for position, item in enumerate(value):
                self._remember(item, node, (*path, position), index)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._remember(item, node, (*path, key), index)

    def _argument(self, value: Any, levels: int = NESTED) -> Any:
        """A value as fx takes it: tensors as nodes, what fx does not know, or lies too
        deep, by its type's name."""
        if isinstance(value, torch.Tensor):
            return self._node_of(value)
        if isinstance(value, (list, tuple)) and levels:
            items = [self._argument(item, levels - 1) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict) and levels:
            return {
                key_text(key): self._argument(item, levels - 1)
                for key, item in value.items()
            }
        if isinstance(value, slice):
            return slice(
                *(
                    self._argument(part)
                    for part in (value.start, value.stop, value.step)
                )
            )
        if isinstance(value, _CONSTANTS) or value is Ellipsis:
            return value
        return type(value).__name__

    def _node_of(self, tensor: torch.Tensor) -> torch.fx.Node:
        origin = self.origin(tensor)
        if origin is None:
            return self._attribute(tensor)
        node = origin.node
        for step in origin.path:
            node = self.graph.create_node(
                "call_function", operator.getitem, (node, step)
            )
        if origin.path:
            self._origins[id(tensor)] = Origin(origin.ref, node, (), origin.call)
        return node

    def _attribute(self, tensor: torch.Tensor) -> torch.fx.Node:
        name = self._tensor_names.get(id(tensor)) or f"_tensor_constant{id(tensor)}"
        node = self._attributes.get(name)
        if node is None:
            node = self._attributes[name] = self.graph.create_node("get_attr", name)
            node.meta["tensor_meta"] = tensor_metadata(tensor)
        return node


def tensor_metadata(tensor: torch.Tensor) -> TensorMetadata:
    """The `tensor_meta` of fx; torch's own maker of it imports sympy for one check."""
    if tensor.layout != torch.strided:
        return TensorMetadata(
            tensor.shape, tensor.dtype, tensor.requires_grad, (), None, False, {}
        )
    with no_torch_function():
        memory_format = torch.contiguous_format if tensor.is_contiguous() else None
        return TensorMetadata(
            tensor.shape,
            tensor.dtype,
            tensor.requires_grad,
            tensor.stride(),
            memory_format,
            tensor.is_quantized,
            {},
        )


def plain_result(value: Any) -> Any:
    """Results of torch's own modules that are more than tensors and containers."""
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return (value.data, value.batch_sizes)
    return value


def has_tensors(value: Any) -> bool:
    """Whether a nested value holds any tensor."""
    return any(True for _ in tensors_in(value))


def _function_of(module: torch.nn.Module) -> Callable[..., Any]:
    """A module that is no attribute of the model, as a function with a name."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return module(*args, **kwargs)

    call.__name__ = type(module).__name__
    return call
