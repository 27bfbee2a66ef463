"""Turns a finished walk into plain facts: the trace, and the exception that ended
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from torch import nn

from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.graph import Assumption, Call, Raised, Spoiled, Trace
from shapelint.facts.kinds import Mode
from shapelint.facts.places import Site
from shapelint.facts.tensors import ValueFact
from shapelint.tracing.assertions import find_compared_numbers
from shapelint.tracing.failures import GivenUpError
from shapelint.tracing.members import param_facts
from shapelint.tracing.nested import Args, Kwargs
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.recorder import Recorder
from shapelint.tracing.session import Session
from shapelint.tracing.slip_facts import describe_slip
from shapelint.tracing.user_text import message_of
from shapelint.tracing.value_facts import value_fact

NEARBY = 5
"""An exception is taken for the consequence of a question about data if it is raised at
most this many lines below."""


@dataclass(frozen=True)
class Scene:
    """Everything that a walk needs. `inputs` are the inputs as shapes. `is_copy`: the
    model is a copy, so that the user's model stays unchanged."""

    model: nn.Module
    recorder: Recorder
    session: Session
    args: Args
    kwargs: Kwargs
    inputs: list[ValueFact]
    is_copy: bool


@dataclass(frozen=True)
class Outcome:
    """The result of a model, or its exception. `switching_to`: the mode to which it was
    being switched, if that raised and the forward never ran."""

    error: BaseException | None
    result: object
    switching_to: Mode | None = None
    spoiled: list[Spoiled] = field(default_factory=list)


def conclude(scene: Scene, outcome: Outcome, mode: Mode) -> Trace:
    """Build the trace of a finished walk."""
    recorder, error = scene.recorder, outcome.error
    log, answers = recorder.log, recorder.answers
    trace = Trace(mode, log.nodes.graph, log.calls)
    trace.inputs = scene.inputs
    trace.spoiled = outcome.spoiled
    trace.assumptions = answers.assumptions
    trace.uncertain = answers.handed_out_number
    trace.used_fake = scene.session.used_fake
    trace.asks_gradients = recorder.asks_gradients
    trace.ops = scene.session.ops
    trace.out_of_time = isinstance(error, OutOfTimeError)
    trace.given_up = trace.out_of_time or isinstance(error, GivenUpError)
    if scene.is_copy:
        trace.late_params = param_facts(scene.model)
    _drop_caught_failures(trace, recorder.failures.call_of(error))
    if error is None:
        trace.output = value_fact(outcome.result)
        trace.results = log.origins(outcome.result)
        log.nodes.output(outcome.result)
    else:
        log.nodes.output(None)
        trace.raised = _describe_exception(scene, trace, error, outcome.switching_to)
    return trace


def _describe_exception(
    scene: Scene, trace: Trace, error: BaseException, switching_to: Mode | None
) -> Raised:
    """Describe the exception that ended a walk. An exception that does not belong to a
    failed call was raised by the model itself, so its condition is read too."""
    ownership = scene.recorder.log.ownership
    traceback = error.__traceback__
    sites = tuple(ownership.in_traceback(traceback))
    failed = scene.recorder.failures.call_of(error)
    raised = Raised(
        type(error).__name__,
        message_of(error),
        sites or _find_override(scene.model, ownership),
        scene.recorder.find_raising_module(error),
        None if failed is None else failed.index,
        switching_to=switching_to,
    )
    if failed is not None or trace.given_up:
        return raised
    return replace(
        raised,
        after_assumption=_follows_question(raised.sites, trace.assumptions),
        compared=find_compared_numbers(traceback, ownership),
        slip=describe_slip(error, ownership, scene.model),
    )


def _find_override(model: nn.Module, ownership: Ownership) -> tuple[Site, ...]:
    """The user's own override of `train`, which must be at fault if no frame in the
    traceback is the user's."""
    code = getattr(type(model).train, "__code__", None)
    if code is None or not ownership.owns(code.co_filename):
        return ()
    return (Site(code.co_filename, code.co_name, code.co_firstlineno),)


def _drop_caught_failures(trace: Trace, raised: Call | None) -> None:
    """Drop failures that were neither recovered nor raised. The user's own code caught
    them, so in eager mode they are not errors."""
    for call in trace.failures:
        is_recovered = call.failure is not None and call.failure.recovered
        if not is_recovered and call is not raised:
            call.failure = None


def last_placed_question(
    assumptions: Sequence[Assumption],
) -> tuple[Assumption, Site] | None:
    """The last question about data that has a place in the user's files, and that
    place."""
    for assumption in reversed(assumptions):
        if assumption.site is not None:
            return assumption, assumption.site
    return None


def _follows_question(
    sites: tuple[Site, ...], assumptions: Sequence[Assumption]
) -> bool:
    """Whether the exception was raised just below a question about data, in the same
    function."""
    last = last_placed_question(assumptions)
    if last is None or not sites:
        return False
    raised, asked = sites[0], last[1]
    is_same_function = (raised.file, raised.function) == (asked.file, asked.function)
    return is_same_function and 0 <= raised.line - asked.line <= NEARBY
