"""SHP304."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import Walked
from shapelint.facts.kinds import NoPlace

NAMED = 3
"""Layers named that hold most of the parameters."""


class TooManyParameters(Rule):
    """
    ## What it does
    Holds the number of a model's parameters against `max-params`, where that is set.
    Tied ones count once.

    ## Why is this bad?
    What was to fit a device, a download or a budget no longer does.

    ## Fix
    Smaller layers; those that hold most are named. Or another `max-params`.
    """

    code = "SHP304"
    name = "too-many-parameters"
    severity = Severity.WARNING

    def check(self, walked: Walked) -> Iterator[Finding]:
        limit, total = int(walked.thresholds["max-params"]), walked.total_params
        if not limit or total <= limit:
            return
        layers: Counter[str] = Counter()
        for path, param in walked.params.items():
            layers[path.rpartition(".")[0] or "the model itself"] += param.numel
        notes = tuple(
            f"{name}: {count:,} ({100 * count / total:.1f} %)"
            for name, count in layers.most_common(NAMED)
        )
        diagnostic = self.diagnostic(f"{total:,} parameters, {limit:,} are allowed")
        whole = replace(diagnostic, expected=str(limit), found=str(total), notes=notes)
        yield Finding(whole.at(None, otherwise=NoPlace.TARGET))
