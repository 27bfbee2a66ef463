"""Finds the files of a module by its dotted name or by a file beside it. Nothing is
imported."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.machinery import ModuleSpec


def files_of_module(
    parts: list[str], roots: list[str], is_relative: bool = False
) -> Iterator[str]:
    """The files of the packages and the module that a dotted name stands for, unless
    they are installed."""
    if not parts:
        return
    for root in roots:
        yield from _files_below(root, parts)
    if is_relative:
        return
    for file in find_top_level(parts[0]):
        if not _is_installed(file):
            yield file
            yield from _files_below(os.path.dirname(file), parts[1:])


def _files_below(root: str, parts: list[str]) -> Iterator[str]:
    """For `a.b.c`, the files of `a`, of `a.b` and of `a.b.c` below a folder."""
    for part in parts:
        root = os.path.join(root, part)
        yield from _as_file(root)


def _as_file(place: str) -> Iterator[str]:
    for file in (f"{place}.py", os.path.join(place, "__init__.py")):
        if os.path.isfile(file):
            yield file


def modules_beside(files: Iterable[str]) -> Iterator[str]:
    """All modules and packages in the packages to which these `__init__.py` files
    belong."""
    for file in files:
        folder = os.path.dirname(file)
        if not os.path.isdir(folder):
            continue
        for name in os.listdir(folder):
            yield from _as_file(os.path.join(folder, name.removesuffix(".py")))


def package_of(file: str) -> str:
    """The `__init__.py` that Python imports before a file. The path may not exist."""
    folder = os.path.dirname(file)
    if os.path.basename(file) == "__init__.py":
        folder = os.path.dirname(folder)
    return os.path.join(folder, "__init__.py")


def root_of(file: str) -> str:
    """The folder from which a file is imported: the first folder above it that is not a
    package."""
    folder = os.path.dirname(file)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def is_of_a_package(module: str) -> bool:
    """Whether a module belongs to an installed package, so that no edit of the project
    changes it."""
    files = find_top_level(module.partition(".")[0])
    return bool(files) and all(map(_is_installed, files))


def _is_installed(file: str) -> bool:
    if not file.endswith(".py"):
        return True
    return "site-packages" in file or "dist-packages" in file


@lru_cache(maxsize=1024)
def find_top_level(name: str) -> tuple[str, ...]:
    """Where the interpreter would find a top-level module, including `.pth` files and
    the finders of editable installs. For a package, its `__init__.py`, whether or not
    that exists."""
    if name in sys.stdlib_module_names or not name:
        return ()
    try:
        # of a name without dots nothing is imported
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return ()
    return _places_of_spec(spec) if spec is not None else ()


def _places_of_spec(spec: ModuleSpec) -> tuple[str, ...]:
    if spec.submodule_search_locations is not None:
        # a namespace package has several folders, and no `__init__.py`
        folders = map(os.path.abspath, spec.submodule_search_locations)
        return tuple(os.path.join(folder, "__init__.py") for folder in folders)
    return (os.path.abspath(spec.origin),) if spec.origin else ()
