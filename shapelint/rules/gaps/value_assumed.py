"""SHP901."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.diagnostics import Severity
from shapelint.graph import Walked
from shapelint.rules import Example, Finding, Rule
from shapelint.syntax.places import span_of


class ValueAssumed(Rule):
    """
    ## What it does
    Names each place where the model asks a tensor for its value (`if x.mean() > 0`, `.item()`), and the
    answer that the walk went on with.

    ## Why is this bad?
    It is not: but the walk saw one branch only. With other data the model takes another, which was not
    checked.

    ## Fix
    Nothing to mend. Feed other inputs with `--input-factory` to have the other branch walked.
    """

    code = "SHP901"
    name = "value-assumed"
    severity = Severity.INFO
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        if x.mean() > 0:
            return x
        return -x
""",
        ("1,16",),
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        if x.shape[0] > 0:
            return x
        return -x
""",
        ("1,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace in walked.traces.values():
            for assumption in trace.assumptions:
                how = "taken to be" if assumption.stand_in or assumption.forced else "was"
                text = f"the walk hangs on {assumption.what}, which {how} {assumption.answer}"
                diagnostic = self.diagnostic(text)
                span = span_of(assumption.site) if assumption.site is not None else None
                diagnostic = replace(diagnostic, layer=assumption.layer, span=span)
                yield Finding(diagnostic, trace.mode)
