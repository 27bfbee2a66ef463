"""Where each module was made: the user's own expressions, innermost first, recorded
while the model is built."""

from __future__ import annotations

import contextlib
import sys
import weakref
from collections.abc import Callable, Iterator
from itertools import islice
from types import FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from shapelint.facts.places import Site
from shapelint.tracing.costs import Budget
from shapelint.tracing.frames import Ownership
from shapelint.tracing.members import children_of, modules_of
from shapelint.tracing.op_names import on_cpu, op_name
from shapelint.tracing.recursion import room_for_our_frames
from shapelint.tracing.session import Session, answered_apart, is_fake
from shapelint.tracing.stand_ins import Values
from shapelint.tracing.torch_private import no_modes, quiet

_DEPTH = 8


_MADE = "_shapelint_made"
"""Attribute that carries the number of a module to its copies while a model is
built."""


class Definitions:
    """Definition sites by module; a copy (`deepcopy`) has those of what it was copied
    from."""

    def __init__(self, ownership: Ownership) -> None:
        self.ownership = ownership
        self._made: list[tuple[Site, ...]] = []
        self._sites: dict[
            int, tuple[weakref.ref[torch.nn.Module], tuple[Site, ...]]
        ] = {}

    def record(self, module: torch.nn.Module, frame: FrameType | None) -> None:
        """Remember the frames that lead to this constructor's call."""
        outside = _outside_constructors(module, frame)
        sites = (
            tuple(islice(self.ownership.sites(outside), _DEPTH))
            if outside is not None
            else ()
        )
        self._sites[id(module)] = (weakref.ref(module), sites)
        module.__dict__[_MADE] = len(self._made)
        self._made.append(sites)

    def of(self, module: torch.nn.Module) -> tuple[Site, ...]:
        """The sites of a module, innermost first; empty where it was not seen being
        made."""
        entry = self._sites.get(id(module))
        return entry[1] if entry is not None and entry[0]() is module else ()

    def fill_copies(self, model: torch.nn.Module) -> None:
        """Give modules that were copied into being the sites of their original, else of
        the module around them."""
        modules = dict(modules_of(model))
        for module in modules.values():
            number = module.__dict__.pop(_MADE, None)
            if number is not None and not self.of(module):
                self._sites[id(module)] = (weakref.ref(module), self._made[number])
        for path, module in modules.items():
            if not self.of(module) and path:
                parent = modules.get(path.rpartition(".")[0])
                if parent is not None and self.of(parent):
                    self._sites[id(module)] = (weakref.ref(module), self.of(parent))


def _outside_constructors(
    module: torch.nn.Module, frame: FrameType | None
) -> FrameType | None:
    """The frame in which the class was called: beyond every `__init__` of this same
    object."""
    while frame is not None:
        code = frame.f_code
        if (
            not code.co_argcount
            or frame.f_locals.get(code.co_varnames[0]) is not module
        ):
            return frame
        frame = frame.f_back
    return None


FILLED_BELOW = 4096
"""Weights up to which a model that is only tried out is initialised; larger ones are
zeros."""


class _Construction(TorchFunctionMode):
    """While a model is built: `nn.init` passes fake weights by, accelerators become the
    CPU."""

    def __init__(self, initialise: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self._initialise = initialise

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = op_name(func)
        args, kwargs = on_cpu(name, args, kwargs or {})
        apart = answered_apart(name, args)
        if apart is not NotImplemented:
            return apart
        if getattr(func, "__module__", "") == "torch.nn.init":
            return self._initialise(func, *args, **kwargs)
        return func(*args, **kwargs)


def _initialise(
    function: Any, tensor: torch.Tensor, *args: Any, **kwargs: Any
) -> torch.Tensor:
    """A weight that is real was affordable, and so is filling it; one that is fake is
    passed by.

    Counted against the budget, a rejection loop would turn fake half-way and never end.
    """
    if is_fake(tensor):
        return tensor
    with no_modes():
        result: torch.Tensor = function(tensor, *args, **kwargs)
    return result


def _filled_if_small(
    function: Any, tensor: torch.Tensor, *args: Any, **kwargs: Any
) -> torch.Tensor:
    """As `_initialise`, but random numbers for many weights take more time than all
    else in a trial."""
    if tensor.numel() <= FILLED_BELOW:
        return _initialise(function, tensor, *args, **kwargs)
    return _initialise(torch.nn.init.zeros_, tensor)


@contextlib.contextmanager
def construction(
    definitions: Definitions, budget: Budget, trial: bool = False
) -> Iterator[Session]:
    """Build models inside: weights within the budget are real and initialised, larger
    ones are shapes.

    In a `trial` of a change only small weights are initialised.
    """
    initialise = _filled_if_small if trial else _initialise
    session = Session(budget, Values(definitions.ownership, {}).stand_in)
    original_init, original_trunc = (
        torch.nn.Module.__init__,
        torch.nn.init.trunc_normal_,
    )

    def init(self: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        definitions.record(self, sys._getframe(1))
        original_init(self, *args, **kwargs)

    def trunc_normal(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        return initialise(original_trunc, tensor, *args, **kwargs)

    torch.nn.Module.__init__ = init  # type: ignore[method-assign]
    torch.nn.init.trunc_normal_ = trunc_normal
    try:
        with (
            room_for_our_frames(),
            quiet(),
            fake_friendly(),
            session,
            _Construction(initialise),
        ):
            yield session
    finally:
        torch.nn.Module.__init__ = original_init  # type: ignore[method-assign]
        torch.nn.init.trunc_normal_ = original_trunc


@contextlib.contextmanager
def fake_friendly() -> Iterator[None]:
    """`module.to()`, `.half()` and the like work on modules with fake weights."""
    original: Any = torch.nn.Module._apply

    def apply(self: torch.nn.Module, fn: Any, recurse: bool = True) -> torch.nn.Module:
        own = [*self._parameters.values(), *self._buffers.values()]
        if not any(is_fake(tensor) for tensor in own):
            untouched: torch.nn.Module = original(self, fn, recurse)
            return untouched
        return _apply_to_fakes(self, fn, recurse)

    torch.nn.Module._apply = apply  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.nn.Module._apply = original  # type: ignore[method-assign]


def _apply_to_fakes(module: torch.nn.Module, fn: Any, recurse: bool) -> torch.nn.Module:
    """`Module._apply` (`.to`, `.half`, ...) without swapping tensors in place, which
    fake ones do not allow."""
    if recurse:
        for _, child in children_of(module):
            child._apply(fn)  # type: ignore[no-untyped-call]
    for key, param in module._parameters.items():
        if param is not None:
            with torch.no_grad():
                module._parameters[key] = torch.nn.Parameter(
                    fn(param), param.requires_grad
                )
    for key, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[key] = fn(buffer)
    return module
