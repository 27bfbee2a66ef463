"""view, reshape, expand, flatten and unflatten. A size of -1 is computed from the
others."""

from __future__ import annotations

import math

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.failed_arguments import read_wanted_sizes
from shapelint.ops.record import Dims, Family, Op


def read_target_shape(failure: Failure) -> Shape | None:
    """The shape that a call asks for, with -1 for an open size; None if it does not
    name a whole shape."""
    if failure.op.endswith("_as"):
        return failure.tensors[1].shape if len(failure.tensors) > 1 else None
    if "flatten" in failure.op:
        return None
    try:
        return read_wanted_sizes(failure)
    except (TypeError, ValueError):
        return None


def count_known(wanted: Shape) -> int:
    """The product of the sizes of a shape, without the open one."""
    return math.prod(size for size in wanted if size != -1)


def has_room(shape: Shape, wanted: Shape) -> bool:
    """Whether the elements of a tensor exactly fill another shape."""
    total, known = math.prod(shape), count_known(wanted)
    if known == 0:
        return False
    return total % known == 0 if -1 in wanted else total == known


def recover_reshaping(failure: Failure) -> list[Shape]:
    """Two candidates: the batch followed by the written sizes, and the written sizes
    with -1 for the remaining elements."""
    shape = failure.args[0].shape
    wanted = read_wanted_sizes(failure)
    if -1 not in wanted:
        return [wanted, *_fill_open_size(shape, wanted)]
    known = math.prod(size for size in wanted if size != -1)
    left_over = max(1, math.prod(shape) // known) if known else 1
    batch = shape[0] if shape else 1
    at = wanted.index(-1)
    # a -1 in front is meant to be the batch, even where the rest does not divide
    free = [batch, left_over] if at == 0 else [left_over]
    return [(*wanted[:at], size, *wanted[at + 1 :]) for size in free]


def _fill_open_size(shape: Shape, wanted: Shape) -> list[Shape]:
    """The written sizes with one of them computed from the others."""
    total = math.prod(shape)
    found = []
    # the last size first: the first ones are the batch and its parts
    for at in reversed(range(len(wanted))):
        before, after = wanted[:at], wanted[at + 1 :]
        others = math.prod(before + after)
        if others and total % others == 0:
            found.append((*before, total // others, *after))
    return found


def recover_expansion(failure: Failure) -> list[Shape]:
    shape, wanted = failure.args[0].shape, read_wanted_sizes(failure)
    left_out = len(shape) - len(wanted)  # sizes of the last dimensions
    wanted = (*wanted, *[-1] * left_out)
    # new dimensions come in front, as in broadcasting
    padded = (1,) * (len(wanted) - len(shape)) + tuple(shape)
    sizes = zip(wanted, padded, strict=False)
    return [tuple(have if want == -1 else want for want, have in sizes)]


def recover_flattening(failure: Failure) -> list[Shape]:
    """If a dimension is out of range, flatten everything from the last valid one."""
    shape = failure.args[0].shape
    start = min(failure.arg(1, "start_dim", 0), max(0, len(shape) - 1))
    return [(*shape[:start], math.prod(shape[start:]))]


def recover_unflattening(failure: Failure) -> list[Shape]:
    shape = failure.args[0].shape
    sizes = failure.arg(2, "sizes")
    at = failure.arg(1, "dim") % len(shape)
    return [(*shape[:at], *(abs(size) for size in sizes), *shape[at + 1 :])]


def recover_like_another(failure: Failure) -> list[Shape]:
    return [failure.tensors[1].shape]


OPS = (
    Op(
        "view",
        family=Family.RESHAPING,
        flattens=True,
        regroups=True,
        recover=recover_reshaping,
    ),
    Op(
        "reshape",
        family=Family.RESHAPING,
        flattens=True,
        regroups=True,
        recover=recover_reshaping,
    ),
    Op(
        "flatten",
        "Flatten",
        family=Family.RESHAPING,
        flattens=True,
        dims=Dims.ALL,
        arguments=("start_dim", "end_dim"),
        recover=recover_flattening,
        word="flatten",
    ),
    Op(
        "unflatten",
        "Unflatten",
        family=Family.RESHAPING,
        regroups=True,
        arguments=("dim", "unflattened_size"),
        resizes=("unflattened_size",),
        recover=recover_unflattening,
    ),
    Op("expand", family=Family.RESHAPING, recover=recover_expansion),
    Op(
        "view_as",
        family=Family.RESHAPING,
        recover=recover_like_another,
        mixes_devices=True,
    ),
    Op(
        "reshape_as",
        family=Family.RESHAPING,
        recover=recover_like_another,
        mixes_devices=True,
    ),
    Op(
        "expand_as",
        family=Family.RESHAPING,
        recover=recover_like_another,
        mixes_devices=True,
    ),
)
