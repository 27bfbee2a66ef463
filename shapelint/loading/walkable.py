"""A model and the inputs it is walked with: loaded, walked and described in one place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from shapelint.asked.request import Walk
from shapelint.asked.target import Target
from shapelint.facts.graph import Choices, Trace
from shapelint.facts.kinds import Mode
from shapelint.facts.walked_target import Walked
from shapelint.loading.model import Loaded, load
from shapelint.loading.model_inputs import InputMaker, find_inputs, specs_of
from shapelint.syntax.texts import Texts
from shapelint.tracing.costs import Budget, walk_budget
from shapelint.tracing.failures import Unwanted
from shapelint.tracing.members import cycles_of, is_initialised, modules_of, param_facts
from shapelint.tracing.walk import Walker, WalkSettings, never


def _ignore_step(step: str) -> None:
    del step


@dataclass(frozen=True)
class Walkable:
    """A loaded model, its inputs, and the budget of each walk that has no other
    settings."""

    loaded: Loaded
    inputs: InputMaker
    budget: Callable[[], Budget] = walk_budget

    def walk(
        self,
        mode: Mode,
        settings: WalkSettings,
        choices: Choices | None = None,
        unwanted: Unwanted = never,
    ) -> Trace:
        """A walk in one mode; the arguments are those of `Walker` and its `walk`."""
        with self.loaded.importable():
            return self._walker(settings).walk(mode, choices, unwanted)

    def walk_modes(
        self,
        modes: tuple[Mode, ...],
        deadline: float = float("inf"),
        on_step: Callable[[str], None] = _ignore_step,
    ) -> dict[Mode, Trace]:
        """A trace for each mode, each from the same clean model.

        The modes after one in which time was over are left out.
        """
        walker = self._walker(WalkSettings(self.budget, deadline))
        traces: dict[Mode, Trace] = {}
        with self.loaded.importable():
            for mode in modes:
                if any(trace.out_of_time for trace in traces.values()):
                    break
                on_step(f"walking in {mode} mode")
                traces[mode] = walker.walk(mode)
        return traces

    def run_inside(
        self, mode: Mode, action: Callable[[torch.nn.Module, Any, Any], Any]
    ) -> Any:
        """The result of something else that calls the model, as torchinfo does; an
        exception where it raises."""
        walker = self._walker(WalkSettings())
        with self.loaded.importable():
            return walker.run_inside(mode, action)

    def describe(self, request: Walk, traces: dict[Mode, Trace]) -> Walked:
        """The plain facts of the walks that rules look at."""
        for trace in traces.values():
            if trace.uncertain:
                _doubt_failures(trace)
        params = param_facts(self.loaded.model)
        for trace in traces.values():
            params.update(trace.late_params)
        modules = dict(modules_of(self.loaded.model))
        made_at = self.loaded.definitions.of
        return Walked(
            request.target,
            traces,
            params,
            {name: made_at(module) for name, module in modules.items()},
            {name: _name_known_class(module) for name, module in modules.items()},
            self.loaded.texts,
            request.thresholds,
            tuple(spec.spelling for spec in specs_of(self.inputs)),
            {name: _locate_class(module) for name, module in modules.items()},
            request.expect,
            tuple(
                name for name, module in modules.items() if not is_initialised(module)
            ),
            tuple(cycles_of(self.loaded.model)),
            {
                name: self.loaded.definitions.scopes_of(module)
                for name, module in modules.items()
            },
        )

    def _walker(self, settings: WalkSettings) -> Walker:
        return Walker(
            self.loaded.model,
            self.inputs.make,
            self.loaded.ownership,
            self.loaded.definitions.of,
            settings,
            self.loaded.has_origins,
        )


def load_walkable(
    request: Walk,
    target: Target,
    texts: Texts,
    budget: Callable[[], Budget] | None = None,
    trial: bool = False,
    with_origins: bool = False,
) -> Walkable:
    """Load a target and find its inputs. `budget`: for making the model and for walking
    it, in place of the usual ones; `trial` and `with_origins` as in `load`.

    Raises:
        NotLoadableError: the target gives no model.
        UsageError: there are no inputs.
    """
    loaded = load(target, texts, budget, trial, with_origins)
    inputs = find_inputs(loaded, request.inputs, request.input_factory)
    return Walkable(loaded, inputs, budget or walk_budget)


def count_modules(loaded: Loaded) -> int:
    """How many modules a model has: what it costs to make it."""
    return sum(1 for _ in modules_of(loaded.model))


def _doubt_failures(trace: Trace) -> None:
    """No failure is certain in a walk in which anything was guessed."""
    for call in trace.failures:
        if call.failure is not None:
            call.failure.certain = False


def _locate_class(module: torch.nn.Module) -> tuple[str, str]:
    """File and name of a module's class."""
    cls = type(module)
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file:
        return file, cls.__name__
    # a class made in a notebook, or by `exec`, has no file but that of its code
    code = getattr(cls.__init__, "__code__", None)
    return code.co_filename if code is not None else "", cls.__name__


def _name_known_class(module: torch.nn.Module) -> str:
    """The class of a module whose constructor is torch's own, so that its arguments are
    known; else nothing."""
    home = getattr(type(module).__init__, "__module__", "")
    return type(module).__name__ if home.startswith("torch.") else ""
