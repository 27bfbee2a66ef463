"""SHP102."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes.layer_numbers import number_candidates, producer_candidates
from shapelint.changes.operands import turned
from shapelint.changes.other_inputs import other_channels
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Shape, TensorFact, Trace, Walked
from shapelint.ops.families.convolution import channels_taken
from shapelint.ops.record import Family
from shapelint.syntax.walked_calls import (
    count_noun,
    failed_calls,
    finding_at_layer,
    made_by,
    name_layer,
    span_of_argument,
)

TURNED = 3.0
"""How likely channels are in the wrong place: after an embedding they always are."""


class ConvChannelMismatch(Rule):
    """
    ## What it does
    Finds convolutions (1d to 3d, transposed, grouped, functional) whose input does not
    have as many channels as the weight requires.

    ## Why is this bad?
    The forward raises. Usually the layer before was changed and this one was not, a
    grey image reaches a layer made for colour, or a concatenation gives more channels
    than expected.

    ## Fix
    Set `in_channels` to the number of channels that arrive, or change `out_channels` of
    the layer before. At the first layer, pass the input that the model was made for.

    ## References
    - torch.nn.Conv2d: weight `(out_channels, in_channels / groups, kH, kW)`
    """

    code = "SHP102"
    name = "conv-channel-mismatch"
    supersedes = ("SHP119",)
    constructors = ("Conv",)
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3)
        self.body = nn.Conv2d(32, 64, 3)

    def forward(self, x):
        return self.body(self.stem(x))
""",
        ("1,3,32,32",),
        raises="RuntimeError: Given groups=1, weight of size [64, 32, 3, 3], expected input[1, 16, 30, "
        "30] to have 32 channels, but got 16 channels instead",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3)
        self.body = nn.Conv2d(16, 64, 3)

    def forward(self, x):
        return self.body(self.stem(x))
""",
        ("1,3,32,32",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in failed_calls(
            walked, *ops.in_family(Family.CONVOLUTION)
        ):
            x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
            dims = len(weight.shape) - 2
            is_batched_or_single = len(x.shape) in (dims + 1, dims + 2)
            if not is_batched_or_single:
                continue
            found, takes = x.shape[-dims - 1], channels_taken(failure)
            if found != takes:
                yield self._finding(walked, trace, call, takes, found)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, takes: int, found: int
    ) -> Finding:
        made = made_by(walked, call)
        wanted = count_noun(takes, "channel")
        draft = self.mismatch(
            f"{name_layer(call)} takes {wanted} but gets {found}",
            str(takes),
            str(found),
        )
        argument = (0, "in_channels")
        candidates = [
            *_other_input(walked, call, takes),
            *_turn_channels(walked, call, takes),
            *number_candidates(call, made, argument, found, (found,), takes),
            *producer_candidates(walked, trace, call, takes),
        ]
        span = span_of_argument(made, *argument)
        return finding_at_layer(walked, trace, call, draft, candidates, span)


def _spatial_dims(call: Call) -> int:
    assert call.failure is not None
    weight: TensorFact = call.failure.arg(1, "weight")
    return len(weight.shape) - 2


def _other_input(walked: Walked, call: Call, takes: int) -> list[Candidate]:
    """At the first layer, the input may be wrong: grey for colour."""
    assert call.failure is not None
    if 0 not in call.from_input:
        return []
    x: TensorFact = call.failure.arg(0, "input")
    return other_channels(walked, x.shape, takes, _spatial_dims(call))


def _turn_channels(walked: Walked, call: Call, takes: int) -> list[Candidate]:
    """Channels that come last brought to the front, as after an embedding."""
    dims = _spatial_dims(call)

    def fits(shapes: list[Shape]) -> bool:
        return len(shapes[0]) == dims + 2 and shapes[0][1] == takes

    # of images nobody exchanges the batch with the channels, of sequences they do
    unlikely = [".flatten", "squeeze"] + ([".transpose(0"] if dims > 1 else [])
    return [
        replace(each, likely=TURNED, says="channels belong in dimension 1")
        for each in turned(walked, call, fits)
        if not any(word in each.title for word in unlikely)
    ]
