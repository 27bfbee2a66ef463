"""SHP102."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.layer_numbers import number_candidates, producer_candidates
from shapelint.changes.operands import FormKind, rewrite_operands
from shapelint.changes.other_inputs import other_channels
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.families.convolution import channels_taken
from shapelint.ops.record import Family
from shapelint.syntax.walked_calls import (
    count_noun,
    find_constructor_call,
    find_failed_calls,
    finding_at_layer,
    name_layer,
    span_of_argument,
)


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
        raises="RuntimeError: Given groups=1, weight of size [64, 32, 3, 3], expected "
        "input[1, 16, 30, "
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
        convolutions = ops.in_family(Family.CONVOLUTION)
        for trace, call, failure in find_failed_calls(walked, *convolutions):
            shape = failure.arg(0, "input").shape
            dims = len(failure.arg(1, "weight").shape) - 2
            # any other rank is another rule's matter
            is_batched_or_single = len(shape) in (dims + 1, dims + 2)
            if not is_batched_or_single:
                continue
            takes = channels_taken(failure)
            if shape[-dims - 1] != takes:
                yield self._finding(walked, trace, call, shape, dims, takes)

    def _finding(
        self,
        walked: Walked,
        trace: Trace,
        call: Call,
        shape: Shape,
        dims: int,
        takes: int,
    ) -> Finding:
        found = shape[-dims - 1]
        wanted = count_noun(takes, "channel")
        message = f"{name_layer(call)} takes {wanted} but gets {found}"
        draft = self.mismatch(message, str(takes), str(found))
        # at the first layer, the input may be wrong: grey for colour
        is_first = 0 in call.from_input
        inputs = other_channels(walked, shape, takes, dims) if is_first else []
        made = find_constructor_call(walked, call)
        argument = (0, "in_channels")
        candidates = [
            *inputs,
            *_turn_channels(walked, call, takes, dims),
            *number_candidates(call, made, argument, found, (found,), takes),
            *producer_candidates(walked, trace, call, takes),
        ]
        span = span_of_argument(made, *argument)
        return finding_at_layer(walked, trace, call, draft, candidates, span)


def _turn_channels(
    walked: Walked, call: Call, takes: int, dims: int
) -> list[Candidate]:
    """Move channels that come last to the front, as after an embedding."""

    def fits(shapes: list[Shape]) -> bool:
        return len(shapes[0]) == dims + 2 and shapes[0][1] == takes

    without = {FormKind.FLATTEN, FormKind.FLATTEN_POSITIONS, FormKind.ONE}
    if dims > 1:
        # of images nobody exchanges the batch with the channels, of sequences they do
        without.add(FormKind.TURN_BATCH)
    return [
        replace(
            each, likely=weights.CHANNELS_TURNED, says="channels belong in dimension 1"
        )
        for each in rewrite_operands(walked, call, fits, frozenset(without))
    ]
