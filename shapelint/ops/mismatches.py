"""How a message tells of a split, an index, a pixel shuffle or a fold that does not
fit."""

from __future__ import annotations

import math

from shapelint.facts.graph import Call, Failure, Shape
from shapelint.ops import einops_patterns as patterns
from shapelint.ops.layers import spread
from shapelint.syntax.walked_calls import shape_text, subject

OPS = (
    *patterns.OPS,
    *(
        "getitem",
        "chunk",
        "split",
        "tensor_split",
        "pixel_shuffle",
        "pixel_unshuffle",
        "fold",
        "select",
    ),
)


def told(call: Call) -> tuple[str, str] | None:
    """Message and label; None where it is another matter, as a dimension that is not
    there."""
    failure = call.failure
    if failure is None or not failure.tensors:
        return None
    shape = failure.tensors[0].shape
    if failure.op == "getitem":
        return _index(failure, shape)
    if failure.op in ("split", "chunk", "tensor_split"):
        return _parts(call, failure, shape)
    if failure.op in ("pixel_shuffle", "pixel_unshuffle"):
        return _pixels(call, failure, shape)
    if failure.op == "fold":
        kernel = math.prod(spread(failure.arg(2, "kernel_size"), 2, 1))
        size = shape_text(spread(failure.arg(1, "output_size"), 2, 1))
        message = f"{subject(call)} cannot make {size} of blocks {shape_text(shape)}"
        return message, f"blocks of {kernel} values expected"
    if (
        failure.op in patterns.OPS
        and len(failure.args) > 1
        and isinstance(failure.args[1], str)
    ):
        return _pattern(call, failure, shape)
    if failure.op == "repeat":
        return (
            f"{subject(call)} of {shape_text(shape)} needs a number for each dimension",
            failure.message,
        )
    return None


def _pattern(call: Call, failure: Failure, shape: Shape) -> tuple[str, str] | None:
    """einops: the dimension that cannot be taken apart as the pattern says."""
    left = patterns.axes(str(failure.args[1]).partition("->")[0])
    if left is not None and len(left) == len(shape):
        for names, size in zip(left, shape, strict=True):
            known = {
                name: failure.kwargs[name] for name in names if name in failure.kwargs
            }
            product = math.prod(known.values())
            given = ", ".join(f"{name}={length}" for name, length in known.items())
            fits = (
                size == product
                if len(known) == len(names)
                else product and size % product == 0
            )
            if known and not fits:
                axis = f"({' '.join(names)})" if len(names) > 1 else names[0]
                message = f"{subject(call)} cannot take the {size} of {shape_text(shape)} for `{axis}` with {given}"
                return message, f"{size} is no multiple of {product}" if len(
                    known
                ) < len(names) else f"{product} expected"
    reason = failure.message.strip()
    return (
        f"{subject(call)} cannot make `{failure.args[1]}` of {shape_text(shape)}",
        reason,
    )


def _index(failure: Failure, shape: Shape) -> tuple[str, str] | None:
    index = failure.args[1]
    items = list(index) if isinstance(index, tuple) else [index]
    if any(
        not isinstance(item, (int, slice, type(None), type(Ellipsis))) for item in items
    ):
        return None
    used = [item for item in items if item is not None and item is not Ellipsis]
    if len(used) > len(shape):
        return (
            f"`[]` takes {len(used)} indices for the {len(shape)} dimensions of {shape_text(shape)}",
            "too many indices",
        )
    if Ellipsis in items:
        return None
    for at, item in enumerate(used):
        if isinstance(item, int) and not -shape[at] <= item < shape[at]:
            message = f"`[]` takes index {item} of dimension {at}, which has {shape[at]} in {shape_text(shape)}"
            return message, f"0 to {shape[at] - 1} expected"
    return None


def _parts(call: Call, failure: Failure, shape: Shape) -> tuple[str, str] | None:
    wanted = (
        failure.args[1]
        if len(failure.args) > 1
        else failure.kwargs.get("split_size_or_sections")
    )
    dim = failure.args[2] if len(failure.args) > 2 else failure.kwargs.get("dim", 0)
    if not isinstance(dim, int) or not -len(shape) <= dim < len(shape):
        return None
    have = shape[dim]
    if isinstance(wanted, (list, tuple)) and all(
        isinstance(size, int) for size in wanted
    ):
        total = sum(wanted)
        message = f"{subject(call)} into {shape_text(tuple(wanted))} does not fit dimension {dim} of {shape_text(shape)}"
        return message, f"{total} in all, not {have}"
    return None


def _pixels(call: Call, failure: Failure, shape: Shape) -> tuple[str, str] | None:
    factor = (
        failure.args[1]
        if len(failure.args) > 1
        else failure.kwargs.get("upscale_factor")
    )
    if len(shape) < 3 or not isinstance(factor, int):
        return None
    name = subject(call)
    if failure.op == "pixel_shuffle":
        message = f"{name} by {factor} takes channels in multiples of {factor**2} but gets {shape[-3]}"
        return message, f"a multiple of {factor**2} expected, {shape[-3]} found"
    message = f"{name} by {factor} takes heights and widths in multiples of {factor} but gets {shape_text(shape[-2:])}"
    return message, f"multiples of {factor} expected"
