"""What numbers are called in a running frame."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType, ModuleType

from shapelint.facts.numbers import Scope, Whole


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
    for name, value in list(frame.f_globals.items()):
        if name in local or name.startswith("__"):
            continue
        if type(value) is Whole:
            found.setdefault(name, value)
        elif not isinstance(value, ModuleType):
            for text, number in _numbers_of(name, value):
                found.setdefault(text, number)
    return found


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
