"""Which files of a folder are read."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable

SKIPPED = {
    "__pycache__",
    "node_modules",
    "build",
    "dist",
    "site-packages",
    "venv",
    "env",
}
"""Folders that are not looked into, beside those whose name begins with a dot."""


def find_files(path: str, exclude: Iterable[str] = ()) -> list[str]:
    """A file, or every Python file and notebook below a folder, those left out that a
    pattern of `exclude` fits."""
    if os.path.isfile(path):
        return [path]
    patterns = list(exclude)

    def is_out(*parts: str) -> bool:
        file = os.path.abspath(os.path.join(*parts))
        return any(fnmatch.fnmatch(file, pattern) for pattern in patterns)

    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED
            and not name.startswith(".")
            and not is_out(folder, name)
        )
        own = sorted(
            name
            for name in names
            if name.endswith((".py", ".ipynb")) and not is_out(folder, name)
        )
        found += [os.path.normpath(os.path.join(folder, name)) for name in own]
    return found
