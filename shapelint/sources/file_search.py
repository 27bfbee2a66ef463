"""Finds the files of a folder to read."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable

SKIPPED = frozenset(
    ("__pycache__", "node_modules", "build", "dist", "site-packages", "venv", "env")
)
"""Folders that are not searched, like those whose name begins with a dot: tools or
other people wrote their contents."""

SUFFIXES = (".py", ".ipynb")


def find_files(path: str, exclude: Iterable[str] = ()) -> list[str]:
    """A file, or every Python file and notebook below a folder, in a stable order,
    except those that match a pattern of `exclude`."""
    if os.path.isfile(path):
        return [path]
    patterns = list(exclude)
    found: list[str] = []
    for folder, folders, names in os.walk(path):
        # os.walk goes into what is left in `folders`, in this order.
        folders[:] = [
            name
            for name in sorted(folders)
            if _is_looked_into(name)
            and not _is_excluded(os.path.join(folder, name), patterns)
        ]
        files = [name for name in sorted(names) if name.endswith(SUFFIXES)]
        paths = [os.path.normpath(os.path.join(folder, name)) for name in files]
        found += [each for each in paths if not _is_excluded(each, patterns)]
    return found


def _is_looked_into(folder: str) -> bool:
    return folder not in SKIPPED and not folder.startswith(".")


def _is_excluded(path: str, patterns: list[str]) -> bool:
    absolute = os.path.abspath(path)
    return any(fnmatch.fnmatch(absolute, pattern) for pattern in patterns)
