"""What stops shapelint from doing its work: one clear line each, exit code 2."""

from __future__ import annotations


class OutOfTimeError(BaseException):
    """The time that there is for a target is over. Not an `Exception`: the user's own
    handlers are not for it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not finished after {seconds:g} s")


class UsageError(Exception):
    """The words on the command line or in the configuration cannot be used.
    `str(error)` is the one line."""
