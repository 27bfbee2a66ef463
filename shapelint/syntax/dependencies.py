"""Which files a file is made of: itself and what it imports from beside it, and so on. Nothing is imported for it."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator

from shapelint.errors import UsageError
from shapelint.syntax.places import file_text
from shapelint.syntax.texts import syntax


def files_behind(file: str, roots: Iterable[str]) -> set[str]:
    """A file and the files that it imports, directly or not, as absolute paths.

    `roots`: folders from which absolute imports are looked for, beside the file's own.
    """
    found: set[str] = set()
    queue = [os.path.abspath(file)]
    folders = [os.path.abspath(root) for root in roots]
    while queue:
        current = queue.pop()
        if current in found or not os.path.isfile(current):
            continue
        found.add(current)
        queue.append(_package_of(current))
        queue += _imported(current, [os.path.dirname(current), *folders])
    return found


def _package_of(file: str) -> str:
    """The `__init__.py` that is imported before a file; a path that is none where there is no package."""
    folder = os.path.dirname(file)
    if os.path.basename(file) == "__init__.py":
        folder = os.path.dirname(folder)
    return os.path.join(folder, "__init__.py")


def _imported(file: str, roots: list[str]) -> Iterator[str]:
    try:
        tree = syntax(file_text(file))
    except UsageError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name.split("."), roots)
        elif isinstance(node, ast.ImportFrom):
            base = roots
            if node.level:
                folder = os.path.dirname(file)
                for _ in range(node.level - 1):
                    folder = os.path.dirname(folder)
                base = [folder]
            parts = node.module.split(".") if node.module else []
            yield from _files(parts, base)
            for alias in node.names:
                yield from _files([*parts, alias.name], base)


def _files(parts: list[str], roots: list[str]) -> Iterator[str]:
    """The packages and the module that a dotted name stands for, where they lie below a root."""
    for root in roots:
        for length in range(1, len(parts) + 1):
            place = os.path.join(root, *parts[:length])
            yield from (each for each in (f"{place}.py", os.path.join(place, "__init__.py")) if os.path.isfile(each))
