"""Facts about a class from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from shapelint.reading.values import FUNCTION_DEFINITIONS, Class, Function

_ADD_NOTHING = ("object", "ABC", "abc.ABC")
"""Bases that call no methods of a class."""

_TEST_CLASS = re.compile(r"Test[A-Z].*|.*[a-z](Test|Tests|TestCase)")


def find_method(owner: Class, name: str) -> Function | None:
    """A method of a class, its own or inherited from a class in the files, in the scope
    of the class that defines it."""
    for item in owner.node.body:
        if isinstance(item, FUNCTION_DEFINITIONS) and item.name == name:
            return Function(item, owner.scope)
    for base in owner.known_bases:
        inherited = find_method(base, name)
        if inherited is not None:
            return inherited
    return None


@lru_cache(maxsize=256)
def takes_derivatives(owner: Class) -> bool:
    """Whether the methods of a class differentiate, as a model of energies and forces
    does."""
    return "autograd.grad" in ast.unparse(owner.node)


def is_open(owner: Class) -> bool:
    """Whether a class has a base outside of the files that are read, which may call its
    methods."""
    if any(map(is_open, owner.known_bases)):
        return True
    others = [
        base for base in owner.node.bases if ast.unparse(base) not in _ADD_NOTHING
    ]
    return len(owner.known_bases) < len(others)


def is_hook(owner: Class, name: str) -> bool:
    """Whether a base class calls a method of this name, or may do so because it is
    outside of the files."""
    # A base that is not read may call any method, as lightning does `validation_step`.
    if is_open(owner):
        return True
    return any(
        name in _list_called_methods(base) or is_hook(base, name)
        for base in owner.known_bases
    )


def _list_called_methods(owner: Class) -> Iterator[str]:
    for part in ast.walk(owner.node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            yield part.func.attr


def is_test_class(owner: Class) -> bool:
    """Whether unittest or pytest would collect the class. Tests of code do not validate
    a model."""
    if _TEST_CLASS.fullmatch(owner.node.name):
        return True
    if any(ast.unparse(base).endswith("TestCase") for base in owner.node.bases):
        return True
    return any(map(is_test_class, owner.known_bases))
