"""Every patch of torch, einops or Python that is active while a model is built or
walked.

Each is a context manager that undoes it. The original is looked up when the context is
entered, so that contexts may be nested and tests may patch the same function."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from shapelint.tracing.nested import Args, Function, Kwargs
from shapelint.tracing.sizes_kept import keep_sizes, kept_sizes
from shapelint.tracing.torch_private import (
    MODULE_APPLY,
    FakeTensor,
    apply_to,
    buffers_in,
    modules_in,
    parameters_in,
)

FRAMES_PER_FRAME = 3
"""How many frames a walk has for each frame of eager mode, rounded up: a module call
has three more (`call` below, `Recorder.on_module`, `enter_module`) than its own
four."""

OWN_FRAMES = 1000
"""Frames for our own code, such as `copy.deepcopy` of a model."""

HIGHEST_LIMIT = 12_000
"""The limit is never raised beyond this. Calls also use the C stack, and 8 MB of it end
at about 16,000 frames."""

Initialise = Callable[..., Tensor]
"""Calls a function of `nn.init`, with the function, the tensor, and the function's
other arguments."""


@contextlib.contextmanager
def _replace(owner: object, name: str, replacement: object) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


# -- while a model is built ------------------------------------------------------------


def watch_constructors(
    on_made: Callable[[nn.Module, FrameType], None],
) -> contextlib.AbstractContextManager[None]:
    """Call `on_made` with each module and the frame that called its constructor, when
    `nn.Module.__init__` starts.

    A module does not know which line made it, and after its constructor that line is no
    longer on the stack."""
    original = nn.Module.__init__

    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        on_made(self, sys._getframe(1))
        original(self, *args, **kwargs)

    return _replace(nn.Module, "__init__", init)


def replace_truncated_normal(
    initialise: Initialise,
) -> contextlib.AbstractContextManager[None]:
    """Run `nn.init.trunc_normal_` through `initialise`.

    Function modes see `normal_`, `uniform_` and the like, but not this function. It
    draws again until no value is out of bounds, which never ends for a fake weight."""
    original = nn.init.trunc_normal_

    def trunc_normal(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return initialise(original, tensor, *args, **kwargs)

    return _replace(nn.init, "trunc_normal_", trunc_normal)


def keep_sizes_of_parameters() -> contextlib.AbstractContextManager[None]:
    """A parameter has the origins of the sizes of the tensor that it is made of.

    Making it is no function that a mode sees."""
    original: Function = nn.Parameter.__new__

    def new(cls: Any, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        made = original(cls, data, *args, **kwargs)
        sizes = kept_sizes(data) if isinstance(data, Tensor) else None
        if sizes is not None and isinstance(made, Tensor):
            keep_sizes(made, sizes)
        return made

    return _replace(nn.Parameter, "__new__", new)


# -- while a model is built or walked --------------------------------------------------


def allow_fakes_in_apply() -> contextlib.AbstractContextManager[None]:
    """Make `module.to()`, `.half()` and the like work on modules with fake weights.

    torch swaps the tensors in place, which fake ones do not allow, so the registries
    get new tensors here. Modules without fake weights are left to torch."""
    original: Function | None = getattr(nn.Module, MODULE_APPLY, None)
    if original is None:
        return contextlib.nullcontext()

    def apply(self: nn.Module, change: Function, recurse: bool = True) -> nn.Module:
        own = [*parameters_in(self).values(), *buffers_in(self).values()]
        if any(isinstance(tensor, FakeTensor) for tensor in own):
            _exchange_tensors(self, change, recurse)
        else:
            original(self, change, recurse)
        return self

    return _replace(nn.Module, MODULE_APPLY, apply)


def _exchange_tensors(module: nn.Module, change: Function, recurse: bool) -> None:
    if recurse:
        for child in modules_in(module).values():
            if isinstance(child, nn.Module):
                apply_to(child, change)
    parameters, buffers = parameters_in(module), buffers_in(module)
    for name, parameter in parameters.items():
        if isinstance(parameter, nn.Parameter):
            with torch.no_grad():
                changed = change(parameter)
            parameters[name] = nn.Parameter(changed, parameter.requires_grad)
    for name, buffer in buffers.items():
        if isinstance(buffer, Tensor):
            buffers[name] = change(buffer)


@contextlib.contextmanager
def raise_recursion_limit() -> Iterator[None]:
    """Let a model nest as deeply as in eager mode, although our own frames come between
    its frames.

    A limit that the user's own code sets inside stays in force."""
    before = sys.getrecursionlimit()
    wanted = min(before * FRAMES_PER_FRAME + OWN_FRAMES, HIGHEST_LIMIT)
    raised = max(before, wanted)
    sys.setrecursionlimit(raised)
    try:
        yield
    finally:
        if sys.getrecursionlimit() == raised:
            sys.setrecursionlimit(before)


# -- while a model is walked -----------------------------------------------------------


def route_module_calls(
    handler: Callable[[Function, nn.Module, Args, Kwargs], Any],
) -> contextlib.AbstractContextManager[None]:
    """Pass every call of a module to `handler`, together with torch's own `__call__`.

    Hooks would not be enough: they do not see calls that raise, and they would be
    visible on the user's modules."""
    original: Function = nn.Module.__call__

    def call(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return handler(original, self, args, kwargs)

    return _replace(nn.Module, "__call__", call)


PatternHandler = Callable[[str, Tensor, str, dict[str, int], Exception], Any]
"""Handles a failed einops function: (function, tensor, pattern, lengths of axes,
exception) -> result."""


def route_einops_failures(
    handler: PatternHandler,
) -> contextlib.AbstractContextManager[None]:
    """Pass the exceptions of einops functions to `handler`, and return its result
    instead.

    einops checks a pattern in Python and raises before it calls torch, so that no mode
    sees the call. `rearrange` and `repeat` both end in `reduce`. If einops is not
    imported, the model does not use it and nothing is patched."""
    module = sys.modules.get("einops.einops")
    original: Function | None = getattr(module, "reduce", None)
    if original is None:
        return contextlib.nullcontext()

    def reduce(tensor: Any, pattern: str, reduction: Any, **lengths: int) -> Any:
        try:
            return original(tensor, pattern, reduction, **lengths)
        except Exception as error:
            if not isinstance(tensor, Tensor):
                raise
            # `reduction` says who called: `rearrange`, `repeat`, or how to reduce.
            name = reduction if reduction in ("rearrange", "repeat") else "reduce"
            return handler(name, tensor, pattern, lengths, error)

    return _replace(module, "reduce", reduce)


@contextlib.contextmanager
def hook_saved_tensors(
    pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]
) -> Iterator[None]:
    """Pass what autograd saves inside this context through `pack` and `unpack`.

    `torch.func` disables such hooks, and raises if some are active. Ours are suspended
    meanwhile."""
    hooks = saved_tensors_hooks(pack, unpack)
    original = torch.autograd.graph.disable_saved_tensors_hooks

    @contextlib.contextmanager
    def disable(message: str) -> Iterator[None]:
        hooks.__exit__()
        try:
            with original(message):
                yield
        finally:
            hooks.__enter__()

    with _replace(torch.autograd.graph, "disable_saved_tensors_hooks", disable), hooks:
        yield
