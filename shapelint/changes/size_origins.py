"""How the sizes of a failed call came about, in the words of the user's code."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.changes.mismatches import mismatches_of
from shapelint.changes.scope_words import name_of, put_in_parentheses
from shapelint.facts.diagnostics import SizeOrigin
from shapelint.facts.graph import Call
from shapelint.facts.numbers import (
    Dimension,
    Literal,
    Operation,
    Origin,
    Read,
    Scope,
    ends_of,
    value_of,
)
from shapelint.facts.places import Span
from shapelint.facts.walked_target import Walked

MOST_ENDS = 5
"""Of a size that more numbers went into, nobody reads the expression."""

_LOOSE = ("+", "-")
_TIGHT = ("*", "/", "//", "%", "**")


def size_origins_of(walked: Walked, call: Call) -> tuple[SizeOrigin, ...]:
    """What the sizes that differ were computed from: what arrives first. Only those
    that were computed, or that are written elsewhere than they are used."""
    scope = _scope_of(walked, call)
    for mismatch in mismatches_of(call):
        sides = (mismatch.arrives, mismatch.takes)
        return tuple(found for each in sides for found in _describe(each, scope))
    return ()


def _scope_of(walked: Walked, call: Call) -> Scope:
    """The names at the place of the call, and those where its layer was made."""
    found = dict(call.failure.scope) if call.failure is not None else {}
    made = walked.scopes.get(call.module_path, ()) if call.is_module else ()
    return {**found, **(made[0] if made else {})}


def _describe(origin: Origin, scope: Scope) -> Iterator[SizeOrigin]:
    value = value_of(origin, {})
    ends = list(dict.fromkeys(_shown_ends(origin)))
    if not isinstance(value, int) or not 0 < len(ends) <= MOST_ENDS:
        return
    expression = write_expression(origin, scope)
    is_plain = expression.isdigit()
    places = dict.fromkeys(_place_of(end) for end in ends)
    yield SizeOrigin(int(value), "" if is_plain else expression, tuple(places))


def _place_of(end: Literal) -> Span:
    # columns count from 1 there
    column, end_column = end.column + 1, end.end_column + 1
    return Span(end.file, end.line, column, end.end_line, end_column)


def _shown_ends(origin: Origin) -> Iterator[Literal]:
    """The literals of an expression, without those of what is shown as a value."""
    if isinstance(origin, Literal):
        yield origin
    elif isinstance(origin, Read):
        yield from _shown_ends(origin.inner)
    elif isinstance(origin, Operation) and not _is_only_value(origin):
        yield from _shown_ends(origin.left)
        if origin.right is not None:
            yield from _shown_ends(origin.right)


def _is_only_value(origin: Origin) -> bool:
    """Whether nobody wrote it: no number of the user's went into it, or it is what
    windows leave of the input's sizes."""
    ends = list(ends_of(origin))
    if not any(isinstance(end, Literal) for end in ends):
        return True
    is_of_input = any(isinstance(end, Dimension) for end in ends)
    is_joined = isinstance(origin, Operation) and origin.symbol in ("*", "+")
    return is_of_input and not is_joined


def write_expression(origin: Origin, scope: Scope) -> str:
    """A size as it was computed: names where the scope has them, and the value of every
    part that nobody wrote."""
    if isinstance(origin, Read):
        return write_expression(origin.inner, scope)
    if _is_only_value(origin):
        return str(value_of(origin, {}))
    name = name_of(scope, origin)
    if name is not None:
        return name
    if not isinstance(origin, Operation):
        return str(value_of(origin, {}))
    left = write_expression(origin.left, scope)
    if origin.right is None:
        return f"{origin.symbol}({left})"
    right = write_expression(origin.right, scope)
    if origin.symbol in _TIGHT:
        left = left if _is_product(origin.left) else put_in_parentheses(left)
        right = put_in_parentheses(right)
    elif origin.symbol in _LOOSE and _is_sum(origin.right):
        right = put_in_parentheses(right)
    return f"{left} {origin.symbol} {right}"


def _is_product(origin: Origin) -> bool:
    return isinstance(origin, Operation) and origin.symbol == "*"


def _is_sum(origin: Origin) -> bool:
    return isinstance(origin, Operation) and origin.symbol in _LOOSE
