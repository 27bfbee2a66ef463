"""SHP401."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Walked
from shapelint.facts.kinds import Mode
from shapelint.syntax.walked_calls import at_call, call_expression

_FUNCTIONS = {
    *(
        "dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "alpha_dropout",
        "feature_alpha_dropout",
        "feature_dropout",
    ),
}
_NOISE = {
    "randn_like",
    "rand_like",
    "bernoulli",
    "normal",
    "randn",
    "rand",
    "normal_",
    "uniform_",
    "bernoulli_",
}
"""What draws random numbers; in eval mode that may be meant, as where images are
generated."""

_MODULES = (
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "AlphaDropout",
    "FeatureAlphaDropout",
)


class DropoutIgnoresEval(Rule):
    """
    ## What it does
    Finds dropout that is still on after `model.eval()`, proven by walking the model in
    eval mode: `F.dropout` without `training=self.training`,
    `F.scaled_dot_product_attention` with a `dropout_p` that is not taken back, and
    Dropout modules that `eval()` does not reach. Of other random numbers in eval mode
    it only says that they are there.

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
            message = _message(call)
            if trace is None or message is None:
                continue
            if call.op in _NOISE:
                diagnostic = replace(
                    self.diagnostic(message, Severity.INFO),
                    label="random in eval mode too",
                )
                yield Finding(at_call(diagnostic, walked, trace, call))
                continue
            diagnostic = replace(
                self.diagnostic(message), label="drops in eval mode too"
            )
            yield Finding(
                at_call(diagnostic, walked, trace, call),
                candidates=tuple(_candidates(walked, call)),
            )


def _message(call: Call) -> str | None:
    if call.is_module:
        pinned = call.registered or not call.training or not call.attributes.get("p")
        if call.op not in _MODULES or pinned:
            return None
        return f"`{call.op}` stays on in eval mode: `eval()` does not reach a module that is no attribute"
    if call.op in _NOISE:
        return f"`{call.op}` makes the result random in eval mode too"
    if call.op == "scaled_dot_product_attention":
        on = argument_of(call, 4, "dropout_p", 0.0)
        return (
            f"`{call.op}` drops in eval mode too: `dropout_p` is {on}" if on else None
        )
    if call.op not in _FUNCTIONS or not argument_of(call, 1, "p", 0.5):
        return None
    on = argument_of(call, 2, "training", call.kwargs.get("train", True))
    return f"`{call.op}` stays on in eval mode" if on else None


def argument_of(call: Call, position: int, name: str, default: Any) -> Any:
    """What a call was given, by position or by name."""
    return (
        call.args[position]
        if len(call.args) > position
        else call.kwargs.get(name, default)
    )


def _candidates(walked: Walked, call: Call) -> list[Candidate]:
    """`training=self.training`, where there is a `self`."""
    expression = call_expression(walked, call)
    if (
        expression is None
        or call.is_module
        or expression.name not in (*_FUNCTIONS, "scaled_dot_product_attention")
        or not has_self(expression.source, expression.node)
    ):
        return []
    node = expression.node
    if expression.name == "scaled_dot_product_attention":
        written = expression.argument(4, "dropout_p")
        text = (
            f"{expression.source.segment(written)} if self.training else 0.0"
            if written is not None
            else ""
        )
        title = f"`dropout_p={text}`"
        return (
            [Candidate(title, (expression.replaced(written, text),))]
            if written is not None
            else []
        )
    written = expression.argument(2, "training", "train")
    if written is not None:
        text = "self.training"
        edit = expression.replaced(written, text)
    elif (node.args and not node.keywords) or node.keywords:
        last = node.keywords[-1].value if node.keywords else node.args[-1]
        edit = expression.replaced(
            last, f"{expression.source.segment(last)}, training=self.training"
        )
    else:
        return []
    return [Candidate("`training=self.training`", (edit,))]


def has_self(source: Any, node: ast.AST) -> bool:
    """Whether an expression stands in a method."""
    current: ast.AST | None = node
    while current is not None:
        if isinstance(current, ast.FunctionDef):
            return bool(current.args.args) and current.args.args[0].arg == "self"
        current = source.parents.get(current)
    return False
