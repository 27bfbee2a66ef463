"""SHP119."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.cycles import explain_cycle, runs_in_circles
from shapelint.changes.other_inputs import (
    exchange_sides,
    input_candidates,
    recolour_inputs,
    resize_inputs,
)
from shapelint.changes.slip_changes import slip_candidates
from shapelint.changes.wrong_operands import operand_candidates
from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Raised, Trace
from shapelint.facts.kinds import NoPlace
from shapelint.facts.places import Span
from shapelint.facts.slips import SlipKind
from shapelint.facts.walked_target import Walked
from shapelint.ops.wording import subject
from shapelint.syntax.spans import span_of
from shapelint.syntax.train_overrides import find_faulty_overrides
from shapelint.syntax.walked_calls import (
    find_failed_calls,
    finding_at_layer,
    shape_text,
)

# Shapes named in the message; a list of tensors may be long
SHOWN = 3


class ForwardRaises(Rule):
    """
    ## What it does
    Finds everything else that makes the forward raise: an operation that no other rule
    explains, or the model's own `raise`, `assert`, missing attribute or wrong call, at
    its line.

    ## Why is this bad?
    Eager PyTorch raises the same exception for this input.

    ## Fix
    The message is the exception's own: it says what was expected.
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
        for trace, call, failure in find_failed_calls(walked):
            yield self._report_failed_call(walked, trace, call, failure)
        for trace in walked.traces.values():
            if trace.raised is not None and _is_unexplained(walked, trace):
                yield self._own_raise(walked, trace, trace.raised)

    def _report_failed_call(
        self, walked: Walked, trace: Trace, call: Call, failure: Failure
    ) -> Finding:
        shapes = [shape_text(fact.shape) for fact in failure.tensors[:SHOWN]]
        on = f" on {', '.join(shapes)}" if shapes else ""
        draft = self.diagnostic(
            f"{subject(call)} raises {failure.error_type}{on}: {failure.message}"
        )
        slips = operand_candidates(walked, call)
        if slips:
            return finding_at_layer(walked, trace, call, draft, slips)
        candidates = input_candidates(walked, trace)
        return finding_at_layer(walked, trace, call, draft, candidates)

    def _own_raise(self, walked: Walked, trace: Trace, raised: Raised) -> Finding:
        # the rest may be a whole traceback, as of a subprocess
        reason = raised.message.splitlines()[0] if raised.message else ""
        what = f"{raised.error_type}: {reason}" if reason else raised.error_type
        span, called_at = _find_places(walked, raised)
        draft = self.diagnostic(f"{raised.doing} raises {what}")
        draft = replace(draft, layer=raised.layer)
        diagnostic = draft.at(span, called_at, NoPlace.NO_SOURCE)
        if runs_in_circles(walked, trace) and raised.switching_to is not None:
            diagnostic, candidates = explain_cycle(walked, diagnostic)
            return Finding(diagnostic, trace.mode, None, candidates)
        slips = slip_candidates(raised.slip, walked.texts)
        if slips:
            return Finding(
                _name_hidden(diagnostic, raised), trace.mode, None, tuple(slips)
            )
        if raised.error_type == "RecursionError":
            # no input ends the recursion, and each walk takes long
            return Finding(diagnostic, trace.mode)
        inputs = (
            *input_candidates(walked, trace),
            *resize_inputs(walked, raised.compared),
            *recolour_inputs(walked),
            *exchange_sides(walked),
        )
        return Finding(diagnostic, trace.mode, None, inputs)


def _name_hidden(diagnostic: Diagnostic, raised: Raised) -> Diagnostic:
    """The same finding in every mode, if an attribute hides a method of the module."""
    slip = raised.slip
    if slip is None or slip.kind is not SlipKind.HIDDEN_METHOD:
        return diagnostic
    hidden = f"`{slip.home[1]}.{slip.name}` hides the method of `nn.Module`"
    says = f"{hidden}: {raised.error_type}: {raised.message}"
    return replace(diagnostic, message=says)


def _is_unexplained(walked: Walked, trace: Trace) -> bool:
    """Whether the model itself raised and no other rule explains it: neither a broken
    override of `train` (SHP408) nor a constructor without `super().__init__()`
    (SHP504)."""
    raised = trace.raised
    if raised is None or not trace.is_ended_by_own_raise or walked.lacks_init(trace):
        return False
    return raised.switching_to is None or not any(
        True for _ in find_faulty_overrides(walked)
    )


def _find_places(walked: Walked, raised: Raised) -> tuple[Span | None, Span | None]:
    """The line that raised, and the line that called it if that is another."""
    spans = [span_of(site, walked.texts) for site in raised.sites[:2]]
    if not spans:
        return None, None
    if len(spans) == 1 or spans[1].line == spans[0].line:
        return spans[0], None
    return spans[0], spans[1]
