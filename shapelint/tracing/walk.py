"""One model, one mode, one walk; then again with better guesses where a failed call
left a choice."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.nn.parameter import UninitializedBuffer, is_lazy

from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.graph import (
    Assumption,
    Call,
    Choices,
    Failure,
    Key,
    Raised,
    Spoiled,
    Trace,
    ValueFact,
)
from shapelint.facts.kinds import Mode
from shapelint.facts.places import Site
from shapelint.tracing.answers import Answers
from shapelint.tracing.assertions import find_compared_numbers
from shapelint.tracing.call_log import CallLog, Definitions
from shapelint.tracing.costs import Budget, walk_budget
from shapelint.tracing.failures import FailureHandler, GivenUpError, Unwanted
from shapelint.tracing.gradients import GradientWatch
from shapelint.tracing.members import (
    buffers_of,
    has_lazy_tensors,
    modules_of,
    param_facts,
)
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
from shapelint.tracing.state import preserve_generators, preserve_model
from shapelint.tracing.torch_private import no_modes, silence_torch
from shapelint.tracing.user_text import message_of
from shapelint.tracing.value_facts import value_fact

MAX_RETRIES = 12
"""Walks spent on finding which candidate shapes the rest of the model agrees with."""

NEARBY = 5
"""Lines after a question about data in which an exception is taken for its
consequence."""

FORWARD = "the forward"
"""What a model does while it is walked, in the words of messages."""


def never(key: Key) -> bool:
    """No call that fails ends a walk."""
    del key
    return False


def no_definitions(module: torch.nn.Module) -> tuple[Site, ...]:
    """Of a model that was made elsewhere, nobody saw where."""
    del module
    return ()


@dataclass(frozen=True)
class WalkSettings:
    """How much a walk may cost, and what it may leave behind.

    `budget` makes a fresh budget for each walk. `deadline` (monotonic seconds): no walk
    is repeated that would end after it. `retries`: walks spent on better guesses.
    `is_disposable`: nobody needs the model as it was: one loaded to try a change."""

    budget: Callable[[], Budget] = walk_budget
    deadline: float = float("inf")
    retries: int = MAX_RETRIES
    is_disposable: bool = False


@dataclass(frozen=True)
class Attempt:
    """One walk: its mode, and what it takes for granted.

    `choices`: which candidate shapes failed calls go on with. `forced`: answers to
    questions about data, by place. `unwanted`: which failing calls end it."""

    mode: Mode
    choices: Choices
    forced: Mapping[Site, bool]
    unwanted: Unwanted


@dataclass(frozen=True)
class _Scene:
    """All that takes part in a walk. `inputs`: the inputs as shapes."""

    model: torch.nn.Module
    recorder: Recorder
    session: Session
    args: Args
    kwargs: Kwargs
    inputs: list[ValueFact]


@dataclass(frozen=True)
class _Outcome:
    """What a model gave, or raised. `doing`: while it did what."""

    error: BaseException | None
    result: object
    doing: str = FORWARD
    spoiled: list[Spoiled] = field(default_factory=list)


@dataclass(frozen=True)
class Walker:
    """Walks one model. `make_inputs` makes fresh inputs, under the session."""

    model: torch.nn.Module
    make_inputs: Callable[[], Inputs]
    ownership: Ownership = field(default_factory=Ownership)
    definitions: Definitions = no_definitions
    settings: WalkSettings = field(default_factory=WalkSettings)

    def walk(
        self, mode: Mode, choices: Choices | None = None, unwanted: Unwanted = never
    ) -> Trace:
        """The trace in `train` or `eval` mode under which the fewest calls fail.

        `choices` are those of another walk to begin with; a failing call that is
        `unwanted` ends it."""
        attempt = Attempt(mode, dict(choices or {}), {}, unwanted)
        trace, attempt, retries = self._settle_answers(attempt)
        return self._settle_shapes(trace, attempt, self.settings.retries - retries)

    def run_inside(
        self, mode: Mode, action: Callable[[torch.nn.Module, Args, Kwargs], object]
    ) -> object:
        """Run something else that calls the model, as torchinfo does, as if it were a
        walk.

        Its exception is its result.
        """
        attempt = Attempt(mode, {}, {}, never)
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

    # -- better guesses ----------------------------------------------------------------

    def _settle_answers(self, attempt: Attempt) -> tuple[Trace, Attempt, int]:
        """Walk, and walk again with the other answer where the model raised just after
        a question about data: most likely a check that its author's data passes.

        The last trace, the attempt it is of, and how many walks were repeated."""
        trace = self._walk_once(attempt)
        retries = 0
        while retries < self.settings.retries and _raised_after_question(trace):
            flipped = _flip_last_answer(trace.assumptions, attempt.forced)
            if flipped is None:
                break
            retries += 1
            attempt = replace(attempt, forced=flipped)
            trace = self._walk_once(attempt)
        return trace, attempt, retries

    def _settle_shapes(self, best: Trace, attempt: Attempt, retries: int) -> Trace:
        """Walk again with the other candidate shapes of failed calls, one place after
        the other, and keep what the rest of the model agrees with.

        Which side of a sum was right shows in the calls after it: with the wrong one,
        more of them fail."""
        tried: set[object] = set()
        while retries > 0 and best.failure_count > 1 and not best.given_up:
            if time.monotonic() + best.seconds * 2 > self.settings.deadline:
                break
            open_choices = [
                each for each in _choices_in(best) if each.place not in tried
            ]
            if not open_choices:
                break
            failure = open_choices[0]
            tried.add(failure.place)
            for choice in _other_choices(failure):
                retries -= 1
                choices = {**attempt.choices, failure.place: choice}
                other = replace(attempt, choices=choices)
                trace = self._walk_once(other)
                is_better = trace.failure_count < best.failure_count
                if is_better and not trace.given_up:
                    best, attempt = trace, other
        best.choices = attempt.choices
        return best

    # -- one walk ----------------------------------------------------------------------

    def _walk_once(self, attempt: Attempt) -> Trace:
        started = time.monotonic()
        with raise_recursion_limit(), self._prepare(attempt) as scene:
            error = set_mode(scene.model, attempt.mode)
            if error is not None:
                outcome = _Outcome(error, None, f"`model.{attempt.mode}()`")
            else:
                outcome = _run_forward(scene, attempt.mode)
            trace = self._conclude(scene, outcome, attempt.mode)
        trace.seconds = time.monotonic() - started
        return trace

    @contextlib.contextmanager
    def _prepare(self, attempt: Attempt) -> Iterator[_Scene]:
        """A session, a recorder and inputs; the model in its mode inside, and as it was
        afterwards."""
        model, definitions = self._model_to_walk()
        answers = Answers(self.ownership, attempt.forced)
        session = Session(self.settings.budget(), answers.stand_in)
        log = CallLog(ModelNames.of(model), self.ownership, definitions)
        failures = FailureHandler(log, session, attempt.choices, attempt.unwanted)
        recorder = Recorder(log, answers, failures)
        session.on_work = recorder.on_work
        with (
            silence_torch(),
            self._preserve(model, session),
            allow_fakes_in_apply(),
            session,
        ):
            args, kwargs = self.make_inputs()
            inputs = _add_inputs(log, args, kwargs)
            yield _Scene(model, recorder, session, args, kwargs, inputs)

    def _preserve(
        self, model: torch.nn.Module, session: Session
    ) -> contextlib.AbstractContextManager[None]:
        if self.settings.is_disposable:
            return preserve_generators(seed=0)
        return preserve_model(model, session)

    def _model_to_walk(self) -> tuple[torch.nn.Module, Definitions]:
        """The model; a copy where lazy modules would be initialised, which nothing can
        take back."""
        if not has_lazy_tensors(self.model):
            return self.model, self.definitions
        copied = copy.deepcopy(self.model, _lazy_buffers(self.model))
        pairs = zip(modules_of(copied), modules_of(self.model), strict=True)
        originals = {id(new): old for (_, new), (_, old) in pairs}

        def definitions_of_original(module: torch.nn.Module) -> tuple[Site, ...]:
            return self.definitions(originals.get(id(module), module))

        return copied, definitions_of_original

    def _conclude(self, scene: _Scene, outcome: _Outcome, mode: Mode) -> Trace:
        recorder, error = scene.recorder, outcome.error
        log, answers = recorder.log, recorder.answers
        trace = Trace(mode, log.nodes.graph, log.calls)
        trace.inputs = scene.inputs
        trace.spoiled = outcome.spoiled
        trace.assumptions = answers.assumptions
        trace.uncertain = answers.handed_out_number
        trace.used_fake = scene.session.used_fake
        trace.ops = scene.session.ops
        trace.out_of_time = isinstance(error, OutOfTimeError)
        trace.given_up = trace.out_of_time or isinstance(error, GivenUpError)
        if scene.model is not self.model:
            trace.late_params = param_facts(scene.model)
        _drop_caught_failures(trace, recorder.failures.call_of(error))
        if error is None:
            trace.output = value_fact(outcome.result)
            trace.results = log.origins(outcome.result)
            log.nodes.output(outcome.result)
        else:
            log.nodes.output(None)
            trace.raised = self._describe_exception(scene, trace, error, outcome.doing)
        return trace

    def _describe_exception(
        self, scene: _Scene, trace: Trace, error: BaseException, doing: str
    ) -> Raised:
        """The exception that ended a walk. Only where it is no failed call's is it
        looked into: then the model raised it itself."""
        traceback = error.__traceback__
        sites = tuple(self.ownership.in_traceback(traceback))
        failed = scene.recorder.failures.call_of(error)
        raised = Raised(
            type(error).__name__,
            message_of(error),
            sites or self._find_override(scene.model),
            scene.recorder.raised_in(error),
            None if failed is None else failed.index,
            doing=doing,
        )
        if failed is not None or trace.given_up:
            return raised
        return replace(
            raised,
            after_assumption=_follows_question(raised.sites, trace.assumptions),
            compared=find_compared_numbers(traceback, self.ownership),
        )

    def _find_override(self, model: torch.nn.Module) -> tuple[Site, ...]:
        """Where a class of the user's overrides `train`: an exception without a frame
        of the user's is its."""
        code = getattr(type(model).train, "__code__", None)
        if code is None or not self.ownership.owns(code.co_filename):
            return ()
        return (Site(code.co_filename, code.co_name, code.co_firstlineno),)


def set_mode(model: torch.nn.Module, mode: Mode) -> BaseException | None:
    """`train()` or `eval()` as the user would call them; an overridden one may
    raise."""
    change = model.train if mode is Mode.TRAIN else model.eval
    with no_modes():
        try:
            change()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
    return None


def _run_forward(scene: _Scene, mode: Mode) -> _Outcome:
    recorder = scene.recorder
    watch = GradientWatch(recorder.call_under_way)
    scene.session.on_write = watch.note_write
    # In eval mode nobody differentiates: what is written does no harm there.
    watching = watch.watch() if mode is Mode.TRAIN else contextlib.nullcontext()
    try:
        with (
            route_module_calls(recorder.on_module),
            route_einops_failures(recorder.on_failed_pattern),
            recorder,
            watching,
        ):
            error, result = enter_model(scene.model, scene.args, scene.kwargs)
        has_failed = any(call.failure is not None for call in recorder.log.calls)
        # What stands in for the result of a failed call has no gradient.
        is_complete = error is None and not has_failed
        spoiled = watch.find_spoiled(result) if is_complete else []
        return _Outcome(error, result, spoiled=spoiled)
    finally:
        watch.forget()


def enter_model(
    model: torch.nn.Module, args: Args, kwargs: Kwargs
) -> tuple[BaseException | None, object]:
    """Call the model; its exception is a result. Frames beyond this function are not
    the model's."""
    try:
        return None, model(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error, None


def _add_inputs(log: CallLog, args: Args, kwargs: Kwargs) -> list[ValueFact]:
    """Make the inputs known to the log; their shapes."""
    named = [(f"input_{index + 1}", value) for index, value in enumerate(args)]
    for name, value in [*named, *kwargs.items()]:
        log.nodes.add_input(name, value)
    positional = [value_fact(value) for value in args]
    by_name = [value_fact(value, name) for name, value in kwargs.items()]
    return [*positional, *by_name]


def _lazy_buffers(model: torch.nn.Module) -> dict[int, Any]:
    """A memo for `deepcopy`: torch cannot copy buffers that have no size yet, as lazy
    batch norm has them."""
    make: Any = UninitializedBuffer
    return {
        id(buffer): make(device=buffer.device, dtype=buffer.dtype)
        for _, buffer in buffers_of(model)
        if is_lazy(buffer)
    }


def _drop_caught_failures(trace: Trace, raised: Call | None) -> None:
    """What was neither recovered nor raised was caught by the user's own code: to
    eager, it is no error."""
    for call in trace.failures:
        is_recovered = call.failure is not None and call.failure.recovered
        if not is_recovered and call is not raised:
            call.failure = None


# -- choices and questions -------------------------------------------------------------


def _choices_in(trace: Trace) -> Iterator[Failure]:
    """The recovered failures with several candidates."""
    for call in trace.failures:
        failure = call.failure
        if failure is not None and failure.recovered and len(failure.candidates) > 1:
            yield failure


def _other_choices(failure: Failure) -> list[int]:
    choices = range(len(failure.candidates))
    return [choice for choice in choices if choice != failure.choice]


def _raised_after_question(trace: Trace) -> bool:
    return trace.raised is not None and trace.raised.after_assumption


def _last_placed(assumptions: Sequence[Assumption]) -> tuple[Assumption, Site] | None:
    """The last question that has a place in the user's files, and that place."""
    for assumption in reversed(assumptions):
        if assumption.site is not None:
            return assumption, assumption.site
    return None


def _flip_last_answer(
    assumptions: Sequence[Assumption], forced: Mapping[Site, bool]
) -> dict[Site, bool] | None:
    """The forced answers with the last one the other way; None where that was tried,
    or where it was not True or False."""
    last = _last_placed(assumptions)
    if last is None:
        return None
    assumption, site = last
    if site in forced or assumption.truth is None:
        return None
    return {**forced, site: not assumption.truth}


def _follows_question(
    sites: tuple[Site, ...], assumptions: Sequence[Assumption]
) -> bool:
    """Whether the exception follows a question about data, in the same function and
    nearby."""
    last = _last_placed(assumptions)
    if last is None or not sites:
        return False
    raised, asked = sites[0], last[1]
    is_same_function = (raised.file, raised.function) == (asked.file, asked.function)
    return is_same_function and 0 <= raised.line - asked.line <= NEARBY
