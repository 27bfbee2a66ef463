"""Slips in names and calls: what an exception says of a name that does not exist or of
a call that does not fit, and which names there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shapelint.facts.places import Site


class SlipKind(Enum):
    """What does not exist, or does not fit."""

    ATTRIBUTE = "attribute"
    NAME = "name"
    KEY = "key"
    KEYWORD = "keyword"
    ARGUMENTS = "arguments"
    """A call has too few or too many arguments."""
    NO_INIT = "no init"
    """`nn.Module.__init__` has not run yet."""
    NO_FORWARD = "no forward"
    NO_BASE = "no base"
    """A class with a `forward` does not inherit from `nn.Module`."""
    HIDDEN_METHOD = "hidden method"
    """An attribute has the name of a method of `nn.Module`, and hides it."""
    OPERATION = "operation"
    """Something is called, indexed or sized that is of another kind: a method without
    parentheses, a float as a size."""


@dataclass(frozen=True)
class Slip:
    """An exception that Python or torch raises for a name or a call.

    `sites`: the user's frames, innermost first. `name`: what is missing, or hides a
    method. `owner`: what lacks it: a class, or a module such as `torch.nn`. `home`: file
    and name of the user's class concerned. `known`: what could be meant in its place.
    `of_self`: the attributes of `self` where it was raised. `variables`: the variables
    there. `elsewhere`: the modules that have the missing name."""

    kind: SlipKind
    message: str
    sites: tuple[Site, ...]
    name: str = ""
    owner: str = ""
    home: tuple[str, str] = ("", "")
    known: tuple[str, ...] = ()
    of_self: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
