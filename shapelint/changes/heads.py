"""Adaptive pooling before a flatten, which makes a head independent of the input's
size."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.torch_prefixes import functional_prefix, nn_prefix
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.edits import replacement

_SHORT = 40
"""Calls of up to this many characters are shown as written."""


def find_flatten(trace: Trace, call: Call) -> Call | None:
    """The flatten of a feature map (N, C, ...) whose result reaches a call unchanged in
    shape."""
    current = trace.producer(call)
    while current is not None:
        has_run = current.failure is None and current.output is not None
        if ops.of(current.op).flattens and has_run and current.inputs:
            return current if _flattens_map(current) else None
        if not ops.keeps_shape(current.op):
            return None
        current = trace.producer(current)
    return None


def _flattens_map(call: Call) -> bool:
    """Whether a call joins all dimensions except the batch."""
    before = call.inputs[0].shape
    after = call.output.shape if call.output is not None else ()
    if len(before) < 3 or len(after) != 2:
        return False
    return after[-1] == math.prod(before[1:])


def head_candidates(
    walked: Walked,
    trace: Trace,
    call: Call,
    made: CallExpression | None,
    takes: int,
    sizes: tuple[int, ...] | None = None,
) -> list[Candidate]:
    """Two changes: pool to the map for which the head was made, which keeps the
    weights, or pool to 1 with a new `in_features`.

    `sizes`: side lengths to try instead, each with a new `in_features`."""
    flatten = find_flatten(trace, call)
    if flatten is None:
        return []
    if len(flatten.inputs[0].shape) - 2 not in (1, 2, 3):
        return []
    found: list[Candidate] = []
    if sizes is None:
        found += _pool_to_old_size(walked, flatten, call, takes)
    if made is not None:
        for size in sizes or (1,):
            found += _pool_and_number(walked, flatten, call, made, size)
    return found


def _pool_to_old_size(
    walked: Walked, flatten: Call, call: Call, takes: int
) -> list[Candidate]:
    """Pool to the map for which a layer was made."""
    shape = flatten.inputs[0].shape
    channels, dims = shape[1], len(shape) - 2
    side = _find_old_side(takes, channels, dims)
    if side is None or side <= 1:
        return []
    pooling = _pool_before(walked, flatten, dims, _square(side, dims))
    if pooling is None:
        return []
    title = f"`{pooling.layer}` before {pooling.place}"
    return [Candidate(title, (pooling.edit,), call.layer, "old size")]


def _pool_and_number(
    walked: Walked, flatten: Call, call: Call, made: CallExpression, size: int
) -> list[Candidate]:
    """Pool to a map of this side length, and set `in_features` to its features."""
    shape = flatten.inputs[0].shape
    channels, dims = shape[1], len(shape) - 2
    written = made.argument(0, "in_features")
    pooling = _pool_before(walked, flatten, dims, str(size))
    if written is None or pooling is None:
        return []
    text = _features_text(channels, size, dims)
    shown = made.text.replace(made.source.segment(written), text, 1)
    title = f"`{pooling.layer}` before {pooling.place} and `{shown}`"
    edits = (pooling.edit, made.replace_node(written, text))
    return [Candidate(title, edits, call.layer, group=f"pool {size}")]


def pool_before_view(
    call: Call, expression: CallExpression, takes: int
) -> list[Candidate]:
    """Pool a map to the size for which a view and the layer after it were written."""
    shape = call.inputs[0].shape
    dims = len(shape) - 2
    side = _find_old_side(takes, shape[1], dims) if dims in (1, 2, 3) else None
    operand = _find_flattened_operand(expression)
    functional = functional_prefix(expression.source)
    if side is None or operand is None or functional is None:
        return []
    size = _square(side, dims)
    inside = expression.source.segment(operand)
    layer = f"{functional}adaptive_avg_pool{dims}d({inside}, {size})"
    pooled = Candidate(
        f"`{layer}` before `{_shorten(expression)}`",
        (replacement(expression.source, operand, layer),),
        call.layer,
        group="old size",
        likely=weights.POOL_TO_OLD_SIZE,
    )
    return [pooled]


def _find_old_side(takes: int, channels: int, dims: int) -> int | None:
    """The side of the square map that has the features a layer requires."""
    if channels == 0 or takes % channels:
        return None
    side = round((takes // channels) ** (1 / dims))
    return side if side**dims * channels == takes else None


def _square(side: int, dims: int) -> str:
    """A size as pooling layers take it: `4`, `(4, 4)`."""
    if dims == 1:
        return str(side)
    return f"({', '.join([str(side)] * dims)})"


def _features_text(channels: int, size: int, dims: int) -> str:
    """The features of a pooled map, as a product if the map is larger than 1x1."""
    if size == 1:
        return str(channels)
    return " * ".join(map(str, (channels, *([size] * dims))))


# -- the pooling put in ------------------------------------------------------------------


@dataclass(frozen=True)
class _Pooling:
    """The edit that pools before a flatten, the pooling as written, and how messages
    name the place."""

    edit: Edit
    layer: str
    place: str


def _pool_before(
    walked: Walked, flatten: Call, dims: int, size: str
) -> _Pooling | None:
    if flatten.is_module:
        return _pool_before_layer(walked, flatten, dims, size)
    call = call_at(flatten.site, walked.texts)
    if call is None:
        return None
    operand = _find_flattened_operand(call)
    functional = functional_prefix(call.source)
    if operand is None or functional is None:
        return None
    inside = call.source.segment(operand)
    layer = f"{functional}adaptive_avg_pool{dims}d({inside}, {size})"
    edit = replacement(call.source, operand, layer)
    return _Pooling(edit, layer, f"`{_shorten(call)}`")


def _pool_before_layer(
    walked: Walked, flatten: Call, dims: int, size: str
) -> _Pooling | None:
    call = layer_call(flatten.definition, "Flatten", walked.texts)
    if call is None:
        return None
    # the prefix of the flatten's own call, or of an import
    prefix = call.prefix or nn_prefix(call.source)
    if prefix is None:
        return None
    layer = f"{prefix}AdaptiveAvgPool{dims}d({size})"
    # in its own Sequential, so that the names of later layers stay
    text = f"{prefix}Sequential({layer}, {call.text})"
    return _Pooling(call.replace_node(call.node, text), layer, f"`{call.text}`")


def _shorten(call: CallExpression) -> str:
    text = " ".join(call.text.split())
    return text if len(text) <= _SHORT else f"{call.name}(...)"


def _find_flattened_operand(call: CallExpression) -> ast.expr | None:
    """The expression of the tensor that is flattened: `x` in `x.view(...)` and
    `torch.flatten(x, 1)`."""
    func = call.node.func
    is_layer = call.name[:1].isupper()  # before the dot of `nn.Flatten` is no tensor
    flattens = ops.of(call.name).flattens and not is_layer
    if isinstance(func, ast.Attribute) and flattens:
        is_torch = isinstance(func.value, ast.Name) and func.value.id == "torch"
        if not is_torch:
            return func.value
    return call.argument(0, "input")
