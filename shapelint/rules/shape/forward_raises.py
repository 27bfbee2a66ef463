"""SHP119."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.cycles import circle, runs_in_circles
from shapelint.changes.other_inputs import (
    input_candidates,
    larger_images,
    other_sizes,
    sized_inputs,
    wanted_channels,
)
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Raised, Trace, Walked
from shapelint.facts.kinds import NoPlace
from shapelint.rules.mode.broken_train_override import broken_overrides, switching
from shapelint.rules.structure.missing_super_init import met_uninitialised
from shapelint.syntax.spans import span_of
from shapelint.syntax.walked_calls import failed_calls, located, shape_text, subject


class ForwardRaises(Rule):
    """
    ## What it does
    Finds whatever else makes the forward raise: an operation that no other rule
    explains, or the model's own `raise`, `assert`, missing attribute or wrong call, at
    its line.

    ## Why is this bad?
    Eager PyTorch raises the same exception for this input.

    ## Fix
    The message is the exception's own.
    """

    code = "SHP119"
    name = "forward-raises"
    is_of_raise = True
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        if x.shape[-1] % 32:
            raise ValueError("width must be a multiple of 32")
        return x
""",
        ("1,3,64,60",),
        raises="ValueError: width must be a multiple of 32",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        if x.shape[-1] % 32:
            raise ValueError("width must be a multiple of 32")
        return x
""",
        ("1,3,64,64",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked):
            failure = call.failure
            assert failure is not None
            shapes = ", ".join(shape_text(fact.shape) for fact in failure.tensors[:3])
            on = f" on {shapes}" if shapes else ""
            name = subject(call)
            diagnostic = self.diagnostic(
                f"{name} raises {failure.error_type}{on}: {failure.message}"
            )
            candidates = (
                *input_candidates(walked, trace),
                *(larger_images(walked) if failure.op == "pad" else ()),
            )
            yield Finding(
                located(diagnostic, walked, trace, call),
                trace.mode,
                call.index,
                candidates,
            )
        for trace in walked.traces.values():
            said = switching(trace) and any(
                True for _ in broken_overrides(walked)
            )  # SHP408 says it
            said = said or met_uninitialised(walked, trace)  # and this SHP504
            if trace.raised is not None and not said and is_users(trace, trace.raised):
                yield self._own(walked, trace, trace.raised)

    def _own(self, walked: Walked, trace: Trace, raised: Raised) -> Finding:
        text = raised.message.splitlines()[0] if raised.message else ""
        draft = self.diagnostic(
            f"{raised.doing} raises {raised.error_type}{': ' if text else ''}{text}"
        )
        span = span_of(raised.sites[0], walked.texts) if raised.sites else None
        called = (
            span_of(raised.sites[1], walked.texts) if len(raised.sites) > 1 else None
        )
        called = (
            called
            if called is None or span is None or called.line != span.line
            else None
        )
        whole = replace(draft, layer=raised.layer)
        diagnostic = whole.at(span, called, NoPlace.NO_SOURCE)
        if runs_in_circles(walked, trace) and switching(trace):
            diagnostic, candidates = circle(walked, diagnostic)
            return Finding(diagnostic, trace.mode, None, candidates)
        if (
            raised.error_type == "RecursionError"
        ):  # no input ends it, and each walk of it is long
            return Finding(diagnostic, trace.mode)
        inputs = [
            *input_candidates(walked, trace),
            *sized_inputs(walked, raised.compared),
        ]
        inputs += [*wanted_channels(walked), *other_sizes(walked)]
        return Finding(diagnostic, trace.mode, None, tuple(inputs))


def is_users(trace: Trace, raised: Raised) -> bool:
    """Whether an exception outside of any torch call is the model's own, for these
    shapes.

    Not so where it may follow from an earlier finding, from an assumed value, from a
    stand-in, or where time was over."""
    if (
        raised.call is not None
        or raised.after_assumption
        or trace.uncertain
        or trace.out_of_time
    ):
        return False
    if raised.error_type == "MemoryError":
        return False
    return not any(True for _ in trace.failures)
