"""Every private name of torch that shapelint uses, each with a fallback.

torch 2.6 is the oldest supported version, and has all of them. Names without which
nothing can be walked have no fallback: their import fails, and the command reports
it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import torch
from torch import Tensor, nn

# Without these, only models that fit into memory are walked, without a graph.
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

# `torch.utils.flop_counter` is public, its registry is not documented.
try:
    from torch.utils.flop_counter import flop_registry
except ImportError:  # pragma: no cover - totals then show no mult-adds
    flop_registry = {}

__all__ = [
    "MODULE_APPLY",
    "DispatchMode",
    "FakeTensor",
    "SharedFakeMode",
    "apply_to",
    "buffers_in",
    "flop_registry",
    "has_forward_hooks",
    "has_registries",
    "is_mutating",
    "list_written_arguments",
    "modules_in",
    "no_modes",
    "no_torch_function",
    "parameters_in",
    "silence_torch",
    "storage_key",
    "version_of",
]


# -- modes -----------------------------------------------------------------------------


class SharedFakeMode(FakeTensorMode):  # type: ignore[no-untyped-call]
    """A FakeTensorMode that survives `copy.deepcopy` of its tensors: the copies belong
    to the same mode."""

    def __deepcopy__(self, memo: dict[int, Any]) -> SharedFakeMode:
        return self

    def __copy__(self) -> SharedFakeMode:
        return self


class DispatchMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode whose first op does not import `torch._dynamo`, which takes a
    second. A torch version without this check imports nothing anyway."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


@contextlib.contextmanager
def no_modes() -> Iterator[None]:
    """Run torch calls inside as in eager mode, without dispatch and function modes.

    If torch cannot disable dispatch modes, repeated calls only spend the session's
    budget."""
    try:
        from torch.utils._python_dispatch import _disable_current_modes
    except ImportError:  # pragma: no cover
        with no_torch_function():
            yield
        return
    with _disable_current_modes(), no_torch_function():
        yield


def no_torch_function() -> contextlib.AbstractContextManager[object]:
    """Hide torch calls inside from function modes.

    Without torch's guard, the recorder would see its own questions and show them as
    calls of the model."""
    guard: Callable[[], contextlib.AbstractContextManager[object]] | None = getattr(
        torch._C, "DisableTorchFunction", None
    )
    return guard() if guard else contextlib.nullcontext()


@contextlib.contextmanager
def silence_torch() -> Iterator[None]:
    """Silence the tracebacks that FakeTensorMode logs for ops it refuses. shapelint
    judges them itself.

    If a version of torch logs under other names, they are shown."""
    loggers = [
        logging.getLogger("torch._subclasses.fake_tensor"),
        logging.getLogger("torch._dynamo"),
    ]
    silent = logging.CRITICAL + 1
    # a change of a level makes every logger forget what it knows, so none is made where
    # they are silent already
    levels = [(each, each.level) for each in loggers if each.level != silent]
    for logger, _ in levels:
        logger.setLevel(silent)
    try:
        yield
    finally:
        for logger, level in levels:
            logger.setLevel(level)


# -- modules ---------------------------------------------------------------------------

MODULE_APPLY = "_apply"
"""The method of `nn.Module` in which `.to()`, `.half()` and the like end. If it does
not exist, nothing is patched, and they fail on fake weights."""


def apply_to(module: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
    """Change the tensors of a module and of all modules in it, as `.to()` does."""
    getattr(module, MODULE_APPLY)(change)


def modules_in(module: nn.Module) -> MutableMapping[str, object]:
    """The modules registered on a module itself, by attribute."""
    return _registry(module, "_modules")


def parameters_in(module: nn.Module) -> MutableMapping[str, object]:
    """The parameters registered on a module itself, by attribute."""
    return _registry(module, "_parameters")


def buffers_in(module: nn.Module) -> MutableMapping[str, object]:
    """The buffers registered on a module itself, by attribute."""
    return _registry(module, "_buffers")


def has_forward_hooks(module: nn.Module) -> bool:
    """Whether something runs before or after a module's forward. Without torch's
    registries nothing does."""
    names = ("_forward_hooks", "_forward_pre_hooks")
    return any(vars(module).get(name) for name in names)


def has_registries(module: nn.Module) -> bool:
    """Whether `nn.Module.__init__` has run on a module."""
    return "_modules" in vars(module) or isinstance(module, torch.jit.ScriptModule)


def _registry(module: nn.Module, name: str) -> MutableMapping[str, object]:
    # A script module computes its registries; others have them as attributes. Those are
    # looked up in `vars`, since `__getattr__` may be the user's own.
    if isinstance(module, torch.jit.ScriptModule):
        registry: MutableMapping[str, object] = getattr(module, name)
        return registry
    found = vars(module).get(name)
    # None where the constructor never ran; the user's own where they took the name.
    return found if isinstance(found, dict) else {}


# -- tensors ---------------------------------------------------------------------------


def version_of(tensor: Tensor) -> int:
    """How often a tensor was written in place. Without torch's counter always 0, so
    that nothing counts as written."""
    return int(getattr(tensor, "_version", 0))


def storage_key(tensor: Tensor) -> int:
    """A number that all views of the same memory share. Without torch's handle, each
    tensor counts as separate memory."""
    if tensor.layout != torch.strided:
        return id(tensor)
    return int(getattr(tensor.untyped_storage(), "_cdata", id(tensor)))


# -- ops -------------------------------------------------------------------------------


def is_mutating(op: Any) -> bool:
    """Whether an aten op writes one of its arguments, according to its schema, or else
    to the underscore at the end of its name."""
    schema = getattr(op, "_schema", None)
    if schema is None:
        return str(op.overloadpacket.__name__).endswith("_")
    return bool(schema.is_mutable)


def list_written_arguments(op: Any) -> Iterator[tuple[int, str]]:
    """Position and name of each argument that an aten op writes. Without a schema, the
    first argument of an in-place op."""
    schema = getattr(op, "_schema", None)
    if schema is None:
        yield from [(0, "self")] * is_mutating(op)
        return
    for position, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            yield position, argument.name
