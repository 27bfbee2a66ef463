"""Loads a model with its inputs, walks it, and describes the walks for rules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from shapelint.asked.request import Walk
from shapelint.asked.target import Target
from shapelint.facts.errors import OutOfTimeError
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
    """A loaded model, its inputs, and the default budget of its walks."""

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
        """Walk in one mode. The arguments are those of `Walker` and `Walker.walk`."""
        with self.loaded.importable():
            return self._walker(settings).walk(mode, choices, unwanted)

    def walk_modes(
        self,
        modes: tuple[Mode, ...],
        on_step: Callable[[str], None] = _ignore_step,
    ) -> dict[Mode, Trace]:
        """Walk in each mode, each time from the same clean model.

        If the time runs out in a mode, the remaining modes are left out."""
        walker = self._walker(WalkSettings(self.budget))
        traces: dict[Mode, Trace] = {}
        with self.loaded.importable():
            for mode in modes:
                if any(trace.out_of_time for trace in traces.values()):
                    break
                on_step(f"walking in {mode} mode")
                try:
                    traces[mode] = walker.walk(mode)
                except OutOfTimeError:
                    if not traces:
                        raise
                    break
        return traces

    def run_inside(
        self, mode: Mode, action: Callable[[torch.nn.Module, Any, Any], Any]
    ) -> Any:
        """Run something else that calls the model, such as torchinfo. Return its
        result, or the exception that it raised."""
        walker = self._walker(WalkSettings())
        with self.loaded.importable():
            return walker.run_inside(mode, action)

    def describe(self, request: Walk, traces: dict[Mode, Trace]) -> Walked:
        """Build the plain facts about the walks that rules read."""
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
    """Load a target and find its inputs.

    `budget` replaces the usual budgets for making and for walking the model; `trial` and
    `with_origins` are as in `load`.

    Raises:
        NotLoadableError: the target gives no model.
        UsageError: there are no inputs.
    """
    loaded = load(target, texts, budget, trial, with_origins)
    inputs = find_inputs(loaded, request.inputs, request.input_factory)
    return Walkable(loaded, inputs, budget or walk_budget)


def count_modules(loaded: Loaded) -> int:
    """The number of modules of a model, which measures the cost of making it."""
    return sum(1 for _ in modules_of(loaded.model))


def _doubt_failures(trace: Trace) -> None:
    """Mark every failure of a walk as uncertain, because a value was made up."""
    for call in trace.failures:
        if call.failure is not None:
            call.failure.certain = False


def _locate_class(module: torch.nn.Module) -> tuple[str, str]:
    """File and name of a module's class."""
    cls = type(module)
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file:
        return file, cls.__name__
    # a class made in a notebook, or by `exec`, has only the file of its code
    code = getattr(cls.__init__, "__code__", None)
    return code.co_filename if code is not None else "", cls.__name__


def _name_known_class(module: torch.nn.Module) -> str:
    """The class of a module whose constructor is torch's own, so that its arguments are
    known; empty for any other."""
    home = getattr(type(module).__init__, "__module__", "")
    return type(module).__name__ if home.startswith("torch.") else ""
