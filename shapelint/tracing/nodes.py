"""Builds the fx graph of a walk, and remembers which node made which tensor."""

from __future__ import annotations

import operator
import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import TensorMetadata

from shapelint.facts.graph import Call
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.model_names import NESTED
from shapelint.tracing.module_stack import ModuleStack
from shapelint.tracing.nested import Args, Function, Kwargs
from shapelint.tracing.op_names import raw_name
from shapelint.tracing.torch_private import no_torch_function
from shapelint.tracing.user_text import key_text

_PLAIN = (str, int, float, bool, complex, type(None))
_CONSTANTS = (*_PLAIN, torch.dtype, torch.device, torch.memory_format, torch.layout)


Path = tuple[Any, ...]
"""The indices and keys that lead to a tensor in a nested result."""


@dataclass(frozen=True)
class Origin:
    """The node that made a tensor, the tensor's path in its result, and the index of
    the call (negative for a model input)."""

    ref: weakref.ref[Tensor]
    node: fx.Node
    path: Path
    call: int


class GraphBuilder:
    """Adds a node for each call. `tensor_names`: qualified names of weights and buffers
    by identity. `stack`: the modules whose forward is running."""

    def __init__(self, tensor_names: dict[int, str], stack: ModuleStack) -> None:
        self._stack = stack
        self.graph = fx.Graph()
        self._tensor_names = tensor_names
        self._origins: dict[int, Origin] = {}
        self._attributes: dict[str, fx.Node] = {}
        self._nodes: dict[int, fx.Node] = {}
        self._inputs = 0

    def origin(self, tensor: Tensor) -> Origin | None:
        """The origin of a tensor, if a call or an input of this walk made it."""
        origin = self._origins.get(id(tensor))
        # A new tensor may get the id of one that was freed.
        return origin if origin is not None and origin.ref() is tensor else None

    def add_input(self, name: str, value: object) -> None:
        """Add a placeholder for a model input."""
        node = self.graph.placeholder(name)
        self._inputs += 1
        self._remember(value, node, (), -self._inputs)
        if isinstance(value, Tensor):
            node.meta["tensor_meta"] = tensor_metadata(value)

    def add_module(
        self, call: Call, module: nn.Module, args: Args, kwargs: Kwargs
    ) -> None:
        """Add the call of a leaf module. A module that is not registered in the model
        is added as a function."""
        if call.registered:
            self._add(call, "call_module", call.module_path, args, kwargs)
        else:
            function = _function_of(module)
            self._add(call, "call_function", function, args, kwargs)

    def add_function(self, call: Call, invocation: Invocation) -> None:
        """Add the call of a torch function, a method or a property."""
        func, args, kwargs = invocation.func, invocation.args, invocation.kwargs
        raw = raw_name(func)
        if raw == "__getitem__":
            self._add(call, "call_function", operator.getitem, args, kwargs)
        elif getattr(func, "__name__", "") == "__get__":  # a property
            self._add(call, "call_function", getattr, (*args[:1], raw), {})
        elif call.is_method:
            self._add(call, "call_method", raw, args, kwargs)
        else:
            self._add(call, "call_function", func, args, kwargs)

    def _add(
        self, call: Call, op: str, target: str | Function, args: Args, kwargs: Kwargs
    ) -> None:
        node_args, node_kwargs = self._argument(tuple(args)), self._argument(kwargs)
        node = self.graph.create_node(op, target, node_args, node_kwargs)
        node.meta["nn_module_stack"] = self._stack.as_node_meta()
        if call.site is not None:
            # In the form of a traceback, which fx tools parse.
            node.meta["stack_trace"] = (
                f'  File "{call.site.file}", line {call.site.line}, '
                f"in {call.site.function}\n"
            )
        node.meta["shapelint"] = call
        self._nodes[call.index] = node

    def finish(self, call: Call, out: object) -> None:
        """Record the result of a call that was added."""
        node = self._nodes.get(call.index)
        if node is None:
            return
        if isinstance(out, Tensor):
            node.meta["tensor_meta"] = tensor_metadata(out)
        self._remember(out, node, (), call.index)

    def forget(self, call: Call) -> None:
        """Remove a call that returned no tensor."""
        node = self._nodes.pop(call.index, None)
        if node is not None:
            self.graph.erase_node(node)

    def output(self, out: object) -> None:
        """Add the model's result."""
        self.graph.output(self._argument(out))

    def _remember(self, value: object, node: fx.Node, path: Path, index: int) -> None:
        if isinstance(value, Tensor):
            self._origins[id(value)] = Origin(weakref.ref(value), node, path, index)
            return
        if len(path) >= NESTED:
            return
        if isinstance(value, (list, tuple)):
            for position, item in enumerate(value):
                self._remember(item, node, (*path, position), index)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._remember(item, node, (*path, key), index)

    def _argument(self, value: object, levels: int = NESTED) -> Any:
        """Convert a value for fx: tensors become nodes; values that fx does not know,
        or nested too deeply, become the name of their type."""
        if isinstance(value, Tensor):
            return self._node_of(value)
        if isinstance(value, slice):
            bounds = (value.start, value.stop, value.step)
            return slice(*(self._argument(bound) for bound in bounds))
        if isinstance(value, _CONSTANTS) or value is Ellipsis:
            return value
        if isinstance(value, list) and levels:
            return [self._argument(item, levels - 1) for item in value]
        if isinstance(value, tuple) and levels:
            return tuple(self._argument(item, levels - 1) for item in value)
        if isinstance(value, dict) and levels:
            return {
                key_text(key): self._argument(item, levels - 1)
                for key, item in value.items()
            }
        return type(value).__name__

    def _node_of(self, tensor: Tensor) -> fx.Node:
        origin = self.origin(tensor)
        if origin is None:
            return self._attribute(tensor)
        if not origin.path:
            return origin.node
        # One of several results: taken out by a node of its own, the first time.
        node = origin.node
        for step in origin.path:
            node = self.graph.create_node(
                "call_function", operator.getitem, (node, step)
            )
        self._origins[id(tensor)] = Origin(origin.ref, node, (), origin.call)
        return node

    def _attribute(self, tensor: Tensor) -> fx.Node:
        name = self._tensor_names.get(id(tensor)) or f"_tensor_constant{id(tensor)}"
        node = self._attributes.get(name)
        if node is None:
            node = self._attributes[name] = self.graph.create_node("get_attr", name)
            node.meta["tensor_meta"] = tensor_metadata(tensor)
        return node


def tensor_metadata(tensor: Tensor) -> TensorMetadata:
    """The `tensor_meta` of fx. torch's own function for it imports sympy."""
    shape, dtype, needs_grad = tensor.shape, tensor.dtype, tensor.requires_grad
    if tensor.layout != torch.strided:  # nothing else is known of sparse ones
        return TensorMetadata(shape, dtype, needs_grad, (), None, False, {})
    with no_torch_function():
        memory_format = torch.contiguous_format if tensor.is_contiguous() else None
        stride, is_quantized = tensor.stride(), tensor.is_quantized
    return TensorMetadata(
        shape, dtype, needs_grad, stride, memory_format, is_quantized, {}
    )


def plain_result(value: object) -> object:
    """Convert results of torch's own modules that are neither tensors nor
    containers."""
    if isinstance(value, nn.utils.rnn.PackedSequence):
        return (value.data, value.batch_sizes)
    return value


def _function_of(module: nn.Module) -> Function:
    """Wrap a module that is not registered in the model as a function with a name."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return module(*args, **kwargs)

    call.__name__ = type(module).__name__
    return call
