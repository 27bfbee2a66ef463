"""SHP301."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.heads import flattened, head_candidates
from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.facts.kinds import Mode
from shapelint.syntax.walked_calls import located, made_by, shape_text


class OversizedFlattenHead(Rule):
    """
    ## What it does
    Finds a `Linear` after a flatten of a feature map that holds most of the model's
    parameters.

    ## Why is this bad?
    Every pixel of the map gets its own weights: the head is large, overfits, and takes
    one input size only. Networks since 2015 pool the map first; the head then needs
    `channels`, not `channels * height * width` inputs.

    ## When
    From `head-share` of the model's parameters (default 0.5: the head then outweighs
    all the rest). It is a `warning` from `head-params` parameters (default 10,000,000:
    40 MB, more than a whole ResNet-18's body would be missed for), below that an
    `info`: on a small model such a head is a choice.

    ## Fix
    `AdaptiveAvgPool2d(1)`, or a middle size where the position of things matters.

    ## References
    - Lin, Chen, Yan: Network in Network (2013), global average pooling
    """

    code = "SHP301"
    name = "oversized-flatten-head"
    severity = Severity.WARNING
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 3, padding=1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64 * 32 * 32, 256)

    def forward(self, x):
        return self.fc(self.flatten(self.conv(x)))
""",
        ("1,3,32,32",),
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64, 256)

    def forward(self, x):
        return self.fc(self.flatten(self.pool(self.conv(x))))
""",
        ("1,3,32,32",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        trace = walked.traces.get(Mode.EVAL) or next(iter(walked.traces.values()))
        total = walked.total_params
        for call in trace.calls:
            if call.op.lower() != "linear" or call.failure is not None or not total:
                continue
            params = walked.params_of(call)
            flatten = flattened(trace, call)
            if flatten is None or params / total < walked.thresholds["head-share"]:
                continue
            if math.prod(flatten.inputs[0].shape[2:]) > 1:
                yield self._finding(walked, trace, call, flatten, params)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, flatten: Call, params: int
    ) -> Finding:
        share = params / walked.total_params
        shape = flatten.inputs[0].shape
        large = params >= walked.thresholds["head-params"]
        made = made_by(walked, call)
        written = made.argument(0, "in_features") if made is not None else None
        span = made.span(written) if made is not None and written is not None else None
        name = "Linear" if call.is_module else "F.linear"
        diagnostic = self.diagnostic(
            f"`{name}` after a flatten holds {params:,} of {walked.total_params:,} parameters ({share:.0%})",
            Severity.WARNING if large else Severity.INFO,
        )
        diagnostic = replace(
            diagnostic,
            label=f"{math.prod(shape[1:]):,} inputs: {' * '.join(map(str, shape[1:]))}",
            found=str(params),
            notes=(f"the feature map that is flattened is {shape_text(shape)}",),
        )
        candidates = head_candidates(
            walked, trace, call, made, math.prod(shape[1:]), _sides(shape[2:])
        )
        return Finding(
            located(diagnostic, walked, trace, call, span), candidates=tuple(candidates)
        )


def _sides(spatial: tuple[int, ...]) -> tuple[int, ...]:
    """Pooling to 1, and to the geometric middle between 1 and the map's side."""
    middle = round(math.sqrt(min(spatial)))
    return (1, middle) if middle > 1 else (1,)
