"""Patterns of dotted names for the tables about libraries."""

from __future__ import annotations

from collections.abc import Callable

Fits = Callable[[str], bool]
"""Whether a dotted name matches an entry."""


def last_part(dotted: str) -> str:
    """The last part of a dotted name: `Linear` for `torch.nn.Linear`."""
    return dotted.rpartition(".")[2]


def is_class(dotted: str) -> bool:
    """Whether a name is capitalised like a class."""
    return last_part(dotted)[:1].isupper()


def match_names(*dotted: str) -> Fits:
    """Match these full names."""
    return frozenset(dotted).__contains__


def match_last_part(*last: str) -> Fits:
    """Match names in any module whose last part is one of these."""
    names = frozenset(last)
    return lambda dotted: last_part(dotted) in names


def match_below(*prefixes: str) -> Fits:
    """Match everything in these modules."""
    return lambda dotted: dotted.startswith(prefixes)


def match_classes_below(*prefixes: str) -> Fits:
    """Match the classes in these modules."""
    return lambda dotted: dotted.startswith(prefixes) and is_class(dotted)


def match_all(*conditions: Fits) -> Fits:
    """Match names that fit every condition."""
    return lambda dotted: all(fits(dotted) for fits in conditions)


def match_without(*words: str) -> Fits:
    """Match names that contain none of these words."""
    return lambda dotted: not any(word in dotted for word in words)
