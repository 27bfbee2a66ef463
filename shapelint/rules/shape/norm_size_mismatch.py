"""SHP103."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint import ops
from shapelint.changes.layer_numbers import number_candidates, producer_candidates
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Trace, Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.walked_calls import failed_calls, located, made_by, shape_text


@dataclass(frozen=True)
class _Mismatch:
    """What a norm takes and gets, and the argument that says so."""

    message: str
    takes: str
    found: str
    position: int
    argument: str
    value: int | str
    wanted_channels: int | None


class NormSizeMismatch(Rule):
    """
    ## What it does
    Finds BatchNorm, InstanceNorm, GroupNorm, LayerNorm and RMSNorm made for another
    number of channels or features than they are fed, and groups that do not divide the
    channels.

    ## Why is this bad?
    The forward raises. The norm's number repeats the `out_channels` or the width of the
    layer before, and one of the two was changed.

    ## Fix
    The number that arrives, or the width of the layer before.
    """

    code = "SHP103"
    name = "norm-size-mismatch"
    supersedes = ("SHP119",)
    constructors = ("GroupNorm",)
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.norm = nn.BatchNorm2d(32)

    def forward(self, x):
        return self.norm(self.conv(x))
""",
        ("2,3,32,32",),
        raises="RuntimeError: running_mean should contain 16 elements not 32",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.norm = nn.BatchNorm2d(16)

    def forward(self, x):
        return self.norm(self.conv(x))
""",
        ("2,3,32,32",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked, *ops.in_family(Family.NORMALISATION)):
            assert call.failure is not None
            mismatch = _mismatch(
                call.failure, call.op if call.is_module else "F." + call.op
            )
            if mismatch is not None:
                yield self._finding(walked, trace, call, mismatch)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, mismatch: _Mismatch
    ) -> Finding:
        made = made_by(walked, call)
        written = (
            made.argument(mismatch.position, mismatch.argument)
            if made is not None
            else None
        )
        span = made.span(written) if made is not None and written is not None else None
        diagnostic = replace(
            self.diagnostic(mismatch.message),
            label=f"{mismatch.takes} expected, {mismatch.found} found",
            expected=mismatch.takes,
            found=mismatch.found,
        )
        sizes = (mismatch.value,) if isinstance(mismatch.value, int) else ()
        candidates: list[Candidate] = number_candidates(
            call,
            made,
            (mismatch.position, mismatch.argument),
            mismatch.value,
            sizes,
            mismatch.wanted_channels,
        )
        if (
            made is not None
            and made.name == "LayerNorm"
            and len(made.node.args) == 1
            and not made.node.keywords
        ):
            candidates += _over_channels(call, made, mismatch)
        if mismatch.wanted_channels is not None:
            candidates += producer_candidates(
                walked, trace, call, mismatch.wanted_channels
            )
        return Finding(
            located(diagnostic, walked, trace, call, span),
            trace.mode,
            call.index,
            tuple(candidates),
        )


def _mismatch(failure: Failure, name: str) -> _Mismatch | None:
    x = failure.arg(0, "input")
    if "normalized_shape" in ops.of(failure.op).takes:
        normalized: tuple[int, ...] = tuple(failure.arg(1, "normalized_shape") or ())
        shape: tuple[int, ...] = x.shape
        tail = shape[-len(normalized) :] if normalized else shape
        if not normalized or tail == normalized:
            return None
        value: int | str = tail[0] if len(tail) == 1 else str(tail)
        message = f"`{name}` normalises over {shape_text(normalized)} but the input ends in {shape_text(tail)}"
        wanted = normalized[0] if len(normalized) == 1 else None
        return _Mismatch(
            message,
            shape_text(normalized),
            shape_text(tail),
            0,
            "normalized_shape",
            value,
            wanted,
        )
    if len(x.shape) < 2:
        return None
    channels = x.shape[1]
    if failure.op == "group_norm":
        groups, weight = failure.arg(1, "num_groups"), failure.arg(2, "weight")
        takes = weight.shape[0] if weight is not None else channels
        if takes == channels and groups > 0 and channels % groups:
            message = f"`{name}` cannot split {channels} channels into {groups} groups"
            return _Mismatch(
                message,
                f"a multiple of {groups}",
                str(channels),
                0,
                "num_groups",
                _divisor(channels, groups),
                None,
            )
        position, argument = 1, "num_channels"
    else:
        weight = failure.arg(3, "weight") or failure.arg(1, "running_mean")
        takes = weight.shape[0] if weight is not None else channels
        position, argument = 0, "num_features"
    if takes == channels:
        return None
    message = f"`{name}` takes {takes} channels but gets {channels}"
    return _Mismatch(
        message, str(takes), str(channels), position, argument, channels, takes
    )


def _over_channels(
    call: Call, made: CallExpression, mismatch: _Mismatch
) -> list[Candidate]:
    """`GroupNorm(1, channels)`, whose weights are the same, for a `LayerNorm(channels)`
    fed with a feature map."""
    shape = call.inputs[0].shape if call.inputs else ()
    if len(shape) != 4 or shape[1] != mismatch.wanted_channels:
        return []
    text = f"{made.prefix}GroupNorm(1, {made.source.segment(made.node.args[0])})"
    edit = made.replaced(made.node, text)
    return [
        Candidate(
            f"`{text}`",
            (edit,),
            call.layer,
            likely=3.2,
            says="channels come second here",
        )
    ]


def _divisor(channels: int, near: int) -> int:
    """The largest divisor of the channels that is not above `near`."""
    return next(
        size for size in range(min(near, channels), 0, -1) if channels % size == 0
    )
