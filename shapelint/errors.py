"""What stops shapelint from doing its work: one clear line each, exit code 2."""

from __future__ import annotations


class UsageError(Exception):
    """The words on the command line or in the configuration cannot be used. `str(error)` is the one line."""
