"""Which dotted names an entry of the library's tables is about."""

from __future__ import annotations

from collections.abc import Callable

Fits = Callable[[str], bool]
"""Whether an entry is about a dotted name."""


def last_part(dotted: str) -> str:
    """`Linear` of `torch.nn.Linear`."""
    return dotted.rpartition(".")[2]


def is_class(dotted: str) -> bool:
    """Whether a name is written as those of classes are."""
    return last_part(dotted)[:1].isupper()


def match_names(*dotted: str) -> Fits:
    """These names, each as a whole."""
    return frozenset(dotted).__contains__


def match_last_part(*last: str) -> Fits:
    """Names of any module with one of these last parts."""
    names = frozenset(last)
    return lambda dotted: last_part(dotted) in names


def match_below(*prefixes: str) -> Fits:
    """Everything in these modules."""
    return lambda dotted: dotted.startswith(prefixes)


def match_classes_below(*prefixes: str) -> Fits:
    """The classes in these modules."""
    return lambda dotted: dotted.startswith(prefixes) and is_class(dotted)


def match_all(*conditions: Fits) -> Fits:
    """What fits each condition."""
    return lambda dotted: all(fits(dotted) for fits in conditions)


def match_without(*words: str) -> Fits:
    """Names that have none of these words in them."""
    return lambda dotted: not any(word in dotted for word in words)
