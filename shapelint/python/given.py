"""Converts the model and the inputs that a Python caller passes.

torch is imported when it is first needed."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, TypeGuard

from shapelint.asked.inputs import parse_inputs
from shapelint.facts.errors import UsageError

if TYPE_CHECKING:
    import torch

    from shapelint.loading.model import Loaded
    from shapelint.loading.model_inputs import InputMaker
    from shapelint.tracing.definitions import Definitions


def find_target(model: object) -> str:
    """The command line target of a class or function; empty if only this process has
    it.

    Objects defined by the running script have no target, because the script would run
    again."""
    module = sys.modules.get(getattr(model, "__module__", ""))
    if not callable(model) or module is None or module is sys.modules.get("__main__"):
        return ""
    name = getattr(model, "__qualname__", "")
    is_found_by_name = name.isidentifier() and getattr(module, name, None) is model
    file = getattr(module, "__file__", None) or ""
    return f"{file}:{name}" if is_found_by_name and file.endswith(".py") else ""


def load_given_model(model: object) -> tuple[Loaded, str]:
    """Wrap a model as if it had been loaded from a file, and return it with its name.

    A class or function is called in a session that records where layers are made.

    Raises:
        UsageError: it is no `nn.Module` and makes none.
    """
    import torch

    from shapelint.loading.model import Loaded
    from shapelint.tracing.definitions import Definitions
    from shapelint.tracing.ownership import Ownership

    name = getattr(model, "__name__", type(model).__name__)
    module = _module_of(model)
    file = os.path.abspath(getattr(module, "__file__", None) or "")
    ownership = Ownership((file,) if file else ())
    definitions = Definitions(ownership)
    used_fake = False
    if isinstance(model, torch.nn.Module):
        made = model
    else:
        made, used_fake = _construct(model, name, definitions)
    loaded = Loaded(made, module, file, ownership, definitions, used_fake, [], {})
    return loaded, name


def _construct(
    maker: object, name: str, definitions: Definitions
) -> tuple[torch.nn.Module, bool]:
    """Call a class or function. Return the result, and whether some of its weights are
    fake."""
    import torch

    from shapelint.tracing.costs import construction_budget
    from shapelint.tracing.definitions import build_under_session
    from shapelint.tracing.state import preserve_generators

    if not callable(maker):
        kind = type(maker).__name__
        raise UsageError(
            f"the model must be an nn.Module or make one when called, not `{kind}`"
        )
    # The caller's random numbers go on as if no weights had been drawn.
    seeded = preserve_generators(seed=0)
    session_of = build_under_session(definitions, construction_budget())
    with seeded, session_of as session:
        made = enter_target(maker)
    if not isinstance(made, torch.nn.Module):
        kind = type(made).__name__
        raise UsageError(f"`{name}()` returns `{kind}`, not an nn.Module")
    definitions.fill_copies(made)
    return made, session.used_fake


def _module_of(model: object) -> ModuleType:
    """The module of a class or function, or of an object's class."""
    name = getattr(model, "__module__", type(model).__module__)
    return sys.modules.get(name) or sys.modules["__main__"]


def enter_target(maker: Callable[[], object]) -> object:
    """Call the function that makes a model. Frames outside of this function are not the
    user's; `shapelint.tracing.frames` recognises it by its name."""
    return maker()


def inputs_given(inputs: object) -> InputMaker:
    """Inputs as `shapelint.check` takes them.

    Raises:
        UsageError: a text cannot be read as inputs.
    """
    from shapelint.loading.model_inputs import InputMaker, inputs_of

    if isinstance(inputs, str):
        return inputs_of(parse_inputs(tuple(inputs.split())))
    if _is_shape(inputs):
        return inputs_of(parse_inputs((_spell_shape(inputs),)))
    args, kwargs = _split_arguments(inputs)

    def make() -> tuple[tuple[object, ...], dict[str, object]]:
        own = tuple(map(_make_value, args))
        return own, {key: _make_value(each) for key, each in kwargs.items()}

    make()  # refuse inputs that cannot be made before anything is walked
    return InputMaker(make)


def _split_arguments(inputs: object) -> tuple[tuple[object, ...], dict[str, object]]:
    """Split inputs into positional and keyword arguments."""
    if isinstance(inputs, Mapping) and inputs:  # an empty dict is an argument
        return (), dict(inputs)
    if isinstance(inputs, (tuple, list)):
        return tuple(inputs), {}
    return (inputs,), {}


def _is_shape(value: object) -> TypeGuard[Sequence[int]]:
    if not isinstance(value, (tuple, list)) or not value:
        return False
    return all(type(size) is int for size in value)  # `True` is no size


def _spell_shape(sizes: Sequence[int]) -> str:
    """A shape as written after `--input`. The comma distinguishes a single size from a
    number."""
    return ",".join(map(str, sizes)) + ("," if len(sizes) == 1 else "")


def _make_value(value: object) -> object:
    """Make one argument of a walk. It must be fresh, because a walk may change it."""
    import torch

    from shapelint.loading.model_inputs import make_tensor

    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, str):
        return make_tensor(parse_inputs((value,))[0], 0)
    if _is_shape(value):
        return make_tensor(parse_inputs((_spell_shape(value),))[0], 0)
    return copy.deepcopy(value)
