"""SHP901."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Assumption
from shapelint.facts.kinds import Mode, NoPlace
from shapelint.facts.walked_target import Walked
from shapelint.syntax.spans import span_of

# Answers named in the message; a loop may ask for many
SHOWN = 3


class ValueAssumed(Rule):
    """
    ## What it does
    Reports each place where the model asks a tensor for its value (`if x.mean() > 0`,
    `.item()`), and the answer that the walk continued with.

    ## Why is this bad?
    This is not a bug; only one branch was checked. With other data the model may take
    the other one.

    ## Fix
    Nothing needs to change. To check the other branch, pass other inputs with
    `--input-factory`.
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
        asked: dict[tuple[str, str], list[tuple[Mode, Assumption]]] = {}
        for trace in walked.traces.values():
            for assumption in trace.assumptions:
                site = assumption.site
                # a question without a line of the user's is known by its layer
                place = str(site) if site is not None else assumption.layer
                same = asked.setdefault((place, assumption.what), [])
                same.append((trace.mode, assumption))
        for group in asked.values():
            diagnostic = self._name_answers(walked, [each for _, each in group])
            for mode in dict.fromkeys(mode for mode, _ in group):
                yield Finding(diagnostic, mode)

    def _name_answers(
        self, walked: Walked, assumptions: list[Assumption]
    ) -> Diagnostic:
        """Build one finding for a place, with every answer that was given there."""
        first = assumptions[0]
        is_assumed = any(each.stand_in or each.forced for each in assumptions)
        how = "was assumed to be" if is_assumed else "was"
        answers = list(dict.fromkeys(each.answer for each in assumptions))
        shown = " and ".join(answers)
        if len(answers) > SHOWN:
            shown = f"{', '.join(answers[:SHOWN])} and so on"
        draft = self.diagnostic(
            f"the walk depends on {first.what}, which {how} {shown}"
        )
        site = first.site
        span = span_of(site, walked.texts) if site is not None else None
        draft = replace(draft, layer=first.layer)
        return draft.at(span, otherwise=NoPlace.NO_SOURCE)
