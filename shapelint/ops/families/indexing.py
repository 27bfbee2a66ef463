"""Ops that pick parts of a tensor by index."""

from __future__ import annotations

import math
from typing import Any

from shapelint.facts.graph import Call, Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Asks, Cost, Dims, Family, Op
from shapelint.syntax.walked_calls import shape_text


def _items(failure: Failure) -> list[Any]:
    index = failure.args[1]
    return list(index) if isinstance(index, tuple) else [index]


def _expand_ellipsis(failure: Failure) -> list[Any]:
    """The items of an index, with a slice for each dimension that an ellipsis stands
    for."""
    items = _items(failure)
    if not any(item is Ellipsis for item in items):
        return items
    at = next(at for at, item in enumerate(items) if item is Ellipsis)
    used = sum(item is not None for item in items) - 1
    left = len(failure.args[0].shape) - used
    return [*items[:at], *[slice(None)] * left, *items[at + 1 :]]


def _size_of_slice(item: slice, size: int) -> int:
    """How many a slice takes, in the numbers it is written with where they say it."""
    count = len(range(*item.indices(size)))
    start = item.start or 0
    stop = size if item.stop is None else item.stop
    is_plain = item.step is None and stop - start == count
    if count == size and is_plain and item.stop is None:
        return size
    written: int = stop - start if start else stop
    return written if is_plain else count


def recover_indexing(failure: Failure) -> list[Shape]:
    """Apply the part of the index that the tensor's dimensions allow."""
    shape, items = failure.args[0].shape, _expand_ellipsis(failure)
    # masks and index tensors: how many dimensions they take is not known
    if any(not isinstance(item, (int, slice, type(None))) for item in items):
        return []
    found: list[int] = []
    at = 0
    for item in items:
        if item is None:
            found.append(1)
            continue
        if at < len(shape) and isinstance(item, slice):
            found.append(_size_of_slice(item, shape[at]))
        at += 1
    return [(*found, *shape[at:])]


def explain_index(_call: Call, failure: Failure) -> tuple[str, str] | None:
    """Message and label for too many indices, or one that is out of range."""
    shape, items = failure.tensors[0].shape, _items(failure)
    if any(
        not isinstance(item, (int, slice, type(None), type(Ellipsis))) for item in items
    ):
        return None
    # None makes a dimension, an ellipsis stands for any number of them
    used = [item for item in items if item is not None and item is not Ellipsis]
    if len(used) > len(shape):
        has = f"the {len(shape)} dimensions of {shape_text(shape)}"
        return f"`[]` takes {len(used)} indices for {has}", "too many indices"
    if Ellipsis in items:
        return None
    for at, (item, size) in enumerate(zip(used, shape, strict=False)):
        if isinstance(item, int) and not -size <= item < size:
            has = f"dimension {at}, which has {size} in {shape_text(shape)}"
            return f"`[]` takes index {item} of {has}", f"0 to {size - 1} expected"
    return None


def recover_gathering(failure: Failure) -> list[Shape]:
    return [failure.tensors[1].shape]


def recover_selection(failure: Failure) -> list[Shape]:
    shape, index = failure.args[0].shape, failure.tensors[1]
    dim = failure.arg(1, "dim", 0)
    at = dim % len(shape) if -len(shape) <= dim < len(shape) else 0
    return [(*shape[:at], math.prod(index.shape), *shape[at + 1 :])]


OPS = (
    Op(
        "getitem",
        family=Family.INDEXING,
        recover=recover_indexing,
        misfit=explain_index,
        symbol="[]",
        is_layout=True,
        mixes_devices=True,
        kernels=("index",),
        cost=Cost.INDEXED,
    ),
    Op("setitem", family=Family.INDEXING, mixes_devices=True),
    Op("index_put", family=Family.INDEXING, mixes_devices=True),
    Op("select", family=Family.INDEXING, dims=Dims.SOME),
    Op(
        "gather",
        family=Family.INDEXING,
        recover=recover_gathering,
        looks_up=True,
        kernels=("gather",),
        cost=Cost.GATHERED,
    ),
    Op(
        "take_along_dim",
        family=Family.INDEXING,
        recover=recover_gathering,
        looks_up=True,
    ),
    Op(
        "index_select",
        family=Family.INDEXING,
        recover=recover_selection,
        looks_up=True,
        kernels=("index_select",),
        cost=Cost.SELECTED,
    ),
    Op("take", family=Family.INDEXING, looks_up=True),
    Op("scatter", family=Family.INDEXING, looks_up=True),
    Op("one_hot", family=Family.INDEXING, looks_up=True, index_first=True),
    Op(
        "nonzero",
        family=Family.INDEXING,
        asks=Asks.SIZE_FROM_VALUES,
        kernels=("nonzero",),
    ),
    Op(
        "masked_select",
        family=Family.INDEXING,
        asks=Asks.SIZE_FROM_VALUES,
        mask_at=1,
        kernels=("masked_select",),
    ),
    Op(
        "unique",
        family=Family.INDEXING,
        asks=Asks.SIZE_FROM_VALUES,
        kernels=("_unique2", "unique_dim"),
    ),
)
