"""Which words of a command line name files to read, and which name models to walk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from shapelint.syntax.own_inputs import has_own_input


def is_source(
    target: str, others: Iterable[str], has_input: bool, is_changed: bool = False
) -> bool:
    """Whether a word of the command line is a file or folder to be read, and not a
    model to be walked.

    A bare file is walked if it has inputs of its own, or if some are given
    (`has_input`) and no other target takes them. `is_changed`: the words are changed
    files."""
    path = Path(target)
    if path.is_dir():
        return True
    if not path.is_file():
        return False
    # A notebook cannot be imported, so that no model in it is walked.
    if is_changed or target.endswith(".ipynb"):
        return True
    if not target.endswith(".py"):
        return False
    if has_input:
        return any(_names_a_model(other) for other in others)
    return not has_own_input(os.path.abspath(target))


def _names_a_model(target: str) -> bool:
    # Not the colon of a drive.
    return ":" in os.path.splitdrive(target)[1]
