"""Every torch call of a walk, as a node of an fx graph and as plain facts."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.fx
from torch.fx.passes.shape_prop import TensorMetadata
from torch.overrides import TorchFunctionMode

from shapelint.graph import Call, TensorFact
from shapelint.syntax.places import Site
from shapelint.trace.costs import tensors_in
from shapelint.trace.failures import FailureHandler
from shapelint.trace.names import dtype_name, is_inplace, on_cpu, op_name, raw_name
from shapelint.trace.session import Session, copied_fake, is_fake
from shapelint.trace.torch_private import is_module_leaf, no_modes, no_torch_function
from shapelint.trace.values import ASKING, SIZED, Values

_RANDOM = ("rand", "bernoulli", "multinomial", "dropout", "normal", "poisson", "exponential")


@dataclass
class ModuleFrame:
    """A module being called: `serial` tells two calls of one module apart."""

    path: str
    cls: type
    serial: int


@dataclass
class Origin:
    """Which node made a tensor, and where in its result it stood."""

    ref: weakref.ref[torch.Tensor]
    node: torch.fx.Node
    path: tuple[Any, ...]
    call: int


@dataclass
class ModelNames:
    """Qualified names by object identity; a shared object goes by its first name."""

    modules: dict[int, str]
    tensors: dict[int, str]

    @classmethod
    def of(cls, model: torch.nn.Module) -> ModelNames:
        modules: dict[int, str] = {}
        for name, module in model.named_modules(remove_duplicate=False):
            modules.setdefault(id(module), name)
        tensors: dict[int, str] = {}
        for name, tensor in [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]:
            tensors.setdefault(id(tensor), name)
        return cls(modules, tensors)


def enter_root(original: Any, module: torch.nn.Module, args: Any, kwargs: Any) -> Any:
    """Call the outermost module. Frames beyond this function are not the model's, whoever called it."""
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
        self.params = {id(param) for param in model.parameters()}
        self.session = session
        self.values = values
        self.failures = failures
        self.definitions = definitions
        self.ownership = values.ownership
        self.graph = torch.fx.Graph()
        self.calls: list[Call] = []
        self.stack: list[ModuleFrame] = []
        self.leaf: Call | None = None
        self._serial = 0
        self._origins: dict[int, Origin] = {}
        self._attributes: dict[str, torch.fx.Node] = {}
        self._nodes: dict[int, torch.fx.Node] = {}
        self._current: Call | None = None
        self._raised_in: dict[int, str] = {}
        self._param_names = {name for key, name in names.tensors.items() if key in self.params}
        self._input_facts: set[int] = set()

    # -- what modes and hooks call ------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = op_name(func)
        args, kwargs = on_cpu(name, args, kwargs or {})
        if name == "cuda":
            return args[0]
        if name == "deepcopy" and is_fake(args[0]):
            return copied_fake(args[0], args[1])
        if name in ASKING:
            return self._ask(func, name, args, kwargs)
        if name in _NEVER_ROWS:
            return func(*args, **kwargs)
        return self._run(func, name, args, kwargs)

    def on_module(self, original: Any, module: torch.nn.Module, args: Any, kwargs: Any) -> Any:
        """Stands in for `nn.Module.__call__` during the walk."""
        path = self.names.modules.get(id(module))
        shown = path if path is not None else f"{self.layer}.<{type(module).__name__}>".lstrip(".")
        self._serial += 1
        call: Call | None = None
        if self.leaf is None and is_module_leaf(module):
            call = self._begin_module(module, shown, path is not None, args, kwargs)
            self.leaf = call
        enter = enter_module if self.stack else enter_root
        self.stack.append(ModuleFrame(shown, type(module), self._serial))
        self.values.module_serials = tuple(frame.serial for frame in self.stack)
        try:
            out = enter(original, module, args, kwargs)
        except Exception as error:
            self._raised_in.setdefault(id(error), shown)
            if call is None:
                raise
            out = self.failures.module_failed(self, call, module, args, kwargs, error)
        finally:
            self.stack.pop()
            self.values.module_serials = tuple(frame.serial for frame in self.stack)
            if call is not None:
                self.leaf = None
        if call is not None:
            self._finish(call, out)
        return out

    def on_work(self, work: int) -> None:
        """Mult-adds of an op, for the call that is under way."""
        current = self.leaf or self._current
        if current is not None:
            current.mult_adds += work

    # -- names and origins --------------------------------------------------------------------

    @property
    def layer(self) -> str:
        """Qualified name of the module being called; empty at the top."""
        return self.stack[-1].path if self.stack else ""

    def raised_in(self, error: BaseException) -> str:
        """Qualified name of the innermost module an exception came out of."""
        return self._raised_in.get(id(error), "")

    def fact(self, tensor: torch.Tensor) -> TensorFact:
        """A tensor as plain data."""
        return TensorFact(dtype_name(tensor.dtype), tuple(tensor.shape), self.names.tensors.get(id(tensor), ""))

    def plain(self, value: Any) -> Any:
        """Nested arguments as plain data; what has no plain form is None."""
        if isinstance(value, torch.Tensor):
            return self.fact(value)
        if isinstance(value, (list, tuple)):
            items = [self.plain(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {str(key): self.plain(item) for key, item in value.items()}
        return value if isinstance(value, (int, float, str, bool, type(None), type(Ellipsis))) else None

    def origin(self, tensor: torch.Tensor) -> Origin | None:
        """Where a tensor came from, if a call or an input of this walk made it."""
        origin = self._origins.get(id(tensor))
        return origin if origin is not None and origin.ref() is tensor else None

    def is_derived(self, tensor: torch.Tensor) -> bool:
        """Whether its values hang on activations or weights."""
        origin = self.origin(tensor)
        if origin is None:
            return id(tensor) in self.params or self.leaf is not None
        return origin.call < 0 or self.calls[origin.call].derived

    def add_input(self, name: str, value: Any) -> None:
        """A model input: a placeholder of the graph."""
        node = self.graph.placeholder(name)
        tensors = [value] if isinstance(value, torch.Tensor) else list(tensors_in(value))
        for index, tensor in enumerate(tensors):
            path = () if isinstance(value, torch.Tensor) else (index,)
            self._origins[id(tensor)] = Origin(weakref.ref(tensor), node, path, -1 - len(self._input_facts))
        if isinstance(value, torch.Tensor):
            node.meta["tensor_meta"] = tensor_metadata(value)
        self._input_facts.add(len(self._input_facts))

    def finish(self, out: Any) -> None:
        """The model's result: the output of the graph."""
        self.graph.output(self._node_args(out))

    # -- recording ----------------------------------------------------------------------------

    def _run(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        if self.leaf is not None:
            try:
                return func(*args, **kwargs)
            except Exception as error:
                return self.failures.function_failed(self, self.leaf, func, name, args, kwargs, error)
        call = self._begin_function(func, name, args, kwargs)
        previous, self._current = self._current, call
        try:
            out = func(*args, **kwargs)
        except Exception as error:
            out = self.failures.function_failed(self, call, func, name, args, kwargs, error)
        finally:
            self._current = previous
        if not any(True for _ in tensors_in(out)):
            self._forget(call)
            return out
        self._finish(call, out)
        return out

    def _ask(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        tensor = next(tensors_in((args, kwargs)), None)
        if tensor is None:
            return func(*args, **kwargs)
        site = self.ownership.nearest()
        derived = any(self.is_derived(t) for t in tensors_in((args, kwargs))) or is_fake(tensor)
        forced = self.values.force(name, site) if derived else None
        if name in SIZED:
            answer = self._run(func, name, args, kwargs)
            if is_fake(tensor):
                self.values.handed_out_number = True
            return answer
        answer = forced if forced is not None else self._answer(func, name, args, kwargs, tensor)
        if derived and not (self.leaf is not None and not is_fake(tensor)):
            self.values.note(name, tensor, answer, site, self.layer, forced is not None)
        return answer

    def _answer(self, func: Any, name: str, args: Any, kwargs: Any, tensor: torch.Tensor) -> Any:
        if is_fake(tensor):
            if name in ("tolist", "numpy", "array"):
                self.values.handed_out_number = True
                with no_modes():
                    filled = torch.ones(tuple(tensor.shape), dtype=tensor.dtype)
                    return filled.tolist() if name == "tolist" else filled.numpy()
            if name in ("equal", "allclose", "contains"):
                return self.values.stand_in(torch.ones((), dtype=torch.bool))
        try:
            return func(*args, **kwargs)
        except Exception as error:
            call = self.leaf or self._begin_function(func, name, args, kwargs)
            return self.failures.function_failed(self, call, func, name, args, kwargs, error)

    def _begin_module(self, module: torch.nn.Module, path: str, registered: bool, args: Any, kwargs: Any) -> Call:
        attributes = {
            key: self.plain(value)
            for key, value in vars(module).items()
            if isinstance(value, (int, float, str, bool, tuple, type(None))) and not key.startswith("_")
        }
        params = tuple(self.names.tensors.get(id(param), "") for param in module.parameters(recurse=True))
        call = self._begin(type(module).__name__, "module", path, args, kwargs)
        call.module_path, call.module_class, call.attributes = path, type(module).__name__, attributes
        call.params = tuple(dict.fromkeys(name for name in params if name))
        call.definition = self.definitions(module)
        call.registered = registered
        call.training = module.training
        node_args, node_kwargs = self._node_args(tuple(args)), self._node_args(dict(kwargs))
        if registered:
            self._node(call, "call_module", path, node_args, node_kwargs)
        else:
            self._node(call, "call_function", _function_of(module), node_args, node_kwargs)
        return call

    def _begin_function(self, func: Any, name: str, args: Any, kwargs: Any) -> Call:
        raw = raw_name(func)
        is_method = getattr(func, "__objclass__", None) is not None or getattr(func, "__qualname__", "").startswith(
            "Tensor."
        )
        call = self._begin(name, "method" if is_method else "function", self.layer, args, kwargs)
        call.args, call.kwargs = self.plain(tuple(args)), self.plain(dict(kwargs))
        call.params = tuple(dict.fromkeys(fact.name for fact in call.inputs if fact.name in self._param_names))
        node_args, node_kwargs = self._node_args(tuple(args)), self._node_args(dict(kwargs))
        if raw == "__getitem__":
            self._node(call, "call_function", operator.getitem, node_args, node_kwargs)
        elif getattr(func, "__name__", "") == "__get__":
            self._node(call, "call_function", getattr, (*node_args[:1], raw), {})
        elif is_method:
            self._node(call, "call_method", raw, node_args, node_kwargs)
        else:
            self._node(call, "call_function", func, node_args, node_kwargs)
        if is_inplace(func):
            call.kwargs = {**call.kwargs, "_inplace": True}
        return call

    def _begin(self, op: str, kind: str, layer: str, args: Any, kwargs: Any) -> Call:
        call = Call(len(self.calls), layer, op, kind)
        derived = any(part in op for part in _RANDOM)
        for tensor in tensors_in((args, kwargs)):
            call.inputs.append(self.fact(tensor))
            origin = self.origin(tensor)
            call.producers.append(origin.call if origin is not None and origin.call >= 0 else -1)
            if origin is not None and origin.call < 0:
                call.from_input = (*call.from_input, len(call.inputs) - 1)
            derived = derived or self.is_derived(tensor)
        call.derived = derived or kind == "module"
        call.site = self.ownership.nearest()
        self.calls.append(call)
        return call

    def _node(self, call: Call, op: str, target: Any, args: Any, kwargs: Any) -> None:
        node = self.graph.create_node(op, target, args, kwargs)
        node.meta["nn_module_stack"] = {frame.path: (frame.path, frame.cls) for frame in self.stack}
        if call.site is not None:
            site = call.site
            node.meta["stack_trace"] = f'  File "{site.file}", line {site.line}, in {site.function}\n'
        node.meta["shapelint"] = call
        self._nodes[call.index] = node

    def _finish(self, call: Call, out: Any) -> None:
        node = self._nodes.get(call.index)
        call.outputs = [self.fact(tensor) for tensor in tensors_in(_plain_result(out))]
        if node is None:
            return
        if isinstance(out, torch.Tensor):
            node.meta["tensor_meta"] = tensor_metadata(out)
        self._remember(_plain_result(out), node, (), call.index)

    def _remember(self, value: Any, node: torch.fx.Node, path: tuple[Any, ...], index: int) -> None:
        if isinstance(value, torch.Tensor):
            self._origins[id(value)] = Origin(weakref.ref(value), node, path, index)
        elif isinstance(value, (list, tuple)):
            for position, item in enumerate(value):
                self._remember(item, node, (*path, position), index)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._remember(item, node, (*path, key), index)

    def _forget(self, call: Call) -> None:
        """A call that gave no tensor is no row and no node."""
        if call.failure is not None:
            return
        node = self._nodes.pop(call.index, None)
        if node is not None:
            self.graph.erase_node(node)
        if self.calls and self.calls[-1] is call:
            self.calls.pop()

    # -- fx arguments -------------------------------------------------------------------------

    def _node_args(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self._node_of(value)
        if isinstance(value, (list, tuple)):
            items = [self._node_args(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {str(key): self._node_args(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(*(self._node_args(part) for part in (value.start, value.stop, value.step)))
        if isinstance(value, _FX_CONSTANTS):
            return value
        return str(type(value).__name__)

    def _node_of(self, tensor: torch.Tensor) -> torch.fx.Node:
        origin = self.origin(tensor)
        if origin is None:
            return self._attribute(tensor)
        node = origin.node
        for step in origin.path:
            node = self.graph.create_node("call_function", operator.getitem, (node, step))
        if origin.path:
            self._origins[id(tensor)] = Origin(origin.ref, node, (), origin.call)
        return node

    def _attribute(self, tensor: torch.Tensor) -> torch.fx.Node:
        name = self.names.tensors.get(id(tensor)) or f"_tensor_constant{id(tensor)}"
        node = self._attributes.get(name)
        if node is None:
            node = self._attributes[name] = self.graph.create_node("get_attr", name)
            node.meta["tensor_meta"] = tensor_metadata(tensor)
        return node


_NEVER_ROWS = {
    *("shape", "size", "dim", "ndim", "dtype", "device", "numel", "stride", "is_contiguous", "requires_grad", "layout"),
    *(
        "is_floating_point",
        "is_complex",
        "len",
        "is_cuda",
        "is_sparse",
        "grad",
        "grad_fn",
        "data_ptr",
        "storage_offset",
    ),
    *("names", "is_leaf", "_version", "is_quantized", "element_size", "nelement", "itemsize", "_set_grad_enabled"),
    *("is_meta", "is_nested", "is_mkldnn", "untyped_storage", "hash", "get_device", "is_tensor", "_is_view", "repr"),
    *("requires_grad", "retain_grad", "register_hook", "format", "set", "_backward_hooks", "iter", "is_inference"),
}
_FX_CONSTANTS = (
    str,
    int,
    float,
    bool,
    complex,
    torch.dtype,
    torch.device,
    torch.memory_format,
    torch.layout,
    type(None),
)


def _plain_result(value: Any) -> Any:
    """Results of torch's own modules that are more than tensors and containers."""
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return (value.data, value.batch_sizes)
    return value


def tensor_metadata(tensor: torch.Tensor) -> TensorMetadata:
    """The `tensor_meta` of fx; torch's own maker of it imports sympy for one check."""
    if tensor.layout != torch.strided:
        return TensorMetadata(tensor.shape, tensor.dtype, tensor.requires_grad, (), None, False, {})
    with no_torch_function():
        memory_format = torch.contiguous_format if tensor.is_contiguous() else None
        return TensorMetadata(
            tensor.shape, tensor.dtype, tensor.requires_grad, tensor.stride(), memory_format, tensor.is_quantized, {}
        )


def _function_of(module: torch.nn.Module) -> Callable[..., Any]:
    """A module that is no attribute of the model, as a function with a name."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return module(*args, **kwargs)

    call.__name__ = type(module).__name__
    return call
