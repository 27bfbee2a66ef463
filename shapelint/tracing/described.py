"""The user's exceptions and values as text, whatever their own `__str__` and `__repr__`
do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import torch

from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.graph import TensorFact, ValueFact
from shapelint.tracing.costs import tensors_in
from shapelint.tracing.op_names import dtype_name

LONGEST = 2000
"""Characters of a text of the user's that are looked at."""

DEEPEST = 20
"""Levels of a nested result that are spelled out."""


def _safely(say: Callable[[Any], str], value: Any, otherwise: str) -> str:
    """What a value says of itself, of bounded length and printable anywhere."""
    try:
        text = say(value)
        # of a subclass of `str` not even the methods are what they seem
        return (
            str.__getitem__(text, slice(LONGEST))
            .encode("utf-8", "backslashreplace")
            .decode()
        )
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException:  # the value's own, which eager never asks
        return otherwise


def message_of(error: BaseException) -> str:
    """The text of an exception; where it has none to give, the words that Python's
    traceback says then."""
    return _safely(str, error, "<exception str() failed>").strip()


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


def plain_value(value: Any) -> Any:
    """A number or text as one of Python's own type; a subclass may do what it likes
    when it is shown."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return str.__str__(value)


def key_text(key: Any) -> str:
    """The key of a dict as text."""
    return (
        type(key).__name__
        if isinstance(key, torch.Tensor)
        else _safely(str, key, type(key).__name__)
    )


def described(value: Any) -> str:
    """A result as shapes: `f32[1,2]`, `(f32[1,2], f32[1,8])`, `{logits: f32[1,2]}`;
    `...` where it contains itself."""
    return value_fact(value).text


def value_fact(value: Any, name: str = "") -> ValueFact:
    """A value as `described` writes it, with the tensors in it."""
    found: list[TensorFact] = []
    text = _described(value, 0, (), found)
    return ValueFact(text, tuple(found), name)


def _described(
    value: Any, depth: int, around: tuple[int, ...], found: list[TensorFact]
) -> str:
    if isinstance(value, torch.Tensor):
        fact = TensorFact(dtype_name(value.dtype), tuple(map(int, value.shape)))
        found.append(fact)
        return str(fact)
    if value is None or isinstance(value, (bool, int, float, str)):
        return _safely(
            lambda given: repr(plain_value(given)), value, type(value).__name__
        )
    if id(value) in around or depth > DEEPEST:
        return "..."
    within = (*around, id(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _fields(
            dict(zip(value._fields, value, strict=True)), depth, within, found
        )
    if isinstance(value, dict):
        return _fields(value, depth, within, found)
    if isinstance(value, (tuple, list)):
        inside = ", ".join(
            [_described(item, depth + 1, within, found) for item in value]
        )
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and depth < 4:
        # a field without a default may never have been set
        fields = {
            field.name: getattr(value, field.name, None)
            for field in dataclasses.fields(value)
        }
        return type(value).__name__ + _fields(fields, depth + 1, within, found)
    if (
        depth < 2
        and hasattr(value, "__dict__")
        and any(True for _ in tensors_in(list(vars(value).values())))
    ):
        return type(value).__name__ + _fields(vars(value), depth + 1, within, found)
    return type(value).__name__


def _fields(
    fields: dict[Any, Any], depth: int, around: tuple[int, ...], found: list[TensorFact]
) -> str:
    inside = [
        f"{key_text(key)}: {_described(item, depth + 1, around, found)}"
        for key, item in fields.items()
    ]
    return "{" + ", ".join(inside) + "}"
