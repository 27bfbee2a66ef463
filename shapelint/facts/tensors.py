"""Tensors as plain facts, alone or within a value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorFact:
    """The dtype (abbreviated) and shape of a tensor. `name`: its qualified name if it
    is a parameter or buffer."""

    dtype: str
    shape: Shape
    name: str = ""

    @property
    def bulk(self) -> tuple[bool, int]:
        """Sort key for activations: floats count more than other dtypes, then the
        number of elements decides."""
        # Masks, lengths and token ids are mostly no floats, however large they are.
        return (self.dtype.startswith(("f", "bf", "c")), math.prod(self.shape))

    @property
    def unnamed(self) -> TensorFact:
        """The same fact without the name."""
        return TensorFact(self.dtype, self.shape) if self.name else self

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class ValueFact:
    """A value that a model takes or returns. `text` is its spelling, as in
    `{logits: f32[1,2]}`; `tensors` are the tensors in it, in that order. `name` is its
    keyword."""

    text: str
    tensors: tuple[TensorFact, ...] = ()
    name: str = ""

    @property
    def tensor(self) -> TensorFact | None:
        """The value if it is a single tensor; None for a structure or any other
        value."""
        is_one = len(self.tensors) == 1 and self.text == str(self.tensors[0])
        return self.tensors[0] if is_one else None

    def __str__(self) -> str:
        return f"{self.name}={self.text}" if self.name else self.text


def facts_in(value: Any) -> Iterator[TensorFact]:
    """Every TensorFact in nested lists, tuples and dicts, in order."""
    if isinstance(value, TensorFact):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from facts_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from facts_in(item)


@dataclass
class ParamFact:
    """A parameter of the model: its shape, and whether it is trained. `numel` counts
    elements."""

    name: str
    shape: Shape
    numel: int
    bytes: int
    trainable: bool
    module_path: str
