"""Numbers in the words of a place in the code: its names, and what was computed from
them."""

from __future__ import annotations

from shapelint.facts.numbers import (
    Fixed,
    Literal,
    Operation,
    Origin,
    Scope,
    origin_of,
    without_reads,
)


def write_in(scope: Scope, origin: Origin) -> str | None:
    """A number in the words of a scope: a name where it has one, else computed from
    names as it was computed; None where a part of it has no name there."""
    name = name_of(scope, origin)
    if name is not None:
        return name
    if not isinstance(origin, Operation) or origin.right is None:
        return None
    left = _part(scope, origin.left)
    right = _part(scope, origin.right)
    if left is None or right is None:
        return None
    if _is_number(left) and _is_number(right):
        return None
    if origin.symbol == "+" and left == right:
        return f"{put_in_parentheses(left)} * 2"
    if origin.symbol in ("*", "//", "/", "%"):
        left, right = put_in_parentheses(left), put_in_parentheses(right)
    if origin.symbol == "-":
        right = put_in_parentheses(right)
    return f"{left} {origin.symbol} {right}"


def name_of(scope: Scope, origin: Origin) -> str | None:
    """The name that a number has in a scope."""
    plain = without_reads(origin)
    for name, value in scope.items():
        known = origin_of(value)
        if known is not None and without_reads(known) == plain:
            return name
    return None


def _part(scope: Scope, origin: Origin) -> str | None:
    text = write_in(scope, origin)
    if text is not None:
        return text
    # a factor of the user's, as the 2 of a bidirectional layer, or of torch's
    if isinstance(origin, (Literal, Fixed)) and origin.value in (2, 3, 4):
        return str(origin.value)
    return None


def _is_number(text: str) -> bool:
    return text.isdigit()


def put_in_parentheses(text: str) -> str:
    return f"({text})" if " " in text else text
