"""Every torch call of a walk, as a node of an fx graph and as plain facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.fx
from torch.overrides import TorchFunctionMode

from shapelint import ops
from shapelint.facts.graph import Call, Frame, TensorFact
from shapelint.facts.kinds import CallKind
from shapelint.facts.places import Site
from shapelint.ops.record import Asks, Draws
from shapelint.tracing.costs import tensors_in
from shapelint.tracing.described import key_text, plain_value
from shapelint.tracing.devices import CPU, MODEL, UNKNOWN, home_of, strays_of
from shapelint.tracing.einops_calls import is_pattern_layer
from shapelint.tracing.failures import FailureHandler
from shapelint.tracing.members import buffers_of, modules_of, parameters_of
from shapelint.tracing.nodes import NESTED, GraphBuilder, has_tensors, plain_result
from shapelint.tracing.op_names import dtype_name, is_inplace, on_cpu, op_name, raw_name
from shapelint.tracing.session import Session, answered_apart, is_fake
from shapelint.tracing.stand_ins import Values
from shapelint.tracing.torch_private import is_module_leaf, no_modes

_ANSWERED = (Asks.VALUE, Asks.COMPARISON, Asks.SIZE_FROM_VALUES)
"""What a stand-in answers where no data is."""


def _is_question(func: Any, name: str) -> bool:
    """Whether a function of that name asks: `float(x)` does, `x.float()` gives a
    tensor."""
    return not ops.of(name).only_as_dunder or raw_name(func).startswith("__")


@dataclass
class ModelNames:
    """Qualified names by object identity; a shared object goes by its first name."""

    modules: dict[int, str]
    tensors: dict[int, str]

    @classmethod
    def of(cls, model: torch.nn.Module) -> ModelNames:
        modules = {id(module): name for name, module in modules_of(model)}
        tensors: dict[int, str] = {}
        for name, tensor in [*parameters_of(model), *buffers_of(model)]:
            tensors.setdefault(id(tensor), name)
        return cls(modules, tensors)


def enter_root(original: Any, module: torch.nn.Module, args: Any, kwargs: Any) -> Any:
    """Call the outermost module. Frames beyond this function are not the model's,
    whoever called it."""
    return original(module, *args, **kwargs)


def enter_module(original: Any, module: torch.nn.Module, args: Any, kwargs: Any) -> Any:
    """Call a module inside the model."""
    return original(module, *args, **kwargs)


class Recorder(TorchFunctionMode):
    """Sees every torch function of one walk; `on_module` sees every module call."""

    def __init__(
        self,
        model: torch.nn.Module,
        names: ModelNames,
        session: Session,
        values: Values,
        failures: FailureHandler,
        definitions: Callable[[torch.nn.Module], tuple[Site, ...]],
    ) -> None:
        super().__init__()
        self.model = model
        self.names = names
        self.params = {id(param) for _, param in parameters_of(model)}
        self.session = session
        self.values = values
        self.failures = failures
        self.definitions = definitions
        self.ownership = values.ownership
        self.nodes = GraphBuilder(names.tensors)
        self.calls: list[Call] = []
        self.stack: list[Frame] = []
        self._classes: list[type] = []
        self._within: tuple[Frame, ...] = ()
        self.leaf: Call | None = None
        self._turns: Counter[tuple[str, str]] = Counter()
        self._serial = 0
        self._current: Call | None = None
        self._raised_in: dict[int, str] = {}
        self._param_names = {
            name for key, name in names.tensors.items() if key in self.params
        }

    # -- what modes and hooks call
    # ------------------------------------------------------------

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = op_name(func)
        args, kwargs = on_cpu(name, args, kwargs or {})
        apart = answered_apart(name, args)
        if apart is not NotImplemented:
            return apart
        asks = ops.of(name).asks
        if asks in _ANSWERED and _is_question(func, name):
            return self._ask(func, name, args, kwargs)
        if asks is Asks.FACT:
            return func(*args, **kwargs)
        return self._run(func, name, args, kwargs)

    def on_module(
        self, original: Any, module: torch.nn.Module, args: Any, kwargs: Any
    ) -> Any:
        """Stands in for `nn.Module.__call__` during the walk."""
        path = self.names.modules.get(id(module))
        shown = (
            path
            if path is not None
            else f"{self.layer}.<{type(module).__name__}>".lstrip(".")
        )
        self._serial += 1
        call: Call | None = None
        if self.leaf is None and (is_module_leaf(module) or is_pattern_layer(module)):
            call = self._begin_module(module, shown, path is not None, args, kwargs)
            self.leaf = call
        enter = enter_module if self.stack else enter_root
        self.stack.append(Frame(shown, type(module).__name__, self._serial))
        self._classes.append(type(module))
        self._moved()
        try:
            out = enter(original, module, args, kwargs)
        except Exception as error:
            self._raised_in.setdefault(id(error), shown)
            if call is None:
                raise
            out = self.failures.module_failed(self, call, module, args, kwargs, error)
        finally:
            self.stack.pop()
            self._classes.pop()
            self._moved()
            if call is not None:
                self.leaf = None
        if call is not None:
            self._finish(call, out)
        return out

    def _moved(self) -> None:
        self._within = tuple(self.stack)
        self.values.module_serials = tuple(frame.serial for frame in self.stack)

    def under_way(self) -> Call | None:
        """The call that torch is busy with."""
        return self.leaf or self._current

    def on_failed_pattern(
        self,
        name: str,
        tensor: torch.Tensor,
        pattern: str,
        lengths: Any,
        error: Exception,
    ) -> Any:
        """A function of einops raised."""
        call = self.leaf or self._begin(
            name, CallKind.FUNCTION, self.layer, (tensor,), {}
        )
        if self.leaf is None:
            call.args, call.kwargs = (self.plain(tensor), pattern), self.plain(lengths)
            self._in_stack(
                self.nodes.add_function(call, torch.reshape, name, (tensor,), {})
            )
        out = self.failures.pattern_failed(
            self, call, name, tensor, pattern, lengths, error
        )
        if call is not self.leaf:
            self._finish(call, out)
        return out

    def on_work(self, work: int) -> None:
        """Mult-adds of an op, for the call that is under way."""
        current = self.under_way()
        if current is not None:
            current.mult_adds += work

    # -- names and origins
    # --------------------------------------------------------------------

    @property
    def layer(self) -> str:
        """Qualified name of the module being called; empty at the top."""
        return self.stack[-1].path if self.stack else ""

    def raised_in(self, error: BaseException) -> str:
        """Qualified name of the innermost module an exception came out of."""
        return self._raised_in.get(id(error), "")

    def fact(self, tensor: torch.Tensor) -> TensorFact:
        """A tensor as plain data."""
        return TensorFact(
            dtype_name(tensor.dtype),
            tuple(tensor.shape),
            self.names.tensors.get(id(tensor), ""),
        )

    def plain(self, value: Any, levels: int = NESTED) -> Any:
        """Nested arguments as plain data; what has no plain form, or lies too deep, is
        None."""
        if isinstance(value, torch.Tensor):
            return self.fact(value)
        if isinstance(value, (int, float, str, type(None))):
            return plain_value(value)
        if isinstance(value, slice):
            ends = (value.start, value.stop, value.step)
            return (
                value
                if all(isinstance(end, (int, type(None))) for end in ends)
                else None
            )
        if isinstance(value, (list, tuple)) and levels:
            items = [self.plain(item, levels - 1) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict) and levels:
            return {
                key_text(key): self.plain(item, levels - 1)
                for key, item in value.items()
            }
        return value if value is Ellipsis else None

    def origins(self, value: Any) -> list[int]:
        """What made each tensor in a nested value, as in `Call.producers`."""
        is_plain = isinstance(value, (torch.Tensor, list, tuple, dict)) or not hasattr(
            value, "__dict__"
        )
        parts = value if is_plain else list(vars(value).values())  # a dataclass
        found = [self.nodes.origin(tensor) for tensor in tensors_in(parts)]
        return [origin.call if origin is not None else -1 for origin in found]

    def is_derived(self, tensor: torch.Tensor) -> bool:
        """Whether its values hang on activations or weights."""
        origin = self.nodes.origin(tensor)
        if origin is None:
            return id(tensor) in self.params or self.leaf is not None
        return origin.call < 0 or self.calls[origin.call].derived

    # -- recording
    # ----------------------------------------------------------------------------

    def _run(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        if self.leaf is not None:
            try:
                return func(*args, **kwargs)
            except Exception as error:
                return self.failures.function_failed(
                    self, self.leaf, func, name, args, kwargs, error
                )
        call = self._begin_function(func, name, args, kwargs)
        previous, self._current = self._current, call
        try:
            out = func(*args, **kwargs)
        except Exception as error:
            out = self.failures.function_failed(
                self, call, func, name, args, kwargs, error
            )
        finally:
            self._current = previous
        if not has_tensors(out):
            self._forget(call)
            return out
        if call.home == CPU and name in ("cpu", "to") and args and out is args[0]:
            # `x.cpu()` is x itself here: of the two, one may have stayed where it was
            call.home = UNKNOWN
        self._finish(call, out)
        return out

    def _ask(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        tensor = next(tensors_in((args, kwargs)), None)
        if tensor is None:
            return func(*args, **kwargs)
        site = self.ownership.nearest()
        derived = any(
            self.is_derived(t) for t in tensors_in((args, kwargs))
        ) or is_fake(tensor)
        forced = self.values.force(name, site) if derived else None
        if ops.of(name).asks is Asks.SIZE_FROM_VALUES:
            answer = self._run(func, name, args, kwargs)
            if is_fake(tensor):
                self.values.handed_out_number = True
            return answer
        answer = (
            forced
            if forced is not None
            else self._answer(func, name, args, kwargs, tensor)
        )
        if derived and not (self.leaf is not None and not is_fake(tensor)):
            self.values.note(name, tensor, answer, site, self.layer, forced is not None)
        return answer

    def _answer(
        self, func: Any, name: str, args: Any, kwargs: Any, tensor: torch.Tensor
    ) -> Any:
        if is_fake(tensor):
            if name in ("tolist", "numpy", "array"):
                self.values.handed_out_number = True
                with no_modes():
                    filled = torch.ones(tuple(tensor.shape), dtype=tensor.dtype)
                    return filled.tolist() if name == "tolist" else filled.numpy()
            if ops.of(name).asks is Asks.COMPARISON:
                return self.values.stand_in(torch.ones((), dtype=torch.bool))
        try:
            return func(*args, **kwargs)
        except Exception as error:
            call = self.leaf or self._begin_function(func, name, args, kwargs)
            return self.failures.function_failed(
                self, call, func, name, args, kwargs, error
            )

    def _begin_module(
        self,
        module: torch.nn.Module,
        path: str,
        registered: bool,
        args: Any,
        kwargs: Any,
    ) -> Call:
        attributes = {
            key: self.plain(value)
            for key, value in vars(module).items()
            if isinstance(value, (int, float, str, bool, tuple, type(None)))
            and not key.startswith("_")
        }
        params = tuple(
            self.names.tensors.get(id(param), "") for _, param in parameters_of(module)
        )
        call = self._begin(type(module).__name__, CallKind.MODULE, path, args, kwargs)
        call.module_path, call.module_class, call.attributes = (
            path,
            type(module).__name__,
            attributes,
        )
        call.params = tuple(dict.fromkeys(name for name in params if name))
        call.definition = self.definitions(module)
        call.registered = registered
        call.training = module.training
        call.home = (
            MODEL if call.params else home_of(call.op, call, self.calls, args, {})
        )
        call.strays = strays_of(call.op, call, self.calls)
        self._in_stack(self.nodes.add_module(call, module, args, kwargs))
        return call

    def _begin_function(self, func: Any, name: str, args: Any, kwargs: Any) -> Call:
        raw = raw_name(func)
        is_method = getattr(func, "__objclass__", None) is not None or getattr(
            func, "__qualname__", ""
        ).startswith("Tensor.")
        call = self._begin(
            name,
            CallKind.METHOD if is_method else CallKind.FUNCTION,
            self.layer,
            args,
            kwargs,
        )
        call.args, call.kwargs = self.plain(tuple(args)), self.plain(dict(kwargs))
        call.params = tuple(
            dict.fromkeys(
                fact.name for fact in call.inputs if fact.name in self._param_names
            )
        )
        call.home, call.strays = (
            home_of(name, call, self.calls, args, kwargs),
            strays_of(name, call, self.calls),
        )
        self._in_stack(self.nodes.add_function(call, func, raw, args, kwargs))
        if is_inplace(func):
            call.kwargs = {**call.kwargs, "_inplace": True}
        return call

    def _begin(
        self, op: str, kind: CallKind, layer: str, args: Any, kwargs: Any
    ) -> Call:
        call = Call(
            len(self.calls),
            layer,
            op,
            kind,
            turn=self._turns[(layer, op)],
            within=self._within,
        )
        self._turns[(layer, op)] += 1
        derived = ops.of(op).draws is not Draws.NOTHING
        for tensor in tensors_in((args, kwargs)):
            call.inputs.append(self.fact(tensor))
            origin = self.nodes.origin(tensor)
            call.producers.append(origin.call if origin is not None else -1)
            if origin is not None and origin.call < 0:
                call.from_input = (*call.from_input, len(call.inputs) - 1)
            derived = derived or self.is_derived(tensor)
        call.derived = derived or kind is CallKind.MODULE
        call.site = self.ownership.nearest()
        self.calls.append(call)
        return call

    def _in_stack(self, node: torch.fx.Node) -> None:
        node.meta["nn_module_stack"] = {
            frame.path: (frame.path, cls)
            for frame, cls in zip(self.stack, self._classes, strict=True)
        }

    def _finish(self, call: Call, out: Any) -> None:
        result = plain_result(out)
        call.outputs = [self.fact(tensor) for tensor in tensors_in(result)]
        self.nodes.finish(call, result)

    def _forget(self, call: Call) -> None:
        """A call that gave no tensor is no row and no node."""
        if call.failure is not None:
            return
        self.nodes.forget(call)
        if self.calls and self.calls[-1] is call:
            self.calls.pop()
            self._turns[(call.layer, call.op)] -= 1
