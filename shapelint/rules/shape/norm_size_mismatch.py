"""SHP103."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.layer_numbers import number_candidates, producer_candidates
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Trace
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.walked_calls import (
    count_noun,
    find_constructor_call,
    find_failed_calls,
    finding_at_layer,
    name_layer,
    shape_text,
    span_of_argument,
)


@dataclass(frozen=True)
class _Mismatch:
    """What a norm requires and what it gets.

    `value` is the right value of the constructor's `argument` (position and name).
    `width` is the size that the layer before it should give instead."""

    message: str
    takes: str
    found: str
    argument: tuple[int, str]
    value: int | str
    width: int | None


class NormSizeMismatch(Rule):
    """
    ## What it does
    Finds BatchNorm, InstanceNorm, GroupNorm, LayerNorm and RMSNorm whose size does not
    match the channels or features of the input, and groups that do not divide the
    channels.

    ## Why is this bad?
    The forward raises. A norm repeats the `out_channels` or the width of the layer
    before, and only one of the two was changed.

    ## Fix
    Set the norm to the size that arrives, or change the width of the layer before.
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
        for trace, call, failure in find_failed_calls(
            walked, *ops.in_family(Family.NORMALISATION)
        ):
            mismatch = _find_mismatch(failure)
            if mismatch is not None:
                yield self._finding(walked, trace, call, mismatch)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, mismatch: _Mismatch
    ) -> Finding:
        draft = self.mismatch(
            f"{name_layer(call)} {mismatch.message}", mismatch.takes, mismatch.found
        )
        made = find_constructor_call(walked, call)
        value, width = mismatch.value, mismatch.width
        sizes = (value,) if isinstance(value, int) else ()
        candidates = number_candidates(
            call, made, mismatch.argument, value, sizes, width
        )
        candidates += _norm_channels(call, made, mismatch)
        if width is not None:
            candidates += producer_candidates(walked, trace, call, width)
        span = span_of_argument(made, *mismatch.argument)
        return finding_at_layer(walked, trace, call, draft, candidates, span)


def _find_mismatch(failure: Failure) -> _Mismatch | None:
    x = failure.arg(0, "input")
    if "normalized_shape" in ops.of(failure.op).takes:
        normalized = tuple(failure.arg(1, "normalized_shape") or ())
        return _compare_features(x.shape, normalized)
    if len(x.shape) < 2:
        return None
    # every other norm has its channels in dimension 1 (torch.nn.BatchNorm2d, "Shape")
    channels = x.shape[1]
    if failure.op == "group_norm":
        return _compare_groups(failure, channels)
    # without `affine` there is no weight, without statistics no mean
    weight = failure.arg(3, "weight") or failure.arg(1, "running_mean")
    return _compare_channels(weight, channels, (0, "num_features"))


def _compare_features(shape: Shape, normalized: Shape) -> _Mismatch | None:
    """LayerNorm and RMSNorm: the last dimensions must equal `normalized_shape`."""
    if not normalized:
        return None
    tail = shape[-len(normalized) :]
    if tail == normalized:
        return None
    takes, found = shape_text(normalized), shape_text(tail)
    return _Mismatch(
        f"normalises over {takes} but the input ends in {found}",
        takes,
        found,
        (0, "normalized_shape"),
        tail[0] if len(tail) == 1 else str(tail),
        normalized[0] if len(normalized) == 1 else None,
    )


def _compare_groups(failure: Failure, channels: int) -> _Mismatch | None:
    groups, weight = failure.arg(1, "num_groups"), failure.arg(2, "weight")
    takes = weight.shape[0] if weight is not None else channels
    # the size is compared first, as torch does: groups of wrong channels mean nothing
    if takes != channels:
        return _compare_channels(weight, channels, (1, "num_channels"))
    if groups <= 0 or channels % groups == 0:
        return None
    return _Mismatch(
        f"cannot split {count_noun(channels, 'channel')} into {groups} groups",
        f"a multiple of {groups}",
        str(channels),
        (0, "num_groups"),
        _find_divisor(channels, groups),
        None,
    )


def _compare_channels(
    weight: TensorFact | None, channels: int, argument: tuple[int, str]
) -> _Mismatch | None:
    takes = weight.shape[0] if weight is not None else channels
    if takes == channels:
        return None
    message = f"takes {count_noun(takes, 'channel')} but gets {channels}"
    return _Mismatch(message, str(takes), str(channels), argument, channels, takes)


def _norm_channels(
    call: Call, made: CallExpression | None, mismatch: _Mismatch
) -> list[Candidate]:
    """Write `GroupNorm(1, channels)` for a `LayerNorm(channels)` that receives a
    feature map. The weights are the same."""
    if made is None or made.name != "LayerNorm":
        return []
    arguments = made.node.args
    has_size_alone = len(arguments) == 1 and not made.node.keywords
    shape = call.inputs[0].shape if call.inputs else ()
    if not has_size_alone or len(shape) != 4 or shape[1] != mismatch.width:
        return []
    text = f"{made.prefix}GroupNorm(1, {made.source.segment(arguments[0])})"
    edits = (made.replace_node(made.node, text),)
    says = "the channels are in dimension 1 here"
    return [
        Candidate(
            f"`{text}`", edits, call.layer, likely=weights.NORM_OVER_CHANNELS, says=says
        )
    ]


def _find_divisor(channels: int, limit: int) -> int:
    """The largest divisor of the channels up to `limit`."""
    sizes = range(min(limit, channels), 0, -1)
    return next(size for size in sizes if channels % size == 0)
