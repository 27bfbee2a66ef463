"""SHP407."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call
from shapelint.facts.kinds import Mode
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.walked_calls import (
    NOT_REACHED,
    call_expression,
    find_constructor_call,
    locate,
    place_at_call,
)


class NormIgnoresEval(Rule):
    """
    ## What it does
    Finds batch norm that takes the statistics of the batch in eval mode too, proven by
    walking the model in eval mode: `F.batch_norm(..., training=True)`, modules with
    `track_running_stats=False`, and modules that `eval()` does not reach.

    ## Why is this bad?
    The result for one sample depends on the others in its batch, and for a single
    sample it is meaningless.

    ## Fix
    `training=self.training`; `track_running_stats=True`, and training again.

    ## References
    - torch.nn.BatchNorm2d, `track_running_stats`
    """

    code = "SHP407"
    name = "norm-ignores-eval"
    severity = Severity.WARNING
    bad = Example(
        """
from torch import nn
import torch
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("var", torch.ones(8))

    def forward(self, x):
        return F.batch_norm(x, self.mean, self.var, training=True)
""",
        ("4,8",),
    )
    good = Example(
        """
from torch import nn
import torch
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("var", torch.ones(8))

    def forward(self, x):
        return F.batch_norm(x, self.mean, self.var, training=self.training)
""",
        ("4,8",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        trace = walked.traces.get(Mode.EVAL)
        for call in trace.calls if trace is not None else ():
            why = _find_reason(call)
            if trace is None or why is None:
                continue
            is_module = call.is_module
            name = call.op if is_module else f"F.{call.op}"
            diagnostic = replace(
                self.diagnostic(
                    f"`{name}` takes the statistics of the batch in eval mode too: {why}"
                ),
                label="depends on the other samples",
            )
            # A module is shown with the layer that it is, a function at its line.
            place = locate if is_module else place_at_call
            placed = place(diagnostic, walked, trace, call)
            candidates = tuple(_candidates(walked, call))
            yield Finding(replace(placed, trail=()), candidates=candidates)


def _find_reason(call: Call) -> str | None:
    """Why a call uses the statistics of the batch; None if it does not."""
    if call.is_module:
        return _find_reason_of_module(call)
    if call.op != "batch_norm" or call.arg(5, "training", False) is not True:
        return None
    return "`training` is True"


def _find_reason_of_module(call: Call) -> str | None:
    norm = ops.of(call.op)
    if norm.family is not Family.NORMALISATION or not norm.by_mode:
        return None
    if call.attributes.get("track_running_stats") is False:
        return "it keeps none of its own"
    return NOT_REACHED if call.training and not call.registered else None


def _candidates(walked: Walked, call: Call) -> Iterator[Candidate]:
    if call.is_module:
        made = find_constructor_call(walked, call)
        flag = made.argument(4, "track_running_stats") if made is not None else None
        if made is not None and isinstance(flag, ast.Constant):
            edit = made.replace_node(flag, "True")
            yield Candidate("`track_running_stats=True`", (edit,), call.layer)
        return
    expression = call_expression(walked, call)
    if expression is None or not expression.source.is_in_method(expression.node):
        return
    flag = expression.argument(5, "training")
    if flag is not None:
        edit = expression.replace_node(flag, "self.training")
        yield Candidate("`training=self.training`", (edit,))
