"""Records where each module is made, while the model is built: the user's own
expressions, innermost first."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from shapelint import ops
from shapelint.facts.numbers import Scope
from shapelint.facts.places import Site
from shapelint.ops.record import Asks
from shapelint.tracing.answers import Answers
from shapelint.tracing.costs import Budget
from shapelint.tracing.devices import move_to_cpu
from shapelint.tracing.fake_tensors import is_fake
from shapelint.tracing.frames import site_of_frame
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.members import modules_of
from shapelint.tracing.model_names import ModelNames
from shapelint.tracing.nested import Args, Function, Kwargs
from shapelint.tracing.op_names import op_name
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.patches import (
    Initialise,
    allow_fakes_in_apply,
    keep_sizes_of_parameters,
    raise_recursion_limit,
    replace_truncated_normal,
    watch_constructors,
)
from shapelint.tracing.scopes_of_frames import names_in
from shapelint.tracing.session import Session, answer_in_place_of_torch
from shapelint.tracing.sizes import answer_size, carry_sizes
from shapelint.tracing.torch_private import no_modes, silence_torch

_DEPTH = 8
"""How many frames are kept for each constructor call."""

_MADE = "_shapelint_made"
"""The attribute that carries the number of a module to its copies while a model is
built."""

_NO_NAMES = ModelNames({}, {}, frozenset())

MOST_INITIALISED = 4096
"""Weights with at most this many elements are initialised in a trial; larger ones are
zeros."""


@dataclass(frozen=True)
class _MadeModule:
    """A module, and where it was made.

    The reference is weak: a module that the user's code discards must be freed, and its
    id may be reused."""

    module: weakref.ref[nn.Module]
    sites: tuple[Site, ...]
    scopes: tuple[Scope, ...] = ()
    """What numbers are called at each site. Of a loop, each round has its own."""


_Sites = tuple[tuple[Site, ...], tuple[Scope, ...]]
"""The sites of a module, and what numbers are called there."""


class Definitions:
    """The definition sites of each module. A copy (`deepcopy`) has the sites of its
    original."""

    def __init__(self, ownership: Ownership) -> None:
        self.ownership = ownership
        self.has_origins = False
        self._numbered: list[_Sites] = []
        self._made: dict[int, _MadeModule] = {}

    def record(self, module: nn.Module, frame: FrameType) -> None:
        """Record the frames that lead to this constructor call."""
        outside = _find_caller(module, frame)
        sites: tuple[Site, ...] = ()
        scopes: tuple[Scope, ...] = ()
        if outside is not None:
            frames = list(islice(self.ownership.frames(outside), _DEPTH))
            sites = tuple(map(site_of_frame, frames))
            if self.has_origins:
                scopes = tuple(map(names_in, frames))
        self._remember(module, (sites, scopes))
        # Not by assignment: `nn.Module.__setattr__` needs `__init__` to have run.
        vars(module)[_MADE] = len(self._numbered)
        self._numbered.append((sites, scopes))

    def of(self, module: nn.Module) -> tuple[Site, ...]:
        """The sites of a module, innermost first; empty if its construction was not
        observed."""
        return self._known(module)[0]

    def scopes_of(self, module: nn.Module) -> tuple[Scope, ...]:
        """What numbers are called at each of its sites."""
        return self._known(module)[1]

    def _known(self, module: nn.Module) -> _Sites:
        made = self._made.get(id(module))
        if made is None or made.module() is not module:
            return (), ()
        return made.sites, made.scopes

    def fill_copies(self, model: nn.Module) -> None:
        """Give each copied module the sites of its original, or else of the module
        around it."""
        modules = dict(modules_of(model))
        for module in modules.values():
            number: int | None = vars(module).pop(_MADE, None)
            if number is not None and not self.of(module):
                self._remember(module, self._numbered[number])
        for path, module in modules.items():
            parent = modules.get(path.rpartition(".")[0])
            is_known = bool(self.of(module)) or not path
            if not is_known and parent is not None and self.of(parent):
                self._remember(module, self._known(parent))

    def _remember(self, module: nn.Module, known: _Sites) -> None:
        self._made[id(module)] = _MadeModule(weakref.ref(module), *known)


def _find_caller(module: nn.Module, frame: FrameType | None) -> FrameType | None:
    """The frame in which the class was called: the first one outside of all `__init__`
    methods of this object, which call each other by `super()`."""
    while frame is not None:
        code = frame.f_code
        first = code.co_varnames[0] if code.co_argcount else None
        if first is None or frame.f_locals.get(first) is not module:
            return frame
        frame = frame.f_back
    return None


class _Construction(TorchFunctionMode):
    """Intercepts torch functions while a model is built: `nn.init` skips fake weights,
    and accelerators become the CPU."""

    def __init__(self, initialise: Initialise, has_origins: bool) -> None:
        super().__init__()
        self._initialise = initialise
        self._has_origins = has_origins

    def __torch_function__(
        self, func: Function, types: Any, args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        name = op_name(func)
        args, kwargs = move_to_cpu(name, args, kwargs or {})
        answer = answer_in_place_of_torch(name, args)
        if answer is not NotImplemented:
            return answer
        if getattr(func, "__module__", "") == "torch.nn.init":
            return self._initialise(func, *args, **kwargs)
        out = func(*args, **kwargs)
        return self._with_origins(Invocation(func, name, args, kwargs), out)

    def _with_origins(self, invocation: Invocation, out: Any) -> Any:
        """What a call gave, its sizes with origins."""
        if not self._has_origins:
            return out
        args = invocation.args
        if ops.of(invocation.name).asks is Asks.FACT:
            if args and isinstance(args[0], Tensor):
                return answer_size(invocation.name, args[0], args[1:], out)
            return out
        carry_sizes(invocation, _NO_NAMES, out)
        return out


def _initialise(
    function: Function, tensor: Tensor, *args: Any, **kwargs: Any
) -> Tensor:
    """Initialise a real weight outside of the session, and skip a fake one.

    If initialisation counted against the budget, a rejection loop could turn fake
    half-way and never end."""
    if is_fake(tensor):
        return tensor
    with no_modes():
        result: Tensor = function(tensor, *args, **kwargs)
    return result


def _initialise_if_small(
    function: Function, tensor: Tensor, *args: Any, **kwargs: Any
) -> Tensor:
    """Like `_initialise`, but fill large weights with zeros: random numbers would take
    most of the time of a trial."""
    if tensor.numel() <= MOST_INITIALISED:
        return _initialise(function, tensor, *args, **kwargs)
    return _initialise(nn.init.zeros_, tensor)


@contextlib.contextmanager
def build_under_session(
    definitions: Definitions,
    budget: Budget,
    trial: bool = False,
    with_origins: bool = False,
) -> Iterator[Session]:
    """Build models inside this context: weights within the budget are real and
    initialised, larger ones have only shapes.

    In a `trial` of a change, only small weights are initialised."""
    initialise = _initialise_if_small if trial else _initialise
    definitions.has_origins = with_origins
    answers = Answers(definitions.ownership, {})
    session = Session(budget, answers.stand_in)
    with (
        watch_constructors(definitions.record),
        replace_truncated_normal(initialise),
        raise_recursion_limit(),
        silence_torch(),
        allow_fakes_in_apply(),
        session,
        keep_sizes_of_parameters() if with_origins else contextlib.nullcontext(),
        _Construction(initialise, with_origins),
    ):
        yield session
