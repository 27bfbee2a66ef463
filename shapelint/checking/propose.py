"""Finds an input that a model runs with: guesses are walked one after the other."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator

from shapelint.asked.inputs import TensorSpec
from shapelint.asked.request import Propose, Walk
from shapelint.asked.target import parse_target
from shapelint.checking.input_guesses import guess_inputs
from shapelint.checking.merging import run_rules
from shapelint.checking.target_report import choose_shown_trace
from shapelint.facts.diagnostics import Severity
from shapelint.facts.errors import UsageError
from shapelint.facts.graph import Key, Trace
from shapelint.facts.kinds import Mode, Status
from shapelint.facts.outcome import TargetReport
from shapelint.facts.tensors import ValueFact
from shapelint.loading.model import Loaded, load
from shapelint.loading.model_inputs import (
    InputMaker,
    find_inputs,
    inputs_of,
    require_fitting,
)
from shapelint.loading.not_loadable import NotLoadableError
from shapelint.loading.walkable import Walkable
from shapelint.rules import catalogue
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.texts import DISK
from shapelint.tracing.walk import WalkSettings

TRIES = 150
"""The most inputs tried for a model."""

FURTHER_TRIES = 12
"""How many more inputs are tried after one that runs but has findings."""

TRYING = 0.8
"""The share of the time limit after which no further input is tried."""

Result = tuple[Severity | None, ValueFact | None]
"""The worst severity of the findings with an input, except infos; and the output in
eval mode."""

FAILED: Result = (Severity.ERROR, None)


def propose(request: Propose, on_step: Callable[[str], None]) -> TargetReport:
    """Return a report whose `proposed` inputs run cleanly in both modes.

    If there are none, `status` is partial, and the inputs are the likeliest of those
    tried. `notes` say if the model declares its own inputs, which need not be
    written."""
    report = TargetReport(request.target)
    deadline = time.monotonic() + request.seconds * TRYING
    on_step("loading")
    try:
        loaded = load(parse_target(request.target), DISK)
        on_step("walking in train mode")
        found = _find_inputs(loaded, Walk(request.target), deadline)
    except NotLoadableError as error:
        report.status = Status.FAILED
        report.diagnostics = [not_loadable(str(error), error.span, "")]
        return report
    except UsageError as error:
        report.status = Status.FAILED
        report.diagnostics = [not_loadable(str(error), None, "")]
        return report
    if found is None:
        report.status = Status.PARTIAL
        likeliest = next(guess_inputs(loaded.model), ())
        report.proposed = [spec.spelling for spec in likeliest]
        return report
    inputs, report.output = found
    if inputs.note:
        report.notes = [inputs.note]
    else:
        report.proposed = [spec.spelling for spec in inputs.specs]
    return report


def _find_inputs(
    loaded: Loaded, request: Walk, deadline: float
) -> tuple[InputMaker, ValueFact | None] | None:
    """The first input without any finding, or else the first without an error."""
    passable, tried_since = None, 0
    for inputs in _possible_inputs(loaded):
        tried_since += passable is not None
        if time.monotonic() > deadline or tried_since > FURTHER_TRIES:
            break
        worst, output = _try_inputs(Walkable(loaded, inputs), request)
        if worst is None and _keeps_the_batch(inputs.specs, output):
            return inputs, output
        # kept, but a better one may follow: of a size without a warning
        if worst is not Severity.ERROR and passable is None:
            passable = (inputs, output)
    return passable


def _possible_inputs(loaded: Loaded) -> Iterator[InputMaker]:
    """The model's own inputs, if it has any, then guesses."""
    with contextlib.suppress(UsageError):
        yield find_inputs(loaded, (), None)
    for specs in itertools.islice(guess_inputs(loaded.model), TRIES):
        yield inputs_of(specs)


def _try_inputs(walkable: Walkable, request: Walk) -> Result:
    try:
        require_fitting(walkable.loaded, walkable.inputs)
    except NotLoadableError:
        return FAILED
    settings = WalkSettings(retries=1)
    traces: dict[Mode, Trace] = {}
    for mode in request.modes:
        trace = walkable.walk(mode, settings, unwanted=_is_any_failure)
        traces[mode] = trace
        if trace.raised is not None or trace.failure_count or trace.given_up:
            return FAILED
    if not any(_computes_tensors(trace) for trace in traces.values()):
        return FAILED
    walked = walkable.describe(request, traces)
    found = run_rules(walked, set(catalogue().rules))
    severities = {item.diagnostic.severity for item in found} - {Severity.INFO}
    worst = min(severities, key=lambda severity: severity.rank, default=None)
    return worst, choose_shown_trace(walked).output


def _is_any_failure(key: Key) -> bool:
    """Used for `unwanted`: any failing call rules the input out."""
    del key
    return True


def _computes_tensors(trace: Trace) -> bool:
    """Whether any call returns a tensor. An empty container would run with any
    input."""
    has_tensors = trace.output is not None and trace.output.tensors
    return bool(trace.calls and has_tensors)


def _keeps_the_batch(specs: tuple[TensorSpec, ...], output: ValueFact | None) -> bool:
    """Whether each result has the batch size of the input. A flatten that moves other
    dimensions into the batch changes it. True if the shapes of the inputs are not
    known."""
    if not specs:
        return True
    if output is None or not output.tensors:
        return False
    batch = specs[0].shape[:1]
    return all(tensor.shape[:1] == batch for tensor in output.tensors)
