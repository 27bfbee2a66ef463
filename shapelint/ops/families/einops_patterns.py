"""einops functions and layers: the axes of a pattern, and their lengths."""

from __future__ import annotations

import math
import re

from shapelint.facts.graph import Call, Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Family, Op
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import shape_text

_DIMENSION = re.compile(r"\([^)]*\)|[^\s()]+")
"""Matches the axes of one dimension: `(h w)` or `c`."""


def axes(side: str) -> list[list[str]] | None:
    """The names of the axes in each dimension of one side of a pattern; None if the
    side has an ellipsis."""
    if "..." in side or "…" in side:
        return None
    return [part.strip("()").split() for part in _DIMENSION.findall(side)]


def read_taken_axes(failure: Failure) -> list[list[str]] | None:
    """The axes on the left side of the pattern of a failed call; None if they are not
    known."""
    pattern = failure.args[1] if len(failure.args) > 1 else None
    return axes(pattern.partition("->")[0]) if isinstance(pattern, str) else None


def _length(name: str, known: dict[str, int]) -> int:
    """The length of an axis: a number stands for itself, and an unknown name counts as
    1."""
    return known.get(name, int(name) if name.isdigit() else 1)


def lengths_of(failure: Failure) -> dict[str, int]:
    """The lengths of the axes that were given, or that follow from the input's shape. A
    wrong length stays as given."""
    known = {
        name: size for name, size in failure.kwargs.items() if isinstance(size, int)
    }
    left = axes(str(failure.args[1]).partition("->")[0])
    shape = failure.tensors[0].shape
    for names, size in zip(left or [], shape, strict=False):
        unknown = [name for name in names if name not in known and not name.isdigit()]
        product = math.prod(_length(name, known) for name in names)
        # one unknown axis of a dimension follows from the others
        if len(unknown) == 1:
            known[unknown[0]] = max(1, size // product) if product else 1
    return known


def recover_pattern(failure: Failure) -> list[Shape]:
    right = axes(str(failure.args[1]).partition("->")[2])
    if right is None:
        return []
    known = lengths_of(failure)
    names = [name for part in right for name in part if not name.isdigit()]
    if any(name not in known for name in names):
        return []
    return [tuple(math.prod(_length(name, known) for name in part) for part in right)]


def explain_pattern(call: Call, failure: Failure) -> tuple[str, str] | None:
    """Message and label for a pattern that does not fit: about the dimension whose
    lengths are wrong if it is known, or else with the message of einops."""
    if len(failure.args) < 2 or not isinstance(failure.args[1], str):
        return None
    shape, left = failure.tensors[0].shape, read_taken_axes(failure)
    if left is not None and len(left) == len(shape):
        for names, size in zip(left, shape, strict=True):
            found = _explain_dimension(call, failure, names, size)
            if found is not None:
                return found
    message = f"{subject(call)} cannot apply `{failure.args[1]}` to {shape_text(shape)}"
    return message, failure.message.strip()


def _explain_dimension(
    call: Call, failure: Failure, names: list[str], size: int
) -> tuple[str, str] | None:
    """Message and label if the lengths given for one dimension do not fit its size."""
    known = {name: failure.kwargs[name] for name in names if name in failure.kwargs}
    if not known:
        return None
    product = math.prod(known.values())
    is_whole = len(known) == len(names)
    if size == product if is_whole else product and size % product == 0:
        return None
    if len(names) > 1:
        verb, axis = "split", f"into `({' '.join(names)})`"
    else:
        verb, axis = "use", f"as `{names[0]}`"
    given = ", ".join(f"{name}={length}" for name, length in known.items())
    shape = shape_text(failure.tensors[0].shape)
    message = f"{subject(call)} cannot {verb} the {size} of {shape} {axis} with {given}"
    if is_whole:
        return message, f"{product} expected"
    return message, f"{size} is not a multiple of {product}"


def _op(name: str, *aliases: str) -> Op:
    return Op(
        f"einops.{name}",
        aliases=aliases,
        family=Family.EINOPS,
        recover=recover_pattern,
        misfit=explain_pattern,
    )


OPS = (
    _op("rearrange", "rearrange", "Rearrange"),
    _op("repeat"),  # `repeat` alone is the method of tensors
    _op("reduce", "reduce", "Reduce"),
)
