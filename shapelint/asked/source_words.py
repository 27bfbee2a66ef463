"""Which words of a command line are files to be read, and not models to be walked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from shapelint.syntax.own_inputs import has_own_input


def is_source(target: str, others: Iterable[str], words: Mapping[str, object]) -> bool:
    """Whether a word of the command line is a file or folder to be read, and not a
    model to be walked.

    A bare file is walked if it has inputs of its own, or if some are given and no other
    target takes them."""
    path = Path(target)
    if words.get("changed") and path.is_file():
        return True
    if path.is_dir() or (target.endswith(".ipynb") and path.is_file()):
        return True
    if not target.endswith(".py") or not path.is_file():
        return False
    has_input = bool(words.get("inputs") or words.get("input_factory"))
    if has_input:
        return any(_names_a_model(other) for other in others)
    return not has_own_input(os.path.abspath(target))


def _names_a_model(target: str) -> bool:
    return ":" in os.path.splitdrive(target)[1]
