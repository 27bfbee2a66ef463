"""The index of all known ops by name. A name can be registered only once."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import lru_cache

from shapelint.ops import families
from shapelint.ops.record import Op

OF_A_MODULE = "module:"
"""Prefix of a layer's name if the layer itself refused its input, rather than a
function that it calls."""


class Registry:
    """Ops by name and by aten kernel."""

    def __init__(self, ops: Iterable[Op] = ()) -> None:
        self._by_name: dict[str, Op] = {}
        self._by_kernel: dict[str, Op] = {}
        self._by_kernel_start: dict[str, Op] = {}
        for op in ops:
            self.add(op)

    def __iter__(self) -> Iterator[Op]:
        """Every op once, in the order in which it was added."""
        yield from {id(op): op for op in self._by_name.values()}.values()

    def add(self, op: Op) -> None:
        """Register an op under all of its names.

        Raises:
            ValueError: another op has one of its names or kernels.
        """
        starts = [kernel[:-1] for kernel in op.kernels if kernel.endswith("*")]
        kernels = [kernel for kernel in op.kernels if not kernel.endswith("*")]
        for index, keys in (
            (self._by_name, op.names),
            (self._by_kernel, kernels),
            (self._by_kernel_start, starts),
        ):
            for key in keys:
                if key in index:
                    raise ValueError(f"{key} is registered twice")
                index[key] = op

    def find(self, name: str) -> Op | None:
        return self._by_name.get(name.removeprefix(OF_A_MODULE))

    def of_kernel(self, kernel: str) -> Op | None:
        """The op that an aten kernel belongs to, by the kernel's full name or else by
        its beginning."""
        op = self._by_kernel.get(kernel)
        if op is not None:
            return op
        starts = self._by_kernel_start  # none is the start of another
        return next(
            (starts[start] for start in starts if kernel.startswith(start)), None
        )


@lru_cache(maxsize=1)
def load_registry() -> Registry:
    """Register the ops of every family. The families are found by their files."""
    found = Registry()
    for module in pkgutil.iter_modules(families.__path__):
        for op in importlib.import_module(f"{families.__name__}.{module.name}").OPS:
            found.add(op)
    return found
