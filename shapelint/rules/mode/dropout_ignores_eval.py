"""SHP401."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call
from shapelint.facts.kinds import Mode
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Draws
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.walked_calls import NOT_REACHED, call_expression, place_at_call

_ATTENTION = "scaled_dot_product_attention"


class DropoutIgnoresEval(Rule):
    """
    ## What it does
    Finds dropout that is still on after `model.eval()`, proven by walking the model in
    eval mode: `F.dropout` without `training=self.training`,
    `F.scaled_dot_product_attention` with a `dropout_p` that is not taken back, and
    Dropout modules that `eval()` does not reach. Other random numbers in eval mode are
    reported as an `info`.

    ## Why is this bad?
    Validation and inference are random: the same image gives another answer each time,
    and metrics come out worse than the model is. Nothing raises.

    ## Fix
    `F.dropout(x, p, training=self.training)`, or an `nn.Dropout` made in `__init__`.

    ## References
    - torch.nn.functional.dropout: `training` is True unless it is given
    """

    code = "SHP401"
    name = "dropout-ignores-eval"
    severity = Severity.WARNING
    bad = Example(
        """
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        return self.fc(F.dropout(x, 0.5))
""",
        ("1,16",),
    )
    good = Example(
        """
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        return self.fc(F.dropout(x, 0.5, training=self.training))
""",
        ("1,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        trace = walked.traces.get(Mode.EVAL)
        for call in trace.calls if trace is not None else ():
            message = _describe(call)
            if trace is None or message is None:
                continue
            is_noise = _is_noise(call.op)
            diagnostic = replace(
                self.diagnostic(message, Severity.INFO if is_noise else None),
                label="random in eval mode too"
                if is_noise
                else "drops in eval mode too",
            )
            candidates = () if is_noise else tuple(_candidates(walked, call))
            placed = place_at_call(diagnostic, walked, trace, call)
            yield Finding(placed, candidates=candidates)


def _describe(call: Call) -> str | None:
    """The message for a call that is random in eval mode; None for any other call."""
    if call.is_module:
        return _describe_module(call)
    if _is_noise(call.op):
        return f"`{call.op}` makes the result random in eval mode too"
    if call.op == _ATTENTION:
        on = call.arg(4, "dropout_p", 0.0)
        return (
            f"`{call.op}` drops in eval mode too: `dropout_p` is {on}" if on else None
        )
    if not _drops(call.op) or not call.arg(1, "p", 0.5):
        return None
    on = call.arg(2, "training", call.kwargs.get("train", True))
    return f"`{call.op}` stays on in eval mode" if on else None


def _describe_module(call: Call) -> str | None:
    if not _drops(call.op) or not call.attributes.get("p"):
        return None
    # Registered, `eval()` reached it: its mode was set by hand, and meant.
    if call.registered or not call.training:
        return None
    return f"`{call.op}` stays on in eval mode: {NOT_REACHED}"


def _candidates(walked: Walked, call: Call) -> Iterator[Candidate]:
    """Write `training=self.training`, if `self` is available."""
    expression = call_expression(walked, call)
    if expression is None or call.is_module:
        return
    if not expression.source.is_in_method(expression.node):
        return
    if expression.name == _ATTENTION:
        yield from _attention_candidates(expression)
    elif _drops(expression.name):
        yield from _function_candidates(expression)


def _attention_candidates(expression: CallExpression) -> Iterator[Candidate]:
    written = expression.argument(4, "dropout_p")
    if written is not None:
        text = f"{expression.source.segment(written)} if self.training else 0.0"
        edit = expression.replace_node(written, text)
        yield Candidate(f"`dropout_p={text}`", (edit,))


def _function_candidates(expression: CallExpression) -> Iterator[Candidate]:
    """Replace the flag if it is written, or else add it after the last argument."""
    flag = "self.training"
    written = expression.argument(2, "training", "train")
    if written is None:
        node = expression.node
        arguments = [*node.args, *(word.value for word in node.keywords)]
        if not arguments:
            return
        written = arguments[-1]
        flag = f"{expression.source.segment(written)}, training=self.training"
    edit = expression.replace_node(written, flag)
    yield Candidate("`training=self.training`", (edit,))


def _drops(name: str) -> bool:
    return ops.of(name).draws is Draws.DROPS


def _is_noise(name: str) -> bool:
    """Whether an op draws random numbers. In eval mode that may be intended, as in
    image generation."""
    return ops.of(name).draws is Draws.NOISE
