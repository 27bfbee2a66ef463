"""SHP901."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Assumption, Walked
from shapelint.facts.kinds import Mode, NoPlace
from shapelint.syntax.spans import span_of


class ValueAssumed(Rule):
    """
    ## What it does
    Names each place where the model asks a tensor for its value (`if x.mean() > 0`,
    `.item()`), and the answer that the walk went on with.

    ## Why is this bad?
    It is not: but the walk saw one branch only. With other data the model takes
    another, which was not checked.

    ## Fix
    Nothing to mend. Feed other inputs with `--input-factory` to have the other branch
    walked."""

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
        asked: dict[tuple[str, str], list[tuple[Mode, Assumption]]] = {}
        for trace in walked.traces.values():
            for assumption in trace.assumptions:
                place = (
                    str(assumption.site)
                    if assumption.site is not None
                    else assumption.layer
                )
                asked.setdefault((place, assumption.what), []).append(
                    (trace.mode, assumption)
                )
        for group in asked.values():
            for mode in dict.fromkeys(mode for mode, _ in group):
                yield Finding(
                    self._named(walked, [assumption for _, assumption in group]), mode
                )

    def _named(self, walked: Walked, assumptions: list[Assumption]) -> Diagnostic:
        """One place, with every answer that was given there."""
        first = assumptions[0]
        how = (
            "taken to be"
            if any(each.stand_in or each.forced for each in assumptions)
            else "was"
        )
        answers = list(dict.fromkeys(each.answer for each in assumptions))
        shown = (
            " and ".join(answers)
            if len(answers) < 4
            else f"{', '.join(answers[:3])} and so on"
        )
        diagnostic = self.diagnostic(
            f"the walk hangs on {first.what}, which {how} {shown}"
        )
        span = span_of(first.site, walked.texts) if first.site is not None else None
        whole = replace(diagnostic, layer=first.layer)
        return whole.at(span, otherwise=NoPlace.NO_SOURCE)
