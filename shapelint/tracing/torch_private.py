"""Every name of torch that is not public API, in one place, each with what happens
without it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

try:
    from torch.utils.flop_counter import flop_registry
except ImportError:  # pragma: no cover - totals then show no mult-adds
    flop_registry = {}

__all__ = [
    "FakeTensor",
    "SharedFakeMode",
    "flop_registry",
    "is_module_leaf",
    "no_modes",
    "no_torch_function",
    "quiet",
]


class SharedFakeMode(FakeTensorMode):  # type: ignore[no-untyped-call]
    """A FakeTensorMode that survives `copy.deepcopy` of its tensors: the copy belongs
    to the same mode."""

    def __deepcopy__(self, memo: dict[int, Any]) -> SharedFakeMode:
        return self

    def __copy__(self) -> SharedFakeMode:
        return self


@contextlib.contextmanager
def no_modes() -> Iterator[None]:
    """Run torch as it runs outside of shapelint: no dispatch mode, no function mode."""
    with contextlib.ExitStack() as stack:
        try:
            from torch.utils._python_dispatch import _disable_current_modes

            stack.enter_context(_disable_current_modes())
        except ImportError:  # pragma: no cover - the replay then runs under the session
            pass
        stack.enter_context(no_torch_function())
        yield


def no_torch_function() -> contextlib.AbstractContextManager[Any]:
    """Torch calls inside are not seen by function modes."""
    guard: Callable[[], contextlib.AbstractContextManager[Any]] | None = getattr(
        torch._C, "DisableTorchFunction", None
    )
    return guard() if guard else contextlib.nullcontext()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """FakeTensorMode logs tracebacks of ops it refuses; they are ours to judge, not the
    user's to read."""
    loggers = [
        logging.getLogger("torch._subclasses.fake_tensor"),
        logging.getLogger("torch._dynamo"),
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def is_module_leaf(module: torch.nn.Module) -> bool:
    """Whether a module is one call for the reader, as torch.fx sees it: torch's own,
    and without children."""
    home = type(module).__module__
    if not home.startswith(("torch.nn.modules", "torch.ao.nn", "torch.nn.utils")):
        return False
    return not isinstance(module, _CONTAINERS) and (
        not module._modules or isinstance(module, _WHOLE)
    )


_CONTAINERS = (torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict)
_WHOLE = (torch.nn.MultiheadAttention,)
