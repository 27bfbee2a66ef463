"""Converts a model's inputs and results to plain data: their structure and shapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from shapelint.facts.tensors import TensorFact, ValueFact
from shapelint.tracing.nested import has_tensors
from shapelint.tracing.op_names import dtype_name
from shapelint.tracing.user_text import key_text, plain_value, safe_text

DEEPEST = 20
"""How many levels of a nested result are spelled out."""

DEEPEST_FIELDS = 4
"""Up to this level, the fields of a dataclass are spelled out."""

DEEPEST_ATTRIBUTES = 2
"""Up to this level, the attributes of any other object are spelled out. It may refer to
everything."""


def value_fact(value: object, name: str = "") -> ValueFact:
    """Describe a value: its text from `spell_shapes`, and the tensors in it. `name`:
    its keyword."""
    spelling = _Spelling()
    text = spelling.spell(value, 0, ())
    return ValueFact(text, tuple(spelling.tensors), name)


def spell_shapes(value: object) -> str:
    """A value as shapes: `f32[1,2]`, `(f32[1,2], f32[1,8])`, `{logits: f32[1,2]}`.
    `...` marks a container that contains itself."""
    return value_fact(value).text


class _Spelling:
    """Writes a nested value as text, and collects its tensors in the same order."""

    def __init__(self) -> None:
        self.tensors: list[TensorFact] = []

    def spell(self, value: object, depth: int, around: tuple[int, ...]) -> str:
        """A value as text. `around`: the ids of the containers around it."""
        if isinstance(value, Tensor):
            sizes = tuple(map(int, value.shape))
            fact = TensorFact(dtype_name(value.dtype), sizes)
            self.tensors.append(fact)
            return str(fact)
        if value is None or isinstance(value, (bool, int, float, str)):
            return safe_text(_spell_plainly, value, type(value).__name__)
        if id(value) in around or depth > DEEPEST:
            return "..."
        within = (*around, id(value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple
            fields = dict(zip(value._fields, value, strict=True))
            return self._spell_fields(fields, depth, within)
        if isinstance(value, dict):
            return self._spell_fields(value, depth, within)
        if isinstance(value, (tuple, list)):
            items = [self.spell(item, depth + 1, within) for item in value]
            inside = ", ".join(items)
            return f"[{inside}]" if isinstance(value, list) else f"({inside})"
        return type(value).__name__ + self._spell_members(value, depth, within)

    def _spell_members(self, value: object, depth: int, around: tuple[int, ...]) -> str:
        """The fields of a dataclass, or the attributes of an object if they hold
        tensors; empty for any other value."""
        is_instance = not isinstance(value, type)
        if dataclasses.is_dataclass(value) and is_instance and depth < DEEPEST_FIELDS:
            names = [field.name for field in dataclasses.fields(value)]
            # A field without a default may never have been set.
            fields = {name: getattr(value, name, None) for name in names}
            return self._spell_fields(fields, depth + 1, around)
        if depth < DEEPEST_ATTRIBUTES and hasattr(value, "__dict__"):
            attributes = vars(value)
            if has_tensors(list(attributes.values())):
                return self._spell_fields(attributes, depth + 1, around)
        return ""

    def _spell_fields(
        self, fields: Mapping[Any, object], depth: int, around: tuple[int, ...]
    ) -> str:
        inside = [
            f"{key_text(key)}: {self.spell(item, depth + 1, around)}"
            for key, item in fields.items()
        ]
        return "{" + ", ".join(inside) + "}"


def _spell_plainly(value: object) -> str:
    return repr(plain_value(value))
