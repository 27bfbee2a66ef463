"""Facts about ops, known without running them.

Each op has one record (`shapelint.ops.record.Op`) in the file of its family. Other
rooms look ops up by name through this module."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from shapelint.ops.record import Family, Op
from shapelint.ops.registry import OF_A_MODULE, load_registry


@lru_cache(maxsize=4096)
def of(name: str) -> Op:
    """The record of an op, by any of its names. An unknown op gets a record with the
    defaults, which claim nothing."""
    return load_registry().find(name) or Op(name)


def is_known(name: str) -> bool:
    return load_registry().find(name) is not None


def keeps_shape(name: str) -> bool:
    """Whether an op's result has the shape of its first argument."""
    return of(name).keeps_shape


def keeps_channels(name: str) -> bool:
    """Whether an op maps (N, C, ...) to (N, C, ...), whatever it does to the other
    dimensions."""
    return of(name).keeps_channels


def spatial_dims(name: str) -> int | None:
    """The number of spatial dimensions of a convolution, pooling or norm: 2 for
    `Conv2d`."""
    return of(name).spatial_dims


def is_of(name: str, *families: Family) -> bool:
    return of(name).family in families


def where(holds: Callable[[Op], object]) -> tuple[str, ...]:
    """The names of all ops for which `holds` is true."""
    return tuple(name for op in load_registry() if holds(op) for name in op.names)


@lru_cache(maxsize=64)
def in_family(*families: Family) -> tuple[str, ...]:
    return where(lambda op: op.family in families)


def list_failing_ops(family: Family) -> tuple[str, ...]:
    """The names under which the ops of a family may fail: their own, and those of
    layers that check their input themselves."""
    names = in_family(family)
    return (*names, *(OF_A_MODULE + name for name in names))


@lru_cache(maxsize=1)
def list_broadcasting_ops() -> tuple[str, ...]:
    """The names of ops whose tensors broadcast against each other."""
    return where(lambda op: op.broadcasts)


@lru_cache(maxsize=1)
def list_width_arguments() -> frozenset[str]:
    """Constructor arguments that set the width of a layer's input or result."""
    return frozenset(name for op in load_registry() for name in (*op.takes, *op.gives))


@lru_cache(maxsize=1)
def list_input_arguments() -> tuple[str, ...]:
    """Constructor arguments that set the width of a layer's input."""
    return tuple(dict.fromkeys(name for op in load_registry() for name in op.takes))


@lru_cache(maxsize=1)
def list_output_arguments() -> frozenset[str]:
    """Constructor arguments that set a size of a layer's result. They may be wrong even
    if the layer itself does not fail."""
    return frozenset(
        name for op in load_registry() for name in (*op.gives, *op.resizes)
    )


@lru_cache(maxsize=1)
def list_count_arguments() -> frozenset[str]:
    """Constructor arguments that are small numbers: counts of heads, groups or layers,
    and scale factors."""
    return frozenset(name for op in load_registry() for name in op.counts)


@lru_cache(maxsize=4096)
def of_kernel(kernel: str) -> Op:
    """The record of the op to which an aten kernel belongs."""
    return load_registry().of_kernel(kernel) or Op(kernel)
