"""The sizes of tensors as numbers with origins, carried from each tensor to those that
are computed from it.

What an op does to a shape is known from its record: the function that says what a
failed call would have given says the same, in the same arithmetic, of one that worked.
Its answer counts only where it is the shape that torch gives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from shapelint import ops
from shapelint.facts.graph import Call, Failure
from shapelint.facts.numbers import Dimension, Fixed, Read, Whole, origin_of
from shapelint.facts.places import Site
from shapelint.facts.tensors import Shape
from shapelint.ops.recovery import recover_shapes
from shapelint.ops.registry import OF_A_MODULE
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.model_names import ModelNames
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.sizes_kept import keep_sizes, kept_sizes


def name_dimensions(value: object) -> None:
    """Let the sizes of a model's inputs know which dimension they are."""
    for position, tensor in enumerate(tensors_in(value)):
        if kept_sizes(tensor) is None:
            sizes = [
                Whole(size, Dimension(position, at, size))
                for at, size in enumerate(tensor.shape)
            ]
            keep_sizes(tensor, tuple(sizes))


def carry_sizes(invocation: Invocation, names: ModelNames, out: object) -> None:
    """Give the results of a function the origins of their sizes."""
    if not _needs_origins(out):
        return
    known = _known_sizes(invocation.tensors)
    if not known and not _has_numbers(invocation):
        return
    args = names.plain_args(invocation.args)
    kwargs = names.plain_kwargs(invocation.kwargs)
    failure = Failure(invocation.name, args, kwargs, "", "")
    _carry(failure, known, out)


def carry_sizes_of_module(
    call: Call, names: ModelNames, args: Args, kwargs: Kwargs, out: object
) -> None:
    """The same for a layer of torch's, whose function may be one that no mode sees."""
    failure = Failure(
        OF_A_MODULE + call.module_class,
        names.plain_args(args),
        names.plain_kwargs(kwargs),
        "",
        "",
        attributes=call.attributes,
    )
    _carry(failure, _known_sizes(list(tensors_in((args, kwargs)))), out)


def _needs_origins(out: object) -> bool:
    return any(kept_sizes(tensor) is None for tensor in tensors_in(out))


def _known_sizes(tensors: list[Tensor]) -> list[Shape]:
    kept = [kept_sizes(tensor) for tensor in tensors]
    return [sizes for sizes in kept if sizes is not None]


def _carry(failure: Failure, known: list[Shape], out: object) -> None:
    tensors = list(tensors_in(out))
    shapes = [tuple(tensor.shape) for tensor in tensors]
    worked_out = _work_out(failure, shapes, known)
    for tensor, shape, sizes in zip(tensors, shapes, worked_out, strict=True):
        filled = _fill(shape, sizes, known)
        kept = kept_sizes(tensor)
        if kept is not None:
            pairs = zip(kept, filled, strict=True)
            filled = tuple(old if isinstance(old, Whole) else new for old, new in pairs)
        if any(isinstance(size, Whole) for size in filled):
            keep_sizes(tensor, filled)


def answer_size(
    name: str,
    tensor: Tensor,
    args: Sequence[Any],
    result: Any,
    site: Site | None = None,
) -> Any:
    """The answer to a question for sizes, with their origins; `site` is where it is
    asked."""
    sizes = kept_sizes(tensor)
    if sizes is None:
        return result
    if site is not None:
        sizes = _as_read(sizes, site)
    if isinstance(result, torch.Size):
        return torch.Size(sizes)
    if name == "size" and len(args) == 1 and sizes[args[0]] == result:
        return sizes[args[0]]
    if name == "len" and sizes and sizes[0] == result:
        return sizes[0]
    if name in ("numel", "nelement") and math.prod(sizes) == result:
        return math.prod(sizes)
    return result


def _as_read(sizes: Shape, site: Site) -> Shape:
    """Sizes that know where they were read."""
    origins = tuple(origin_of(size) or Fixed(size) for size in sizes)
    column = site.column
    return tuple(
        Whole(size, Read(site.file, site.line, column, at, origins))
        for at, size in enumerate(sizes)
    )


def _has_numbers(invocation: Invocation) -> bool:
    return any(
        isinstance(number, Whole)
        for number in _numbers_in((invocation.args, invocation.kwargs))
    )


def _numbers_in(value: object) -> Iterator[object]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _numbers_in(item)
    elif isinstance(value, dict):
        yield from _numbers_in(list(value.values()))
    elif isinstance(value, int):
        yield value


def _work_out(
    failure: Failure, shapes: list[Shape], known: list[Shape]
) -> list[Shape | None]:
    """The shape of each result as the op's record has it; None where it has none, or
    another."""
    op = ops.of(failure.op)
    if op.keeps_shape and len(shapes) == 1 and known[:1] == shapes:
        return [known[0]]
    if op.recover is None:
        return [_created(failure, shape) for shape in shapes]
    for candidate in recover_shapes(failure):
        found = list(_shapes_in(candidate))
        if found == shapes:
            return list(found)
    return [None] * len(shapes)


def _created(failure: Failure, shape: Shape) -> Shape | None:
    """The sizes that a function was given which makes a tensor of them."""
    numbers = tuple(_numbers_in(failure.args))
    asked = failure.kwargs.get("size")
    if isinstance(asked, (tuple, list)):
        numbers = tuple(asked)
    if numbers[: len(shape)] == shape:
        return numbers[: len(shape)]  # type: ignore[return-value]
    return None


def _shapes_in(candidate: Any) -> Iterator[Shape]:
    if isinstance(candidate, tuple) and any(
        isinstance(part, tuple) for part in candidate
    ):
        for part in candidate:
            yield from _shapes_in(part)
    elif isinstance(candidate, (tuple, list)):
        yield tuple(candidate)


def _fill(shape: Shape, sizes: Shape | None, known: list[Shape]) -> Shape:
    """A shape, each size with an origin if there is one: as worked out, else that of the
    same dimension of an argument, else of the only one of that size."""
    filled = []
    for at, size in enumerate(shape):
        if sizes is not None:
            filled.append(sizes[at])
            continue
        same = [
            each[at] for each in known if len(each) == len(shape) and each[at] == size
        ]
        equal = [other for each in known for other in each if other == size]
        if size == 1:
            filled.append(size)
        elif same:
            filled.append(same[0])
        else:
            filled.append(equal[0] if len(equal) == 1 else size)
    return tuple(filled)
