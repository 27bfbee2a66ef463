"""Records the calls of one walk, as plain facts and as nodes of an fx graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn

from shapelint import ops
from shapelint.facts.graph import Call
from shapelint.facts.kinds import CallKind, Home
from shapelint.facts.places import Site
from shapelint.ops.record import Draws
from shapelint.tracing.devices import find_home, find_strays
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.members import parameters_of
from shapelint.tracing.model_names import ModelNames
from shapelint.tracing.module_stack import ModuleStack
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.nodes import GraphBuilder, plain_result
from shapelint.tracing.op_names import is_tensor_method
from shapelint.tracing.ownership import Ownership

Definitions = Callable[[nn.Module], tuple[Site, ...]]
"""Returns the sites at which a module was made, innermost first."""

_ATTRIBUTES = (int, float, str, tuple, type(None))
"""Types of the module attributes that are recorded: they tell how the module was
made."""


class CallLog:
    """The calls so far. `leaf` is the leaf module that is running: everything inside it
    belongs to its call."""

    def __init__(
        self, names: ModelNames, ownership: Ownership, definitions: Definitions
    ) -> None:
        self.names = names
        self.has_origins = False
        self.ownership = ownership
        self.calls: list[Call] = []
        self.stack = ModuleStack()
        self.nodes = GraphBuilder(names.tensors, self.stack)
        self.leaf: Call | None = None
        self._definitions = definitions
        self._occurrences: Counter[tuple[str, str]] = Counter()

    # -- a call begins, ends, or was none ----------------------------------------------

    def begin_module(
        self, module: nn.Module, path: str, args: Args, kwargs: Kwargs
    ) -> Call:
        """Begin the call of a leaf module. `path` is its name in the model, or an
        invented name if it is not registered."""
        class_name = type(module).__name__
        call = self._begin(class_name, CallKind.MODULE, path, args, kwargs)
        call.module_path, call.module_class = path, class_name
        call.attributes = {
            key: self.names.plain(value)
            for key, value in vars(module).items()
            if isinstance(value, _ATTRIBUTES) and not key.startswith("_")
        }
        call.params = self._parameter_names(module)
        call.definition = self._definitions(module)
        call.registered = id(module) in self.names.modules
        call.training = module.training
        if call.params:
            call.home = Home.MODEL
        else:
            call.home = find_home(call.op, call, self.calls, args, {})
        call.strays = find_strays(call.op, call, self.calls)
        self.nodes.add_module(call, module, args, kwargs)
        return call

    def begin_function(self, invocation: Invocation) -> Call:
        """Begin the call of a torch function outside of any leaf module."""
        name, args, kwargs = invocation.name, invocation.args, invocation.kwargs
        is_method = is_tensor_method(invocation.func)
        kind = CallKind.METHOD if is_method else CallKind.FUNCTION
        call = self._begin(name, kind, self.stack.layer, args, kwargs)
        call.args = self.names.plain_args(args)
        call.kwargs = self.names.plain_kwargs(kwargs)
        given = [fact.name for fact in call.inputs]
        used = [each for each in given if each in self.names.parameters]
        call.params = tuple(dict.fromkeys(used))
        call.home = find_home(name, call, self.calls, args, kwargs)
        call.strays = find_strays(name, call, self.calls)
        self.nodes.add_function(call, invocation)
        return call

    def begin_pattern(
        self, name: str, tensor: Tensor, pattern: str, lengths: dict[str, int]
    ) -> Call:
        """Begin the call of an einops function. In the graph it is a reshape, since
        einops would express it by torch functions."""
        args = (tensor,)
        call = self._begin(name, CallKind.FUNCTION, self.stack.layer, args, {})
        call.args = (self.names.fact(tensor), pattern)
        call.kwargs = self.names.plain_kwargs({**lengths})
        self.nodes.add_function(call, Invocation(torch.reshape, name, args, {}))
        return call

    def _begin(
        self, op: str, kind: CallKind, layer: str, args: Args, kwargs: Kwargs
    ) -> Call:
        occurrence = self._occurrences[layer, op]
        self._occurrences[layer, op] += 1
        call = Call(
            len(self.calls),
            layer,
            op,
            kind,
            occurrence=occurrence,
            within=self.stack.frames,
        )
        is_random = ops.of(op).draws is not Draws.NOTHING
        call.derived = is_random or kind is CallKind.MODULE
        for position, tensor in enumerate(tensors_in((args, kwargs))):
            call.inputs.append(self.names.fact(tensor))
            producer = self._producer(tensor)
            call.producers.append(-1 if producer is None else producer)
            if producer is not None and producer < 0:
                call.from_input = (*call.from_input, position)
            call.derived = call.derived or self.is_derived(tensor)
        call.site = self.ownership.nearest()
        self.calls.append(call)
        return call

    def finish(self, call: Call, out: object) -> None:
        """Record the result of a call, or the value that stands in for it."""
        result = plain_result(out)
        call.outputs = [self.names.fact(tensor) for tensor in tensors_in(result)]
        self.nodes.finish(call, result)

    def forget(self, call: Call) -> None:
        """Remove a call that returned no tensor, unless it failed."""
        if call.failure is not None:
            return
        self.nodes.forget(call)
        if self.calls and self.calls[-1] is call:
            self.calls.pop()
            self._occurrences[call.layer, call.op] -= 1

    # -- where a tensor came from ------------------------------------------------------

    def origins(self, value: object) -> list[int]:
        """For each tensor in a nested value, the call that made it, as in
        `Call.producers`; -1 for tensors from elsewhere."""
        is_container = isinstance(value, (Tensor, list, tuple, dict))
        has_fields = not is_container and hasattr(value, "__dict__")
        parts = list(vars(value).values()) if has_fields else value
        producers = [self._producer(tensor) for tensor in tensors_in(parts)]
        return [-1 if producer is None else producer for producer in producers]

    def is_derived(self, tensor: Tensor) -> bool:
        """Whether the values of a tensor depend on inputs, weights or random
        numbers."""
        producer = self._producer(tensor)
        if producer is None:
            # Made outside of any call: a weight, or something in a leaf module.
            return self.names.is_parameter(tensor) or self.leaf is not None
        return producer < 0 or self.calls[producer].derived

    def _producer(self, tensor: Tensor) -> int | None:
        """The index of the call that made a tensor, negative for an input, None for any
        other tensor."""
        origin = self.nodes.origin(tensor)
        return None if origin is None else origin.call

    def _parameter_names(self, module: nn.Module) -> tuple[str, ...]:
        ids = [id(parameter) for _, parameter in parameters_of(module)]
        names = [self.names.tensors.get(each, "") for each in ids]
        return tuple(dict.fromkeys(name for name in names if name))
