"""Converts the user's exceptions, numbers and keys to text safely, whatever their own
`__str__` and `__repr__` do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from torch import Tensor

from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.numbers import Real, Whole

LONGEST = 2000
"""How many characters of a text of the user's are used."""

Value = TypeVar("Value")


def safe_text(spell: Callable[[Value], str], value: Value, otherwise: str) -> str:
    """The text that `spell` returns for a value, shortened and printable anywhere."""
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
    """The text of an exception. If it raises instead, the text that Python's traceback
    would show."""
    return safe_text(str, error, "<exception str() failed>").strip()


def first_line(error: BaseException) -> str:
    """The first line of an exception's text; empty if it has none."""
    lines = message_of(error).splitlines()
    return lines[0] if lines else ""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, the one it was raised from, and so on. Each is listed once, since
    an exception may be its own cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ if error.__cause__ is not None else error.__context__


def plain_value(value: object) -> bool | int | float | str | None:
    """A number or text as Python's own type, since a subclass may do anything when it
    is printed."""
    if value is None or isinstance(value, bool) or type(value) in (Whole, Real):
        return value  # type: ignore[return-value]
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    assert isinstance(value, str)
    return str.__str__(value)


def key_text(key: object) -> str:
    """The key of a dict as text."""
    class_name = type(key).__name__
    # A tensor's text shows its values, and a fake tensor has none.
    return class_name if isinstance(key, Tensor) else safe_text(str, key, class_name)
