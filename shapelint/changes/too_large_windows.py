"""Changes to a window that has no room in its input."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.window_values import window_of
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.walked_calls import find_constructor_call

LEAST_COVERING = 3
"""The smallest kernel of a pooling that may be meant to cover a whole map."""


def fit_window(
    walked: Walked, trace: Trace, call: Call, size: int
) -> Iterator[Candidate]:
    """Pool over the whole map, whatever its size, or make the kernel as large as the
    input."""
    is_conv = ops.is_of(call.op, Family.CONVOLUTION)
    if call.is_module:
        made = find_constructor_call(walked, call)
        # nn.Conv2d(in_channels, out_channels, kernel_size), nn.MaxPool2d(kernel_size)
        position = 2 if is_conv else 0
    elif is_conv:
        return  # the kernel of `F.conv2d` is the shape of a weight
    else:
        made, position = call_at(call.site, walked.texts), 1
    if made is None:
        return
    if not is_conv:
        yield from _pool_all(trace, call, made)
    node = made.argument(position, "kernel_size")
    # a window of one value does nothing
    if not isinstance(node, ast.Constant) or size < 2:
        return
    edit = made.replace_node(node, str(size))
    likely = weights.SMALLER_CONVOLUTION if is_conv else weights.SMALLER_POOL
    yield Candidate(
        f"`kernel_size={size}`", (edit,), call.layer, "kernel", likely=likely
    )


def _pool_all(trace: Trace, call: Call, made: CallExpression) -> Iterator[Candidate]:
    """Write `nn.AdaptiveAvgPool2d(1)` for the last pooling, whose kernel was meant to
    cover the map."""
    name = _name_adaptive(made.name)
    if name is None or not _covers_map(trace, call):
        return
    if call.is_module:
        text = f"{made.prefix}{name}(1)"
    else:
        given = made.argument(0, "input")
        if given is None:
            return
        text = f"{made.prefix}{name}({made.source.segment(given)}, 1)"
    yield Candidate(
        f"`{text}`",
        (made.replace_node(made.node, text),),
        call.layer,
        "kernel",
        likely=weights.POOL_ALL,
        says=f"`{made.name}` was meant to cover the map",
    )


def _name_adaptive(name: str) -> str | None:
    """The pooling to a given size that goes with one of a given kernel."""
    for kind in ("AvgPool", "MaxPool"):
        if name.startswith(kind):
            return f"Adaptive{name}"
    for kind in ("avg_pool", "max_pool"):
        if name.startswith(kind):
            return f"adaptive_{name}"
    return None


def _covers_map(trace: Trace, call: Call) -> bool:
    """Whether a pooling is followed by what takes one value for each channel."""
    window = window_of(call)
    if window is None or window["kernel_size"] < LEAST_COVERING:
        return False
    # windows that overlap, or do not cover all, shrink a map
    if window["stride"] != window["kernel_size"]:
        return False
    users = [other for other in trace.calls if call.index in other.producers]
    return any(_takes_vector(other) for other in users)


def _takes_vector(call: Call) -> bool:
    op = ops.of(call.op)
    if call.op in ("squeeze", "getitem") or op.flattens or op.regroups:
        return True
    return op.family is Family.LINEAR
