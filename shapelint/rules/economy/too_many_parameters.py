"""SHP304."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.kinds import NoPlace
from shapelint.facts.walked_target import Walked

# Layers named that hold most of the parameters
NAMED = 3


class TooManyParameters(Rule):
    """
    ## What it does
    Compares the model's number of parameters with `max-params`, if that is set. Tied
    parameters count once.

    ## Why is this bad?
    The model no longer fits the device, the download or the budget that the limit
    stands for.

    ## Fix
    Use smaller layers (the finding names those with the most parameters), or raise
    `max-params`.
    """

    code = "SHP304"
    name = "too-many-parameters"
    severity = Severity.WARNING

    def check(self, walked: Walked) -> Iterator[Finding]:
        limit = int(walked.thresholds["max-params"])
        total = walked.total_params
        if not limit or total <= limit:
            return
        layers: Counter[str] = Counter()
        for path, param in walked.params.items():
            layer, _, _ = path.rpartition(".")
            layers[layer or "the model itself"] += param.numel
        notes = tuple(
            f"{name}: {count:,} ({100 * count / total:.1f} %)"
            for name, count in layers.most_common(NAMED)
        )
        message = f"the model has {total:,} parameters but `max-params` is {limit:,}"
        draft = self.mismatch(message, str(limit), str(total))
        draft = replace(draft, label="", notes=notes)
        yield Finding(draft.at(None, otherwise=NoPlace.TARGET))
