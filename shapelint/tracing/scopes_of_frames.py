"""What numbers are called in a running frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import Any

from shapelint.facts.numbers import Scope, Whole

MOST_ITEMS = 64
"""The most elements of a list that is looked at."""


def names_in(frame: FrameType) -> Scope:
    """The numbers with an origin that have a name in a frame: its own names, those of
    what its own names hold (`self.width`, `cfg.width`), and those of its module."""
    found: Scope = {}
    local = dict(frame.f_locals)
    for name, value in local.items():
        if type(value) is Whole:
            found[name] = value
    for name, value in local.items():
        found.update(_numbers_of(name, value))
    found.update(_elements_at(local))
    for name, value in list(frame.f_globals.items()):
        if name in local or name.startswith("__"):
            continue
        if type(value) is Whole:
            found.setdefault(name, value)
        elif not isinstance(value, ModuleType):
            for text, number in _numbers_of(name, value):
                found.setdefault(text, number)
    return found


def _elements_at(local: dict[str, object]) -> Iterator[tuple[str, Whole]]:
    """The elements of lists beside the one that a loop has come to: `sizes[i + 1]`."""
    counters = [
        (name, int(value))
        for name, value in local.items()
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    lists = {
        name: value for name, value in local.items() if type(value) in (list, tuple)
    }
    for (counter, at), name in itertools.product(counters, lists):
        items: Any = lists[name]
        for text, index in ((f"{counter} + 1", at + 1), (f"{counter} - 1", at - 1)):
            # a number that counts nothing here would be an index by chance
            is_within = 0 <= at < len(items) <= MOST_ITEMS
            if is_within and 0 <= index < len(items) and type(items[index]) is Whole:
                yield f"{name}[{text}]", items[index]


def _numbers_of(name: str, value: object) -> Iterator[tuple[str, Whole]]:
    """The attributes of an object that are such numbers, or the items of a dict."""
    if isinstance(value, dict):
        for key, item in list(value.items()):
            if type(item) is Whole and isinstance(key, str):
                yield f'{name}["{key}"]', item
        return
    if isinstance(value, type):
        return
    # not `vars`: it may be the user's own
    held = getattr(value, "__dict__", None)
    if isinstance(held, dict):
        for key, item in list(held.items()):
            if type(item) is Whole:
                yield f"{name}.{key}", item
