"""SHP407."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Walked
from shapelint.facts.kinds import Mode
from shapelint.rules.mode.dropout_ignores_eval import argument_of, has_self
from shapelint.syntax.walked_calls import at_call, call_expression, located, made_by

_MODULES = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")


class NormIgnoresEval(Rule):
    """
    ## What it does
    Finds batch norm that takes the statistics of the batch in eval mode too, proven by
    walking the model in eval mode: `F.batch_norm(..., training=True)`, modules with
    `track_running_stats=False`, and modules that `eval()` does not reach.

    ## Why is this bad?
    What the model says of one sample hangs on the others of its batch, and of a single
    sample it says nonsense.

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
            why = _why(call)
            if trace is None or not why:
                continue
            name = f"`{call.op}`" if call.is_module else f"`F.{call.op}`"
            diagnostic = replace(
                self.diagnostic(
                    f"{name} takes the statistics of the batch in eval mode too{why}"
                ),
                label="hangs on the other samples",
            )
            is_module = call.is_module
            placed = (
                located(diagnostic, walked, trace, call)
                if is_module
                else at_call(diagnostic, walked, trace, call)
            )
            yield Finding(
                replace(placed, trail=()), candidates=tuple(_candidates(walked, call))
            )


def _why(call: Call) -> str:
    """Why a call takes the statistics of the batch; nothing where it does not."""
    if call.is_module:
        if call.op not in _MODULES:
            return ""
        if call.attributes.get("track_running_stats") is False:
            return ": it keeps none of its own"
        return (
            ": `eval()` does not reach a module that is no attribute"
            if call.training and not call.registered
            else ""
        )
    if call.op != "batch_norm":
        return ""
    return (
        ": `training` is True"
        if argument_of(call, 5, "training", False) is True
        else ""
    )


def _candidates(walked: Walked, call: Call) -> Iterator[Candidate]:
    if call.is_module:
        made = made_by(walked, call)
        flag = made.argument(4, "track_running_stats") if made is not None else None
        if made is not None and isinstance(flag, ast.Constant):
            yield Candidate(
                "`track_running_stats=True`", (made.replaced(flag, "True"),), call.layer
            )
        return
    expression = call_expression(walked, call)
    flag = expression.argument(5, "training") if expression is not None else None
    if (
        expression is not None
        and flag is not None
        and has_self(expression.source, expression.node)
    ):
        yield Candidate(
            "`training=self.training`", (expression.replaced(flag, "self.training"),)
        )
