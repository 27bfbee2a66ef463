"""The user's exceptions and values as text, whatever their own `__str__` and `__repr__`
do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import torch

from shapelint.facts.errors import OutOfTimeError
from shapelint.tracing.nested import has_tensors
from shapelint.tracing.op_names import dtype_name

LONGEST = 2000
"""Characters of a text of the user's that are looked at."""

DEEPEST = 20
"""Levels of a nested result that are spelled out."""

DEEPEST_FIELDS = 4
"""Levels up to which the fields of a dataclass are."""

DEEPEST_ATTRIBUTES = 2
"""Levels up to which the attributes of any other object are: it may hold the world."""

Value = TypeVar("Value")


def _text_of(spell: Callable[[Value], str], value: Value, otherwise: str) -> str:
    """What `spell` makes of a value, of bounded length and printable anywhere."""
    try:
        text = spell(value)
        # Of a subclass of `str` not even the methods are what they seem.
        start = str.__getitem__(text, slice(LONGEST))
        return start.encode("utf-8", "backslashreplace").decode()
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException:  # the value's own, which eager never asks
        return otherwise


def message_of(error: BaseException) -> str:
    """The text of an exception; where it has none to give, the words of Python's
    traceback."""
    return _text_of(str, error, "<exception str() failed>").strip()


def first_line(error: BaseException) -> str:
    """The first line of an exception's text; empty where it says nothing."""
    lines = message_of(error).splitlines()
    return lines[0] if lines else ""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, the one it was raised from, and so on; an exception may be its own
    cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ if error.__cause__ is not None else error.__context__


def plain_value(value: object) -> bool | int | float | str | None:
    """A number or text as one of Python's own type; a subclass may do what it likes
    when it is shown."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    assert isinstance(value, str)
    return str.__str__(value)


def key_text(key: object) -> str:
    """The key of a dict as text."""
    class_name = type(key).__name__
    # A tensor's text shows its values, of which a fake one has none.
    return (
        class_name if isinstance(key, torch.Tensor) else _text_of(str, key, class_name)
    )


def spell_shapes(value: object) -> str:
    """A result as shapes: `f32[1,2]`, `(f32[1,2], f32[1,8])`, `{logits: f32[1,2]}`;
    `...` where it contains itself."""
    return _spell(value, 0, ())


def _spell(value: object, depth: int, around: tuple[int, ...]) -> str:
    """`around`: the ids of the containers that a value lies in."""
    class_name = type(value).__name__
    if isinstance(value, torch.Tensor):
        return f"{dtype_name(value.dtype)}[{','.join(map(str, value.shape))}]"
    if value is None or isinstance(value, (bool, int, float, str)):
        return _text_of(lambda given: repr(plain_value(given)), value, class_name)
    if id(value) in around or depth > DEEPEST:
        return "..."
    within = (*around, id(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple
        fields = dict(zip(value._fields, value, strict=True))
        return _spell_fields(fields, depth, within)
    if isinstance(value, dict):
        return _spell_fields(value, depth, within)
    if isinstance(value, (tuple, list)):
        inside = ", ".join(_spell(item, depth + 1, within) for item in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return class_name + _spell_members(value, depth, within)


def _spell_members(value: object, depth: int, around: tuple[int, ...]) -> str:
    """The fields of a dataclass, the attributes of an object that holds tensors; of any
    other nothing."""
    is_instance = not isinstance(value, type)
    if dataclasses.is_dataclass(value) and is_instance and depth < DEEPEST_FIELDS:
        names = [field.name for field in dataclasses.fields(value)]
        # A field without a default may never have been set.
        fields = {name: getattr(value, name, None) for name in names}
        return _spell_fields(fields, depth + 1, around)
    if depth < DEEPEST_ATTRIBUTES and hasattr(value, "__dict__"):
        attributes = vars(value)
        if has_tensors(list(attributes.values())):
            return _spell_fields(attributes, depth + 1, around)
    return ""


def _spell_fields(
    fields: Mapping[object, object] | Mapping[str, object],
    depth: int,
    around: tuple[int, ...],
) -> str:
    inside = [
        f"{key_text(key)}: {_spell(item, depth + 1, around)}"
        for key, item in fields.items()
    ]
    return "{" + ", ".join(inside) + "}"
