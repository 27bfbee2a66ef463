"""Ops that split a tensor along a dimension."""

from __future__ import annotations

from typing import Any

from shapelint.facts.graph import Call, Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Candidate, Dims, Family, Op
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import shape_text

MOST_PARTS = 10_000
"""The most results of one call that are recovered. A model that unpacks them writes a
name for each."""


def _parts_asked_for(failure: Failure) -> Any:
    """The number of parts, or their sizes."""
    by_keyword = failure.kwargs.get("split_size_or_sections", 1)
    return failure.arg(1, "chunks", by_keyword)


def _dim(failure: Failure, shape: Shape) -> int | None:
    """The dimension to split; None if the tensor does not have it."""
    dim = failure.arg(2, "dim", 0)
    is_there = isinstance(dim, int) and -len(shape) <= dim < len(shape)
    return dim if is_there else None


def recover_parts(failure: Failure) -> list[Candidate]:
    """As many parts as were asked for, of the written sizes or of equal size."""
    shape: Shape = failure.args[0].shape
    wanted, dim = _parts_asked_for(failure), _dim(failure, shape)
    at = (-1 if dim is None else dim) % len(shape)
    if isinstance(wanted, (list, tuple)):
        sizes = list(wanted)
    elif 0 < wanted <= MOST_PARTS:
        # the model unpacks as many as it names, so none may be missing
        sizes = [max(1, shape[at] // wanted)] * wanted
    else:
        return []
    return [tuple((*shape[:at], size, *shape[at + 1 :]) for size in sizes)]


def explain_parts(call: Call, failure: Failure) -> tuple[str, str] | None:
    """Message and label for written sizes that do not add up to the tensor's size."""
    shape = failure.tensors[0].shape
    wanted, dim = _parts_asked_for(failure), _dim(failure, shape)
    if dim is None or not isinstance(wanted, (list, tuple)):
        return None
    if not all(isinstance(size, int) for size in wanted):
        return None
    sizes = shape_text(tuple(wanted))
    message = f"{subject(call)} into {sizes} does not fit dimension {dim} of {shape_text(shape)}"
    return message, f"{sum(wanted)} in all, not {shape[dim]}"


def _parts(name: str) -> Op:
    return Op(
        name,
        family=Family.SPLITTING,
        dims=Dims.SOME,
        recover=recover_parts,
        misfit=explain_parts,
    )


OPS = (
    _parts("chunk"),
    _parts("split"),
    _parts("tensor_split"),
    Op("unbind", family=Family.SPLITTING, dims=Dims.ALL, recover=recover_parts),
    Op("narrow", family=Family.SPLITTING, dims=Dims.SOME),
)
