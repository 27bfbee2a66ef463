"""Which other values a number, a window or an order upstream of a failure could
have."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator

from shapelint import ops
from shapelint.facts.graph import Call, Failure, Shape
from shapelint.ops.families.convolution import channels_taken
from shapelint.ops.families.joining import is_concatenation, joined_dimension
from shapelint.ops.record import Family
from shapelint.ops.sliding import spread

WINDOW = ("kernel_size", "stride", "padding", "dilation", "output_padding")


def demands(call: Call) -> list[tuple[int, int]]:
    """Pairs of sizes that a failed call would need to be equal: what arrives, and what
    is taken."""
    failure = call.failure
    if failure is None:
        return []
    shapes = [fact.shape for fact in failure.tensors]
    pairs = list(_by_op(failure, shapes))
    return list(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))


def _by_op(failure: Failure, shapes: list[Shape]) -> Iterator[tuple[int, int]]:
    op = failure.op
    if ops.of(op).regroups:
        yield from _totals(failure)
    elif op == "split" and isinstance(
        failure.arg(1, "split_size_or_sections"), (list, tuple)
    ):
        dim = failure.arg(2, "dim", 0)
        if isinstance(dim, int) and -len(shapes[0]) <= dim < len(shapes[0]):
            yield shapes[0][dim], sum(failure.arg(1, "split_size_or_sections"))
    elif (
        op == "pixel_shuffle"
        and len(shapes[0]) > 2
        and isinstance(failure.arg(1, "upscale_factor"), int)
    ):
        block, channels = failure.arg(1, "upscale_factor") ** 2, shapes[0][-3]
        times = channels // block if block else 0
        yield from (
            (channels, each * block) for each in (times, times + 1) if each * block
        )
    elif ops.is_of(op, Family.LINEAR) and len(shapes) > 1 and shapes[0]:
        yield shapes[0][-1], shapes[1][-1]
    elif ops.is_of(op, Family.CONVOLUTION) and len(shapes) > 1:
        dims = len(shapes[1]) - 2
        if len(shapes[0]) > dims:
            yield shapes[0][-dims - 1], channels_taken(failure)
    else:
        attributes = failure.kwargs.get("_attributes") or {}
        widths = [
            value
            for key, value in attributes.items()
            if key in ("input_size", "hidden_size", "embed_dim")
        ]
        for shape in shapes[:3]:
            yield from (
                (shape[-1], width)
                for width in widths
                if shape and isinstance(width, int)
            )
        normalized = (
            failure.arg(1, "normalized_shape") if _is_over_features(op) else None
        )
        if isinstance(normalized, (tuple, list)) and normalized and shapes[0]:
            yield shapes[0][-1], normalized[-1]
        for left, right in itertools.combinations(shapes[:6], 2):
            yield from _differing(left, right)
            if ops.is_of(op, Family.MATMUL) and left and len(right) > 1:
                yield left[-1], right[-2]


def _totals(failure: Failure) -> Iterator[tuple[int, int]]:
    if failure.op == "unflatten":
        shape, dim, sizes = (
            failure.tensors[0].shape,
            failure.arg(1, "dim"),
            failure.arg(2, "sizes"),
        )
        if (
            isinstance(dim, int)
            and isinstance(sizes, (list, tuple))
            and -len(shape) <= dim < len(shape)
        ):
            yield shape[dim], math.prod(size for size in sizes if size != -1)
        return
    rest = failure.args[1:]
    if len(rest) == 1 and isinstance(rest[0], (list, tuple)):
        rest = tuple(rest[0])
    sizes = [size for size in rest if isinstance(size, int) and size != -1]
    total = math.prod(failure.tensors[0].shape)
    known = math.prod(sizes)
    if known:
        yield total, known
        first = failure.tensors[0].shape[0] if failure.tensors[0].shape else 1
        if -1 in rest and first:
            yield total // first, known


def _differing(left: Shape, right: Shape) -> Iterator[tuple[int, int]]:
    for back in range(1, min(len(left), len(right)) + 1):
        if left[-back] != right[-back] and 1 not in (left[-back], right[-back]):
            yield left[-back], right[-back]
    for front in range(min(len(left), len(right))):
        if left[front] != right[front] and 1 not in (left[front], right[front]):
            yield left[front], right[front]


def other_values(value: int, pairs: list[tuple[int, int]]) -> list[int]:
    """What a size could be instead: one side of a pair, scaled by their ratio, moved by
    their difference."""
    found: list[int] = []
    for one, other in pairs[:6]:
        found += [
            size
            for a, b in ((one, other), (other, one))
            for size in _related(value, a, b)
        ]
    return [
        size for size in dict.fromkeys(found) if 0 < size < 10**7 and size != value
    ][:10]


def _related(value: int, a: int, b: int) -> Iterator[int]:
    if value == a:
        yield b
    if a and value * b % a == 0:
        yield value * b // a
    if a and a != value and value % a == 0:
        yield value // a * b
    yield value + b - a


def aspect(call: Call) -> str:
    """What a failure is about: `spatial` sizes, `channels`, or `either`."""
    failure = call.failure
    if failure is None:
        return "either"
    shapes = [fact.shape for fact in failure.tensors]
    if (
        ops.is_of(failure.op, Family.CONVOLUTION)
        and not ops.of(failure.op).is_transposed
        and len(shapes) > 1
    ):
        takes = channels_taken(failure)
        dims = len(shapes[1]) - 2
        return (
            "channels"
            if len(shapes[0]) > dims and shapes[0][-dims - 1] != takes
            else "spatial"
        )
    if ops.is_of(failure.op, Family.POOLING):
        return "spatial"
    is_norm = ops.is_of(failure.op, Family.NORMALISATION)
    if is_norm and not _is_over_features(failure.op):
        return "channels"
    ranks = {len(shape) for shape in shapes}
    if (
        (ops.is_of(failure.op, Family.JOINING) or ops.of(failure.op).broadcasts)
        and len(ranks) == 1
        and ranks & {4, 5}
    ):
        along = joined_dimension(failure) if is_concatenation(failure.op) else None
        differing = {
            at
            for at in range(ranks.pop())
            if len({shape[at] for shape in shapes} - {1}) > 1 and at != along
        }
        return (
            "spatial"
            if differing and min(differing) >= 2
            else ("channels" if differing == {1} else "either")
        )
    return "either"


def _is_over_features(op: str) -> bool:
    """Whether a norm is over the last dimensions, and not over channels."""
    return "normalized_shape" in ops.of(op).takes


def odd_one_out(call: Call) -> int | None:
    """Position of the one tensor argument whose shape differs from those of all others,
    which agree."""
    shapes = [fact.shape for fact in call.inputs if len(fact.shape) > 1]
    if len(shapes) < 3:
        return None
    for position, fact in enumerate(call.inputs):
        others = [
            other.shape
            for at, other in enumerate(call.inputs)
            if at != position and len(other.shape) > 1
        ]
        if len(fact.shape) > 1 and len(set(others)) == 1 and others[0] != fact.shape:
            return position
    return _odd_outside_of_dim(call)


def _odd_outside_of_dim(call: Call) -> int | None:
    """The same for tensors that are joined, whose sizes may differ in the dimension
    they are joined in."""
    failure = call.failure
    dim = (
        joined_dimension(failure)
        if failure is not None and is_concatenation(failure.op)
        else None
    )
    ranks = {len(fact.shape) for fact in call.inputs}
    if not isinstance(dim, int) or len(ranks) != 1:
        return None
    at = dim % max(1, *ranks)
    shapes = [fact.shape[:at] + fact.shape[at + 1 :] for fact in call.inputs]
    single = [
        position for position, shape in enumerate(shapes) if shapes.count(shape) == 1
    ]
    return single[0] if len(single) == 1 and len(shapes) > 2 else None


def small_values(value: int) -> list[int]:
    """Heads, groups and factors near one that does not do."""
    near = [
        value - 1,
        value + 1,
        value // 2,
        value * 2,
        1,
        2,
        4,
        8,
        value + 2,
        value - 2,
        16,
        3,
    ]
    return [each for each in dict.fromkeys(near) if each >= 1 and each != value]


def window_of(call: Call) -> dict[str, int] | None:
    """Kernel, stride and padding of a layer or function, where they are the same in
    each dimension."""
    values = dict(call.attributes)
    if not values and ops.is_of(call.op, Family.POOLING):
        names = ("input", "kernel_size", "stride", "padding")
        values = dict(zip(names, call.args, strict=False)) | call.kwargs
    if "kernel_size" not in values:
        return None
    found = {}
    for name, default in (
        ("kernel_size", 1),
        ("stride", 1),
        ("padding", 0),
        ("dilation", 1),
        ("output_padding", 0),
    ):
        value = values.get(name)
        if (
            name == "stride"
            and value in (None, ())
            and ops.is_of(call.op, Family.POOLING)
        ):
            value = values["kernel_size"]
        if isinstance(value, str):
            return None
        try:
            spreaded = spread(value, 2, default)
        except (TypeError, ValueError):
            return None
        found[name] = spreaded[0]
    return found


def window_values(name: str, value: int, window: dict[str, int]) -> list[int]:
    """Other kernels, strides, paddings."""
    same = window["dilation"] * (window["kernel_size"] - 1) // 2
    if name == "kernel_size":
        options = [
            value - 1,
            value + 1,
            2 * window["padding"] + 1,
            window["stride"],
            3,
            2,
            value - 2,
            value + 2,
            1,
        ]
    elif name == "stride":
        options = [1, 2, window["kernel_size"], value - 1, value + 1]
    elif name in ("padding", "output_padding"):
        options = (
            [same, 0, 1, value - 1, value + 1, 2]
            if name == "padding"
            else [1 - value, value - 1]
        )
    else:
        options = [1, 2]
    floor = 0 if "padding" in name else 1
    return [each for each in dict.fromkeys(options) if each >= floor and each != value]


def explains(
    name: str, old: int, new: int, pairs: list[tuple[int, int]], step: int = 1
) -> bool:
    """Whether a window changed so makes the one size of a pair the other: by a factor,
    its square, or a border.

    `step`: the stride of the window, by which a border counts less.
    """
    if name == "stride":
        if not old or not new:
            return False
        factors = (old / new, new / old)
        if any(
            abs(a - b * factor**power) < 0.1 * a
            for a, b in pairs
            for factor in factors
            for power in (1, 2)
        ):
            return True
        return any(
            max(a, b) > 3 and abs(max(a, b) / max(factors) - min(a, b)) <= 1
            for a, b in pairs
        )
    border = {"padding": 2, "kernel_size": 1, "output_padding": 1}.get(name, 0) * abs(
        new - old
    )
    borders = {border, border // step, -(-border // step)} - {0}
    return any(abs(a - b) in borders for a, b in pairs)


def permutations(order: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Other orders, those with two places exchanged first; at most 30."""
    others = [each for each in itertools.permutations(order) if each != order]
    others.sort(key=lambda each: sum(a != b for a, b in zip(each, order, strict=True)))
    return others[:30]


def constant(node: ast.expr) -> int | None:
    """The number an expression writes, -1 included."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = constant(node.operand)
        return -inner if inner is not None else None
    return None
