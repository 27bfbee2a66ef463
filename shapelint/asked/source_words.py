"""Decides which words of a command line are files to read and which are models to
walk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from shapelint.syntax.own_inputs import has_own_input


def is_source(
    target: str, others: Iterable[str], has_input: bool, is_changed: bool = False
) -> bool:
    """Whether a target is a file or folder to read, rather than a model to walk.

    A bare file is walked if it declares its own inputs, or if inputs are given
    (`has_input`) and no other target takes them. `is_changed`: the targets are changed
    files, which are only read."""
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
