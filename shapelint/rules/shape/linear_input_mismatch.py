"""SHP101."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.heads import (
    flatten_and_number,
    flattened,
    head_candidates,
    missing_flatten,
)
from shapelint.changes.layer_inputs import layer_input_forms
from shapelint.changes.layer_numbers import number_candidates
from shapelint.changes.other_inputs import input_candidates, unbatched_note
from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.syntax.walked_calls import failed_calls, located, made_by, shape_text


class LinearInputMismatch(Rule):
    """
    ## What it does
    Finds `nn.Linear`, `nn.Bilinear` and `F.linear` that are fed another last dimension
    than their weight takes.

    ## Why is this bad?
    The forward raises. Mostly the number was worked out for another image size, clip
    length or backbone: the features before it are `channels * height * width` of the
    map that is flattened.

    ## Fix
    The number that fits this input; or an adaptive pooling before the flatten, which
    makes the head independent of the input's size (and keeps trained weights where it
    restores the old map).

    ## References
    - torch.nn.Linear: input `(*, in_features)`, output `(*, out_features)`
    """

    code = "SHP101"
    name = "linear-input-mismatch"
    severity = Severity.ERROR
    supersedes = ("SHP119",)
    follows = ("SHP111",)
    bad = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 16 * 16, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.fc(torch.flatten(x, 1))
""",
        ("1,3,32,32",),
        raises="RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x8192 and 2048x10)",
    )
    good = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 32 * 32, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.fc(torch.flatten(x, 1))
""",
        ("1,3,32,32",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked, "linear", "bilinear"):
            failure = call.failure
            assert failure is not None
            operands = failure.tensors
            weight = next(
                (
                    fact
                    for fact in operands
                    if len(fact.shape) >= 2 and fact is not operands[0]
                ),
                None,
            )
            if weight is None or not operands[0].shape:
                continue
            pairs = [(operands[0], weight.shape[1], 0, "in_features")]
            if failure.op == "bilinear":
                weight = failure.arg(2, "weight")
                pairs = [
                    (operands[0], weight.shape[1], 0, "in1_features"),
                    (operands[1], weight.shape[2], 1, "in2_features"),
                ]
            for fact, takes, position, argument in pairs:
                if fact.shape[-1] != takes:
                    yield self._finding(
                        walked, trace, call, fact.shape[-1], takes, position, argument
                    )

    def _finding(
        self,
        walked: Walked,
        trace: Trace,
        call: Call,
        found: int,
        takes: int,
        position: int,
        argument: str,
    ) -> Finding:
        name = call.op if call.is_module else "F." + call.op
        made = made_by(walked, call)
        written = made.argument(position, argument) if made is not None else None
        span = made.span(written) if made is not None and written is not None else None
        diagnostic = self.diagnostic(
            f"`{name}` takes {takes} features but gets {found}"
        )
        diagnostic = replace(
            diagnostic,
            label=f"{takes} expected, {found} found",
            expected=str(takes),
            found=str(found),
        )
        diagnostic = replace(
            located(diagnostic, walked, trace, call, span), notes=unbatched_note(trace)
        )
        flatten = flattened(trace, call)
        if flatten is not None:
            before = flatten.inputs[0].shape
            diagnostic = replace(
                diagnostic,
                notes=(
                    *diagnostic.notes,
                    f"{found} = {' * '.join(map(str, before[1:]))}, the {shape_text(before)} that is flattened",
                ),
            )
        candidates = [
            *input_candidates(walked, trace),
            *missing_flatten(walked, call, takes),
        ]
        candidates += layer_input_forms(walked, call, takes)
        sizes = flatten.inputs[0].shape[1:] if flatten is not None else (found,)
        both = (
            flatten_and_number(walked, trace, call, made, takes)
            if argument == "in_features"
            else []
        )
        numbers = number_candidates(
            call, made, (position, argument), found, sizes, takes
        )
        candidates += (
            both or numbers
        )  # a number alone would have the layer run over the width of a map
        if argument == "in_features":
            candidates += head_candidates(walked, trace, call, made, takes)
        return Finding(diagnostic, trace.mode, call.index, tuple(candidates))
