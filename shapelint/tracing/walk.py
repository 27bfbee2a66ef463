"""Walks one model in one mode, and repeats the walk with better guesses if failed calls
have several candidate shapes."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, is_lazy

from shapelint.facts.graph import Choices, Key, Trace
from shapelint.facts.kinds import Mode
from shapelint.facts.places import Site
from shapelint.facts.tensors import ValueFact
from shapelint.tracing.answers import Answers
from shapelint.tracing.call_log import CallLog, Definitions
from shapelint.tracing.conclusion import Outcome, Scene, conclude
from shapelint.tracing.costs import Budget, walk_budget
from shapelint.tracing.failures import FailureHandler, Unwanted
from shapelint.tracing.gradients import GradientWatch
from shapelint.tracing.guesses import (
    choices_in,
    fails_in_parts,
    flip_last_answer,
    other_choices,
    raises_after_question,
)
from shapelint.tracing.members import buffers_of, has_lazy_tensors, modules_of
from shapelint.tracing.model_names import ModelNames
from shapelint.tracing.nested import Args, Inputs, Kwargs
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.patches import (
    allow_fakes_in_apply,
    raise_recursion_limit,
    route_einops_failures,
    route_module_calls,
)
from shapelint.tracing.recorder import Recorder
from shapelint.tracing.session import Session
from shapelint.tracing.sizes import name_dimensions
from shapelint.tracing.state import preserve_generators, preserve_model
from shapelint.tracing.torch_private import no_modes, silence_torch
from shapelint.tracing.value_facts import value_fact

MAX_RETRIES = 12
"""How many walks may be spent on finding the answers and candidate shapes that fit the
rest of the model."""


def never(key: Key) -> bool:
    """Used for `unwanted`: a failing call never ends the walk."""
    del key
    return False


def no_definitions(module: nn.Module) -> tuple[Site, ...]:
    """Used for `definitions` when nobody observed how the model was made."""
    del module
    return ()


@dataclass(frozen=True)
class WalkSettings:
    """How much a walk may cost, and whether it must restore the model.

    `budget` makes a fresh budget for each walk. `retries`: walks that may be spent on
    better guesses. `is_disposable`: the model was loaded only to try a change, and need
    not be restored."""

    budget: Callable[[], Budget] = walk_budget
    retries: int = MAX_RETRIES
    is_disposable: bool = False


@dataclass(frozen=True)
class Attempt:
    """One walk: its mode and its assumptions.

    `choices`: the candidate shapes with which failed calls continue. `forced`: answers
    to questions about data, by place. `unwanted`: the calls whose failure ends the
    walk. `gradients`: whether they are recorded."""

    mode: Mode
    choices: Choices
    forced: Mapping[Site, bool]
    unwanted: Unwanted
    gradients: bool


@dataclass(frozen=True)
class Walker:
    """Walks one model. `make_inputs` creates fresh inputs, and is called under the
    session."""

    model: nn.Module
    make_inputs: Callable[[], Inputs]
    ownership: Ownership = field(default_factory=Ownership)
    definitions: Definitions = no_definitions
    settings: WalkSettings = field(default_factory=WalkSettings)
    has_origins: bool = False
    """Whether the sizes of tensors know where they come from."""

    def walk(
        self, mode: Mode, choices: Choices | None = None, unwanted: Unwanted = never
    ) -> Trace:
        """Return the trace in `train` or `eval` mode in which the fewest calls fail.

        `choices` are the candidate shapes to begin with. A failure of an `unwanted`
        call ends the walk."""
        trains = mode is Mode.TRAIN
        attempt = Attempt(mode, dict(choices or {}), {}, unwanted, trains)
        trace = self._walk_well(attempt)
        if trains or not trace.asks_gradients or not fails_in_parts(trace):
            return trace
        # a model that differentiates in its forward is not evaluated without gradients
        other = self._walk_well(replace(attempt, gradients=True))
        return other if other.failure_count < trace.failure_count else trace

    def run_inside(
        self, mode: Mode, action: Callable[[nn.Module, Args, Kwargs], object]
    ) -> object:
        """Run something else that calls the model, such as torchinfo, under the
        conditions of a walk.

        Return its result, or the exception that it raised."""
        attempt = Attempt(mode, {}, {}, never, gradients=True)
        with (
            raise_recursion_limit(),
            self._prepare(attempt) as scene,
            route_module_calls(scene.recorder.on_module),
            scene.recorder,
        ):
            try:
                return action(scene.model, scene.args, scene.kwargs)
            except Exception as error:
                return error

    def _walk_well(self, attempt: Attempt) -> Trace:
        trace, attempt, retries = self._settle_answers(attempt)
        return self._settle_shapes(trace, attempt, self.settings.retries - retries)

    # -- better guesses ----------------------------------------------------------------

    def _settle_answers(self, attempt: Attempt) -> tuple[Trace, Attempt, int]:
        """Walk, and repeat with the opposite answer while the model raises just after a
        question about data. Such a question is most likely a check that real data would
        pass.

        Return the last trace, its attempt, and the number of repetitions."""
        trace = self._walk_once(attempt)
        retries = 0
        while retries < self.settings.retries and raises_after_question(trace):
            flipped = flip_last_answer(trace.assumptions, attempt.forced)
            if flipped is None:
                break
            retries += 1
            attempt = replace(attempt, forced=flipped)
            trace = self._walk_once(attempt)
        return trace, attempt, retries

    def _settle_shapes(self, best: Trace, attempt: Attempt, retries: int) -> Trace:
        """Walk again with other candidate shapes of the failed calls, one place after
        the other, and keep those after which the fewest calls fail.

        If the wrong side of a sum was taken as right, more of the calls after it
        fail."""
        tried: set[object] = set()
        while retries > 0 and best.failure_count > 1 and not best.given_up:
            open_choices = [
                each for each in choices_in(best) if each.place not in tried
            ]
            if not open_choices:
                break
            failure = open_choices[0]
            tried.add(failure.place)
            for choice in other_choices(failure):
                retries -= 1
                choices = {**attempt.choices, failure.place: choice}
                other = replace(attempt, choices=choices)
                trace = self._walk_once(other)
                if trace.out_of_time:
                    retries = 0  # what was walked to its end counts
                    break
                is_better = trace.failure_count < best.failure_count
                if is_better and not trace.given_up:
                    best, attempt = trace, other
        best.choices = attempt.choices
        return best

    # -- one walk ----------------------------------------------------------------------

    def _walk_once(self, attempt: Attempt) -> Trace:
        with raise_recursion_limit(), self._prepare(attempt) as scene:
            error = set_mode(scene.model, attempt.mode)
            if error is not None:
                outcome = Outcome(error, None, switching_to=attempt.mode)
            else:
                outcome = _run_forward(scene, attempt)
            return conclude(scene, outcome, attempt.mode)

    @contextlib.contextmanager
    def _prepare(self, attempt: Attempt) -> Iterator[Scene]:
        """Set up a session, a recorder and inputs. The state of the model is restored
        on exit."""
        model, definitions = self._model_to_walk()
        answers = Answers(self.ownership, attempt.forced)
        session = Session(self.settings.budget(), answers.stand_in)
        log = CallLog(ModelNames.of(model), self.ownership, definitions)
        failures = FailureHandler(log, session, attempt.choices, attempt.unwanted)
        recorder = Recorder(log, answers, failures, self.has_origins)
        session.on_work = recorder.on_work
        with (
            silence_torch(),
            self._preserve(model, session),
            allow_fakes_in_apply(),
            session,
        ):
            args, kwargs = self.make_inputs()
            inputs = _add_inputs(log, args, kwargs)
            if self.has_origins:
                name_dimensions((args, kwargs))
            is_copy = model is not self.model
            yield Scene(model, recorder, session, args, kwargs, inputs, is_copy)

    def _preserve(
        self, model: nn.Module, session: Session
    ) -> contextlib.AbstractContextManager[None]:
        if self.settings.is_disposable:
            return preserve_generators(seed=0)
        return preserve_model(model, session)

    def _model_to_walk(self) -> tuple[nn.Module, Definitions]:
        """The model, or a copy of it if it is lazy, because the initialisation of lazy
        modules cannot be undone."""
        if not has_lazy_tensors(self.model):
            return self.model, self.definitions
        copied = copy.deepcopy(self.model, _lazy_buffers(self.model))
        pairs = zip(modules_of(copied), modules_of(self.model), strict=True)
        originals = {id(new): old for (_, new), (_, old) in pairs}

        def definitions_of_original(module: nn.Module) -> tuple[Site, ...]:
            return self.definitions(originals.get(id(module), module))

        return copied, definitions_of_original


def set_mode(model: nn.Module, mode: Mode) -> BaseException | None:
    """Call `train()` or `eval()` as the user would. An overridden method may raise; its
    exception is returned."""
    change = model.train if mode is Mode.TRAIN else model.eval
    with no_modes():
        try:
            change()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
    return None


def _run_forward(scene: Scene, attempt: Attempt) -> Outcome:
    recorder = scene.recorder
    watch = GradientWatch(recorder.call_under_way)
    scene.session.on_write = watch.note_write
    # Nobody differentiates in eval mode, so writes do no harm there.
    trains = attempt.mode is Mode.TRAIN
    watching = watch.watch() if trains else contextlib.nullcontext()
    try:
        with (
            torch.set_grad_enabled(attempt.gradients),
            route_module_calls(recorder.on_module),
            route_einops_failures(recorder.on_failed_pattern),
            recorder,
            watching,
        ):
            error, result = enter_model(scene.model, scene.args, scene.kwargs)
        has_failed = any(call.failure is not None for call in recorder.log.calls)
        # The stand-in for the result of a failed call has no gradient.
        is_complete = error is None and not has_failed
        spoiled = watch.find_spoiled(result) if is_complete else []
        return Outcome(error, result, spoiled=spoiled)
    finally:
        watch.forget()


def enter_model(
    model: nn.Module, args: Args, kwargs: Kwargs
) -> tuple[BaseException | None, object]:
    """Call the model, and return its exception or its result. Frames outside of this
    function are not the model's."""
    try:
        return None, model(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error, None


def _add_inputs(log: CallLog, args: Args, kwargs: Kwargs) -> list[ValueFact]:
    """Add the inputs to the log, and return their shapes."""
    named = [(f"input_{index + 1}", value) for index, value in enumerate(args)]
    for name, value in [*named, *kwargs.items()]:
        log.nodes.add_input(name, value)
    positional = [value_fact(value) for value in args]
    by_name = [value_fact(value, name) for name, value in kwargs.items()]
    return [*positional, *by_name]


def _lazy_buffers(model: nn.Module) -> dict[int, Any]:
    """A memo for `deepcopy`, which cannot copy the buffers of lazy batch norm that have
    no size yet."""
    make: Any = UninitializedBuffer
    return {
        id(buffer): make(device=buffer.device, dtype=buffer.dtype)
        for _, buffer in buffers_of(model)
        if is_lazy(buffer)
    }
