"""Whole and real numbers that know where they come from: which literals, which
dimension of an input, and what was computed with them.

They are instances of `int` and `float`, so everything takes them for what they are.
Only arithmetic between them, and with plain numbers, carries origins on."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Union

Scope = dict[str, int]
"""The numbers that have a name somewhere in the user's code: how each is written there,
as `width` or `self.width`, and what it is."""

LARGEST = 400
"""Parts of an origin; a number computed from more (a loop's counter, a hash) is a plain
one, as nobody would look for a mistake in its origin."""


@dataclass(frozen=True)
class Literal:
    """A number as it is written in a file. Lines count from 1; columns count from 0, in
    UTF-8 bytes, as Python's syntax trees have them."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    value: int | float


@dataclass(frozen=True)
class Dimension:
    """A dimension of a model input: which input, which of its dimensions, and how large
    it is."""

    input: int
    at: int
    value: int


@dataclass(frozen=True)
class Read:
    """A size that was read from a tensor, as by `x.shape[0]`: where the tensor's shape
    was asked for, which dimension it is, and all of its sizes."""

    file: str
    line: int
    column: int | None
    at: int
    # too long to hash each time that one is looked up
    sizes: tuple[Origin, ...] = field(hash=False)

    @property
    def inner(self) -> Origin:
        """Where the size itself comes from."""
        return self.sizes[self.at]

    @property
    def value(self) -> int | float | None:
        return value_of(self.inner, {})


@dataclass(frozen=True)
class Fixed:
    """A number of which nothing is known but its value."""

    value: int | float


@dataclass(frozen=True)
class Operation:
    """Something computed. `symbol`: a binary operator, or `int`, `round`, `floor`,
    `ceil` or `-` of one operand, `right` then being None."""

    symbol: str
    left: Origin
    right: Origin | None
    # of how many parts, which reads count to
    size: int = field(compare=False)


Origin = Union[Literal, Dimension, Read, Fixed, Operation]  # noqa: UP007 - Python 3.10 cannot evaluate `|` of itself


def origin_of(value: object) -> Origin | None:
    """Where a number comes from; None where nobody knows."""
    return value.origin if isinstance(value, (Whole, Real)) else None


def ends_of(origin: Origin) -> Iterator[Origin]:
    """The literals, input dimensions and reads that a number was computed from, in the
    order in which they are written."""
    if isinstance(origin, Operation):
        yield from ends_of(origin.left)
        if origin.right is not None:
            yield from ends_of(origin.right)
    elif isinstance(origin, Read):
        yield origin
        yield from ends_of(origin.inner)
    elif not isinstance(origin, Fixed):
        yield origin


def value_of(origin: Origin, given: dict[Origin, int | float]) -> int | float | None:
    """What comes out with other values at some ends; None where that is not defined.

    `given`: the ends that have another value. Every other end keeps its own."""
    if not isinstance(origin, Operation):
        # only ends are given: the hash of all parts of an operation takes long
        if given and origin in given:
            return given[origin]
        if isinstance(origin, Read):
            return value_of(origin.inner, given)
        return origin.value
    left = value_of(origin.left, given)
    right = value_of(origin.right, given) if origin.right is not None else None
    if left is None or (origin.right is not None and right is None):
        return None
    result: int | float | None
    try:
        if right is None:
            result = _UNARY[origin.symbol](left)
        else:
            result = _BINARY[origin.symbol](left, right)
    except (ArithmeticError, ValueError):
        return None
    return result


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "/": operator.truediv,
    "%": operator.mod,
    "**": operator.pow,
}

_UNARY: dict[str, Callable[[Any], Any]] = {
    "-": operator.neg,
    "int": int,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
}


def without_reads(origin: Origin) -> Origin:
    """The same number, whatever tensors it was read from on the way."""
    if isinstance(origin, Read):
        return without_reads(origin.inner)
    if not isinstance(origin, Operation):
        return origin
    left = without_reads(origin.left)
    right = without_reads(origin.right) if origin.right is not None else None
    return Operation(origin.symbol, left, right, origin.size)


def with_other_read(origin: Origin, read: Read, size: Origin) -> Origin:
    """The same number without reads, computed with another size at one of them."""
    if origin == read:
        return without_reads(size)
    if isinstance(origin, Read):
        return with_other_read(origin.inner, read, size)
    if not isinstance(origin, Operation):
        return origin
    left = with_other_read(origin.left, read, size)
    right = origin.right
    if right is not None:
        right = with_other_read(right, read, size)
    return Operation(origin.symbol, left, right, origin.size)


def are_same(one: Origin, other: Origin) -> bool:
    """Whether two numbers are equal, and stay so with inputs of other sizes: `(n + 1) -
    1` and `n`."""
    ends = (*ends_of(one), *ends_of(other))
    dimensions = [end for end in ends if isinstance(end, Dimension)]
    for more in (0, _OTHER_SIZE):
        # each by another amount, so that none stands for another
        given: dict[Origin, int | float] = {
            end: end.value + more * (1 + 10 * end.input + end.at) for end in dimensions
        }
        value = value_of(one, given)
        if value is None or value != value_of(other, given):
            return False
    return True


_OTHER_SIZE = 97
"""By how much inputs are larger where two numbers are compared: a prime, so that no
division by chance comes out even."""

_NEUTRAL = {"+": Fixed(0), "-": Fixed(0), "*": Fixed(1), "//": Fixed(1)}
"""What changes nothing on the right of an operator."""


def _size(origin: Origin) -> int:
    if isinstance(origin, Read):
        return 1 + _size(origin.inner)
    return origin.size if isinstance(origin, Operation) else 1


def _as_origin(value: int | float) -> Origin:
    return origin_of(value) or Fixed(value)


def _plain(value: Any) -> Any:
    return value.plain_type(value) if isinstance(value, _Known) else value


def _number(value: Any, origin: Origin) -> Any:
    """A computed value with its origin; a plain one where that is too large, and of
    what is no number of Python's own (a power may be complex)."""
    if type(value) not in (int, float) or _size(origin) > LARGEST:
        return value
    return Whole(value, origin) if isinstance(value, int) else Real(value, origin)


def _compute(symbol: str, left: Any, right: Any) -> Any:
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return NotImplemented  # a tensor or a list says itself what comes of it
    result = _BINARY[symbol](_plain(left), _plain(right))
    parts = (_as_origin(left), _as_origin(right))
    if isinstance(result, int):
        # a sum that starts at 0, a division among one group
        if parts[1] == _NEUTRAL.get(symbol):
            return _number(result, parts[0])
        if symbol in "+*" and parts[0] == _NEUTRAL[symbol]:
            return _number(result, parts[1])
    size = 1 + _size(parts[0]) + _size(parts[1])
    return _number(result, Operation(symbol, *parts, size))


def _binary(symbol: str) -> tuple[Any, Any]:
    """The two methods of an operator: with the number on its left, and on its right."""

    def from_left(self: Any, other: Any) -> Any:
        return _compute(symbol, self, other)

    def from_right(self: Any, other: Any) -> Any:
        return _compute(symbol, other, self)

    return from_left, from_right


def _unary(symbol: str) -> Any:
    def method(self: Any, *more: Any) -> Any:
        if more:  # `round(x, 2)`
            return round(_plain(self), *more)
        return _apply(symbol, self)

    return method


def _apply(symbol: str, number: Any) -> Any:
    result = _UNARY[symbol](_plain(number))
    origin = Operation(symbol, number.origin, None, 1 + _size(number.origin))
    return _number(result, origin)


class _Known:
    """What both kinds of numbers share."""

    origin: Origin
    plain_type: type

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __copy__(self) -> Any:
        return self

    def __reduce__(self) -> tuple[type, tuple[Any]]:
        # what leaves the process is a plain number
        return self.plain_type, (self.plain_type(self),)

    __add__, __radd__ = _binary("+")
    __sub__, __rsub__ = _binary("-")
    __mul__, __rmul__ = _binary("*")
    __floordiv__, __rfloordiv__ = _binary("//")
    __truediv__, __rtruediv__ = _binary("/")
    __mod__, __rmod__ = _binary("%")
    __neg__ = _unary("-")
    __round__ = _unary("round")
    __floor__ = _unary("floor")
    __ceil__ = _unary("ceil")


class Whole(_Known, int):
    """A whole number with an origin."""

    plain_type = int

    def __new__(cls, value: int, origin: Origin) -> Whole:
        self = int.__new__(cls, value)
        self.origin = origin
        return self

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        if modulo is not None:
            return pow(int(self), other, modulo)
        return _compute("**", self, other)

    def __rpow__(self, other: Any, modulo: Any = None) -> Any:
        if modulo is not None:
            return pow(other, int(self), modulo)
        return _compute("**", other, self)


class Real(_Known, float):
    """A real number with an origin."""

    plain_type = float

    def __new__(cls, value: float, origin: Origin) -> Real:
        self = float.__new__(cls, value)
        self.origin = origin
        return self


def whole(*arguments: Any, **keywords: Any) -> Any:
    """`int(...)`, which keeps the origin of a number."""
    result = int(*arguments, **keywords)
    if len(arguments) == 1 and not keywords:
        value = arguments[0]
        if isinstance(value, Whole):
            return value
        if isinstance(value, Real):
            return _apply("int", value)
    return result


def plain_type_of(*arguments: Any) -> Any:
    """`type(...)`, which takes a number with an origin for a plain one."""
    if len(arguments) == 1 and isinstance(arguments[0], _Known):
        return arguments[0].plain_type
    return type(*arguments)
