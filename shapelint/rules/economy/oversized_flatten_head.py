"""SHP301."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.heads import find_flatten, head_candidates
from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.kinds import Mode
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.syntax.walked_calls import (
    find_constructor_call,
    locate,
    product_text,
    shape_text,
    span_of_argument,
)


class OversizedFlattenHead(Rule):
    """
    ## What it does
    Finds a `Linear` that follows the flatten of a feature map and holds most of the
    model's parameters.

    ## Why is this bad?
    Every pixel of the map gets its own weights: the head is large, overfits, and takes
    only one input size. Networks since 2015 pool the map first; the head then needs
    `channels` inputs, not `channels * height * width`.

    ## When
    The head is reported if it holds at least `head-share` of the model's parameters
    (default 0.5: the head then outweighs everything else). It is a `warning` from
    `head-params` parameters on (default 10,000,000: 40 MB, nearly as much as the body
    of a ResNet-18). Below that it is an `info`: on a small model such a head may be a
    choice.

    ## Fix
    Use `AdaptiveAvgPool2d(1)`, or a size in between if it matters where in the image
    things are.

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
        # one walk is enough: parameters are the same in every mode
        trace = walked.traces.get(Mode.EVAL) or next(iter(walked.traces.values()))
        total = walked.total_params
        least = total * walked.thresholds["head-share"]
        for call in trace.calls:
            if call.op.lower() != "linear" or call.failure is not None or not total:
                continue
            flatten = find_flatten(trace, call)
            params = walked.params_of(call)
            if flatten is None or params < least:
                continue
            # a map of one pixel has been pooled already
            pixels = math.prod(flatten.inputs[0].shape[2:])
            if pixels > 1:
                yield self._finding(walked, trace, call, flatten, params)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, flatten: Call, params: int
    ) -> Finding:
        total = walked.total_params
        share = f"{params:,} of {total:,} parameters ({params / total:.0%})"
        shape = flatten.inputs[0].shape
        sizes, inputs = shape[1:], math.prod(shape[1:])
        is_large = params >= walked.thresholds["head-params"]
        name = "Linear" if call.is_module else "F.linear"
        draft = replace(
            self.diagnostic(
                f"`{name}` after a flatten holds {share}",
                Severity.WARNING if is_large else Severity.INFO,
            ),
            label=f"{product_text(sizes)} = {inputs:,} inputs",
            found=str(params),
            notes=(f"the flattened feature map is {shape_text(shape)}",),
        )
        made = find_constructor_call(walked, call)
        sides = _choose_pooled_sides(shape[2:])
        candidates = head_candidates(walked, trace, call, made, inputs, sides)
        span = span_of_argument(made, 0, "in_features")
        placed = locate(draft, walked, trace, call, span)
        return Finding(placed, candidates=tuple(candidates))


def _choose_pooled_sides(spatial: Shape) -> tuple[int, ...]:
    """The sides to pool to: 1, and the geometric mean of 1 and the map's shorter
    side."""
    middle = round(math.sqrt(min(spatial)))
    return (1, middle) if middle > 1 else (1,)
