"""Conversion of dataclasses to JSON types and back, for the pipes between our
processes.

Reading follows the type annotations, so that a new field needs no code here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

Reader = Callable[[Any], Any]
"""Converts JSON types to a value of one type."""


def to_plain(value: DataclassInstance) -> dict[str, Any]:
    """A dataclass as JSON types."""
    return asdict(value)


def from_plain(kind: type[T], data: object) -> T:
    """The inverse of `to_plain`, for a dataclass of type `kind`.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: `data` is something else.
    """
    reader: Callable[[object], T] = _reader(cast(Hashable, kind))
    return reader(data)


# To resolve the annotations of a class takes long.
@cache
def _reader(kind: Any) -> Reader:
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_reader(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    origin, arguments = get_origin(kind), get_args(kind)
    # Before Python 3.14, `X | None` gives the second, `Optional[X]` the first.
    if origin in (Union, UnionType):
        return _optional_reader(arguments)
    if origin is list:
        item = _reader(arguments[0])
        return lambda values: [item(value) for value in values]
    if origin in (dict, Mapping):
        of_value = _reader(arguments[1])
        return lambda table: {key: of_value(value) for key, value in table.items()}
    # JSON has no tuples: they come back as lists.
    if origin is tuple:
        return _tuple_reader(arguments)
    return _read_as_is


def _read_as_is(value: Any) -> Any:
    return value


def _dataclass_reader(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(data: Any) -> Any:
        return kind(**{name: readers[name](value) for name, value in data.items()})

    return read


def _optional_reader(arguments: tuple[Any, ...]) -> Reader:
    """Read `X | None`. JSON does not record which of several other types a value
    had."""
    (kind,) = (argument for argument in arguments if argument is not NoneType)
    present = _reader(kind)
    return lambda value: None if value is None else present(value)


def _tuple_reader(arguments: tuple[Any, ...]) -> Reader:
    if arguments[1:] == (...,):
        item = _reader(arguments[0])
        return lambda values: tuple(item(value) for value in values)
    items = [_reader(argument) for argument in arguments]
    return lambda values: tuple(
        item(value) for item, value in zip(items, values, strict=True)
    )
