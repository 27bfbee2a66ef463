"""SHP102."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.layer_numbers import number_candidates, producer_candidates
from shapelint.changes.operands import turned
from shapelint.changes.other_inputs import other_channels
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Walked
from shapelint.syntax.walked_calls import failed_calls, located, made_by

OPS = (
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
)


class ConvChannelMismatch(Rule):
    """
    ## What it does
    Finds convolutions (1d to 3d, transposed, grouped, functional) whose input has
    another number of channels than their weight takes.

    ## Why is this bad?
    The forward raises. Either the layer before was changed and this one was not, or a
    grey image meets a layer made for colour, or a concatenation brings more channels
    than were counted.

    ## Fix
    The `in_channels` that arrive; or the `out_channels` of the layer before; or, at the
    first layer, the input that the model was made for.

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
        for trace, call in failed_calls(walked, *OPS):
            failure = call.failure
            assert failure is not None
            x, weight = failure.arg(0, "input"), failure.arg(1, "weight")
            dims = len(weight.shape) - 2
            if len(x.shape) not in (dims + 1, dims + 2):
                continue
            transposed = "transpose" in failure.op
            groups = (
                failure.arg(6, "groups", 1)
                if transposed or len(failure.args) > 6
                else 1
            ) or 1
            takes = (
                weight.shape[0]
                if transposed
                else weight.shape[1] * failure.kwargs.get("groups", groups)
            )
            found = x.shape[-dims - 1]
            if found == takes:
                continue
            name = call.op if call.is_module else "F." + call.op
            made = made_by(walked, call)
            written = made.argument(0, "in_channels") if made is not None else None
            span = (
                made.span(written) if made is not None and written is not None else None
            )
            diagnostic = replace(
                self.diagnostic(f"`{name}` takes {takes} channels but gets {found}"),
                label=f"{takes} expected, {found} found",
                expected=str(takes),
                found=str(found),
            )
            candidates = []
            if 0 in call.from_input:
                candidates += other_channels(walked, x.shape, takes, dims)
            candidates += _turned(walked, call, takes, dims)
            candidates += number_candidates(
                call, made, (0, "in_channels"), found, (found,), takes
            )
            candidates += producer_candidates(walked, trace, call, takes)
            yield Finding(
                located(diagnostic, walked, trace, call, span),
                trace.mode,
                call.index,
                tuple(candidates),
            )


def _turned(walked: Walked, call: Call, takes: int, dims: int) -> list[Candidate]:
    """Channels that come last brought to the front, as after an embedding."""
    fits = turned(
        walked,
        call,
        lambda shapes: len(shapes[0]) == dims + 2 and shapes[0][1] == takes,
    )
    unlikely = (
        ".flatten",
        "squeeze",
        *([".transpose(0"] if dims > 1 else []),
    )  # of images nobody turns the batch
    moved = [each for each in fits if not any(word in each.title for word in unlikely)]
    return [replace(each, likely=3.0, says="channels come second") for each in moved]
