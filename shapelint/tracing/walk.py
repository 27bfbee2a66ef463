"""One model, one mode, one walk; then again with better guesses where a failed call
left a choice."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.parameter import UninitializedBuffer, is_lazy

from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.graph import Choices, Failure, Key, ParamFact, Raised, Trace
from shapelint.facts.kinds import Mode
from shapelint.facts.places import Site
from shapelint.tracing.assertions import compared
from shapelint.tracing.costs import Budget, walk_budget
from shapelint.tracing.definitions import fake_friendly
from shapelint.tracing.described import message_of, value_fact
from shapelint.tracing.einops_calls import seen_patterns
from shapelint.tracing.failures import FailureHandler, GivenUpError, Unwanted
from shapelint.tracing.frames import Ownership
from shapelint.tracing.gradients import GradientWatch
from shapelint.tracing.members import buffers_of, modules_of, parameters_of
from shapelint.tracing.recorder import ModelNames, Recorder
from shapelint.tracing.recursion import room_for_our_frames
from shapelint.tracing.session import Session
from shapelint.tracing.stand_ins import Values
from shapelint.tracing.state import generators_kept, untouched
from shapelint.tracing.torch_private import no_modes, quiet

MAX_RETRIES = 12
"""Walks spent on finding which candidate shapes the rest of the model agrees with."""


def never(key: Key) -> bool:
    """No call that fails ends a walk."""
    del key
    return False


Inputs = tuple[tuple[Any, ...], dict[str, Any]]


@dataclasses.dataclass
class Walker:
    """Walks one model. `make_inputs` makes fresh inputs under the session; `budget`
    makes a fresh budget."""

    model: torch.nn.Module
    make_inputs: Callable[[], Inputs]
    ownership: Ownership
    definitions: Callable[[torch.nn.Module], tuple[Site, ...]]
    budget: Callable[[], Budget] = walk_budget
    deadline: float = float("inf")
    retries: int = MAX_RETRIES
    disposable: bool = False
    """Whether nobody needs the model as it was: one loaded to try a change."""

    def walk(
        self, mode: Mode, choices: Choices | None = None, unwanted: Unwanted = never
    ) -> Trace:
        """The trace in `train` or `eval` mode under which the fewest calls fail.

        `choices` are those of another walk to begin with; a failing call that is
        `unwanted` ends it."""
        choices = dict(choices or {})
        forced: dict[Site, bool] = {}
        best = self._once(mode, choices, forced, unwanted)
        retries = 0
        while best.raised and best.raised.after_assumption and retries < self.retries:
            flipped = self._flip(best, forced)
            if not flipped:
                break
            retries += 1
            best = self._once(mode, choices, forced, unwanted)
        tried: set[Any] = set()
        while retries < self.retries and best.failure_count > 1 and not best.given_up:
            if time.monotonic() + best.seconds * 2 > self.deadline:
                break
            failure = next(
                (each for each in _with_a_choice(best) if each.place not in tried), None
            )
            if failure is None:
                break
            tried.add(failure.place)
            for choice in range(len(failure.candidates)):
                if choice == failure.choice:
                    continue
                retries += 1
                trial = self._once(
                    mode, {**choices, failure.place: choice}, forced, unwanted
                )
                if trial.failure_count < best.failure_count and not trial.given_up:
                    best, choices = trial, {**choices, failure.place: choice}
        best.choices = choices
        return best

    @staticmethod
    def _flip(trace: Trace, forced: dict[Site, bool]) -> bool:
        """Answer the last question before the exception the other way; False where that
        was tried."""
        last = next(
            (a for a in reversed(trace.assumptions) if a.site is not None), None
        )
        if (
            last is None
            or last.site is None
            or last.site in forced
            or last.answer not in ("True", "False")
        ):
            return False
        forced[last.site] = last.answer == "False"
        return True

    def inside(
        self, mode: Mode, action: Callable[[torch.nn.Module, Any, Any], Any]
    ) -> Any:
        """Run something else that calls the model, as torchinfo does, as if it were a
        walk.

        Its exception is its result.
        """
        prepared = self._prepared(mode, {}, {}, never)
        with (
            room_for_our_frames(),
            prepared as (recorder, args, kwargs, _),
            seen_modules(recorder),
            recorder,
        ):
            try:
                return action(recorder.model, args, kwargs)
            except Exception as error:
                return error

    def _once(
        self, mode: Mode, choices: Choices, forced: dict[Site, bool], unwanted: Unwanted
    ) -> Trace:
        started = time.monotonic()
        with (
            room_for_our_frames(),
            self._prepared(mode, choices, forced, unwanted) as (
                recorder,
                args,
                kwargs,
                trace,
            ),
        ):
            error: BaseException | None = set_mode(recorder.model, mode)
            out = None
            doing = f"`model.{mode}()`"
            if error is None:
                doing = "the forward"
                watch = GradientWatch(recorder.under_way)
                recorder.session.on_write = watch.wrote
                watching = (
                    watch.watching() if mode is Mode.TRAIN else contextlib.nullcontext()
                )
                try:
                    with (
                        seen_modules(recorder),
                        seen_patterns(recorder),
                        recorder,
                        watching,
                    ):
                        error, out = enter_model(recorder.model, args, kwargs)
                    if error is None and not any(True for _ in trace.failures):
                        trace.spoiled = watch.spoiled(out)
                finally:
                    watch.forget()
            self._conclude(trace, recorder, error, out)
            if trace.raised is not None:
                trace.raised.doing = doing
        trace.seconds = time.monotonic() - started
        return trace

    @contextlib.contextmanager
    def _prepared(
        self, mode: Mode, choices: Choices, forced: dict[Site, bool], unwanted: Unwanted
    ) -> Iterator[tuple[Recorder, tuple[Any, ...], dict[str, Any], Trace]]:
        """A session, a recorder and inputs; the model in its mode inside, and as it was
        afterwards."""
        values = Values(self.ownership, forced)
        session = Session(self.budget(), values.stand_in)
        failures = FailureHandler(self.ownership, session, choices, unwanted)
        model, definitions = self._model_to_walk()
        recorder = Recorder(
            model, ModelNames.of(model), session, values, failures, definitions
        )
        session.on_work = recorder.on_work
        trace = Trace(mode, recorder.nodes.graph, recorder.calls)
        unharmed = (
            generators_kept(seed=0) if self.disposable else untouched(model, session)
        )
        with quiet(), unharmed, fake_friendly(), session:
            args, kwargs = self.make_inputs()
            self._name_inputs(recorder, args, kwargs, trace)
            yield recorder, args, kwargs, trace

    def _model_to_walk(
        self,
    ) -> tuple[torch.nn.Module, Callable[[torch.nn.Module], tuple[Site, ...]]]:
        """The model; a copy where lazy modules would be initialised, which nothing can
        take back."""
        if not _is_lazy(self.model):
            return self.model, self.definitions
        copied = copy.deepcopy(self.model, _lazy_buffers(self.model))
        originals = {
            id(new): old
            for (_, new), (_, old) in zip(
                modules_of(copied), modules_of(self.model), strict=True
            )
        }
        return copied, lambda module: self.definitions(
            originals.get(id(module), module)
        )

    @staticmethod
    def _name_inputs(recorder: Recorder, args: Any, kwargs: Any, trace: Trace) -> None:
        for index, value in enumerate(args):
            recorder.nodes.add_input(f"input_{index + 1}", value)
        for name, value in kwargs.items():
            recorder.nodes.add_input(name, value)
        trace.inputs = [value_fact(value) for value in args]
        trace.inputs += [value_fact(value, name) for name, value in kwargs.items()]

    def _override(self, model: torch.nn.Module) -> tuple[Site, ...]:
        """Where a class of the user's overrides `train`: an exception without a frame
        of the user's is its."""
        code = getattr(type(model).train, "__code__", None)
        if code is None or not self.ownership.owns(code.co_filename):
            return ()
        return (Site(code.co_filename, code.co_name, code.co_firstlineno),)

    def _conclude(
        self, trace: Trace, recorder: Recorder, error: BaseException | None, out: Any
    ) -> None:
        trace.out_of_time = isinstance(error, OutOfTimeError)
        trace.given_up = trace.out_of_time or isinstance(error, GivenUpError)
        failures = recorder.failures
        failed = failures.call_of(error)
        for call in trace.calls:
            if (
                call.failure is not None
                and not call.failure.recovered
                and call is not failed
            ):
                call.failure = None  # the user's own code caught it
        trace.assumptions = recorder.values.assumptions
        trace.used_fake = recorder.session.used_fake
        trace.ops = recorder.session.ops
        trace.uncertain = recorder.values.handed_out_number
        if recorder.model is not self.model:
            trace.late_params = param_facts(recorder.model)
        if error is None:
            trace.output = value_fact(out)
            trace.results = recorder.origins(out)
            recorder.nodes.output(out)
            return
        recorder.nodes.output(None)
        sites = tuple(
            self.ownership.in_traceback(error.__traceback__)
        ) or self._override(recorder.model)
        trace.raised = Raised(
            type(error).__name__,
            message_of(error),
            sites,
            recorder.raised_in(error),
            failed.index if failed else None,
        )
        if failed is None and not trace.given_up:
            trace.raised.after_assumption = _hangs_on_value(trace, sites)
            trace.raised.compared = compared(error.__traceback__, self.ownership)


def _with_a_choice(trace: Trace) -> Iterator[Failure]:
    """The recovered failures with several candidates."""
    for call in trace.failures:
        if (
            call.failure is not None
            and call.failure.recovered
            and len(call.failure.candidates) > 1
        ):
            yield call.failure


def _is_lazy(model: torch.nn.Module) -> bool:
    """Whether a weight has no shape before the first forward (`nn.LazyLinear`)."""
    return any(
        is_lazy(tensor) for _, tensor in [*parameters_of(model), *buffers_of(model)]
    )


def param_facts(model: torch.nn.Module) -> dict[str, ParamFact]:
    """Every parameter by its first name; one without a shape yet counts nothing."""
    facts: dict[str, ParamFact] = {}
    for name, param in parameters_of(model):
        late = is_lazy(param)
        shape = () if late else tuple(param.shape)
        count, size = (0, 0) if late else (param.numel(), param.element_size())
        facts[name] = ParamFact(
            name,
            shape,
            count,
            count * size,
            param.requires_grad,
            name.rpartition(".")[0],
        )
    return facts


def _lazy_buffers(model: torch.nn.Module) -> dict[int, Any]:
    """For `deepcopy`: torch cannot copy buffers that have no size yet, as lazy batch
    norm has them."""
    lazy = [buffer for _, buffer in buffers_of(model) if is_lazy(buffer)]
    make: Any = UninitializedBuffer
    return {
        id(buffer): make(device=buffer.device, dtype=buffer.dtype) for buffer in lazy
    }


def _hangs_on_value(trace: Trace, sites: tuple[Site, ...]) -> bool:
    """Whether the exception follows a question about data, in the same function and
    nearby."""
    last = next((a for a in reversed(trace.assumptions) if a.site is not None), None)
    if last is None or last.site is None or not sites:
        return False
    near = sites[0]
    return (near.file, near.function) == (
        last.site.file,
        last.site.function,
    ) and 0 <= near.line - last.site.line <= 5


def enter_model(
    model: torch.nn.Module, args: Any, kwargs: Any
) -> tuple[BaseException | None, Any]:
    """Call the model; its exception is a result. Frames beyond this function are not
    the model's."""
    try:
        return None, model(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error, None


@contextlib.contextmanager
def seen_modules(recorder: Recorder) -> Iterator[None]:
    """Every module call goes through the recorder."""
    original = torch.nn.Module.__call__

    def call(self: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        return recorder.on_module(original, self, args, kwargs)

    torch.nn.Module.__call__ = call  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.nn.Module.__call__ = original  # type: ignore[method-assign]


def set_mode(model: torch.nn.Module, mode: Mode) -> BaseException | None:
    """`train()` or `eval()` as the user would call them; an overridden one may
    raise."""
    with no_modes():
        try:
            model.train() if mode is Mode.TRAIN else model.eval()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
    return None
