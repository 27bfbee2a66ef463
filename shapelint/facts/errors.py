"""Errors that stop shapelint from doing its work. Each is reported in one line, with
exit code 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OutOfTimeError(BaseException):
    """The time limit of a target was exceeded. Not an `Exception`, so that exception
    handlers in the user's code do not catch it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not finished after {seconds:g} s")


class UsageError(Exception):
    """The command line or the configuration cannot be used. `str(error)` is the line to
    print."""


def suggest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return the ending of an error message about an unknown word: the known word most
    like it, or else `otherwise`."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean `{close[0]}`?)" if close else otherwise
