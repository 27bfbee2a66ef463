"""What stops shapelint from doing its work: one clear line each, exit code 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OutOfTimeError(BaseException):
    """The time that there is for a target is over. Not an `Exception`: the user's own
    handlers are not for it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not finished after {seconds:g} s")


class UsageError(Exception):
    """The words on the command line or in the configuration cannot be used.
    `str(error)` is the one line."""


def suggest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """What is added to the message for an unknown word: the known one that is near it,
    if there is one."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean `{close[0]}`?)" if close else otherwise
