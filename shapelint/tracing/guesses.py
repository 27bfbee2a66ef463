"""What a finished walk says of the guesses it was made with: which could be others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shapelint.facts.graph import Assumption, Failure, Trace
from shapelint.facts.kinds import Route
from shapelint.facts.places import Site
from shapelint.tracing.conclusion import last_placed_question


def fails_in_parts(trace: Trace) -> bool:
    """Whether something fails other than a fused kernel, which torch takes only without
    gradients."""
    kernels = [
        call
        for call in trace.failures
        if call.failure is not None and call.failure.route is Route.FUSED
    ]
    return trace.failure_count > len(kernels)


def choices_in(trace: Trace) -> Iterator[Failure]:
    """The recovered failures that have several candidates."""
    for call in trace.failures:
        failure = call.failure
        if failure is not None and failure.recovered and len(failure.candidates) > 1:
            yield failure


def other_choices(failure: Failure) -> list[int]:
    choices = range(len(failure.candidates))
    return [choice for choice in choices if choice != failure.choice]


def raises_after_question(trace: Trace) -> bool:
    return trace.raised is not None and trace.raised.after_assumption


def flip_last_answer(
    assumptions: Sequence[Assumption], forced: Mapping[Site, bool]
) -> dict[Site, bool] | None:
    """The forced answers, plus the opposite of the last answer; None if that was tried,
    or if the answer was not True or False."""
    last = last_placed_question(assumptions)
    if last is None:
        return None
    assumption, site = last
    if site in forced or assumption.truth is None:
        return None
    return {**forced, site: not assumption.truth}
