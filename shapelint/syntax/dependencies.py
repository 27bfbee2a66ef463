"""The files that a model is made of: its own, and those it imports, directly or
indirectly. Nothing is imported to find them."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shapelint.facts.errors import UsageError
from shapelint.syntax.module_files import (
    files_of_module,
    find_top_level,
    is_of_a_package,
    modules_beside,
    package_of,
    root_of,
)
from shapelint.syntax.parsing import last_name, nodes_of, parse_python
from shapelint.syntax.texts import DISK

_BY_NAME = ("import_module", "__import__")
"""Calls that import the module that their first argument names. If that is not a string
literal, only a run can know it."""

_BY_PLACE = (
    "load_module",
    "exec_module",
    "spec_from_file_location",
    "run_path",
    "run_module",
    "locate",
    "resolve_name",
)
"""Calls that execute a file that only a run can know."""


@dataclass
class Dependencies:
    """The files that something is made of, as absolute paths. `is_complete` is false if
    there may be others."""

    files: set[str] = field(default_factory=set)
    is_complete: bool = True


def dependencies_of(places: Iterable[str], folder: str) -> Dependencies:
    """Find the files behind Python files and dotted modules, leaving out installed
    packages.

    `folder` is the project's folder. Imports are searched there and wherever the
    interpreter would search."""
    places = list(places)
    found = Dependencies()
    roots = _roots_of([place for place in places if place.endswith(".py")], folder)
    queue: list[str] = []
    for place in places:
        queue += _first_files(place, roots, found)
    while queue:
        current = os.path.realpath(queue.pop())
        if current in found.files or not os.path.isfile(current):
            continue
        found.files.add(current)
        queue.append(package_of(current))
        queue += _imports_of(current, roots, found)
    return found


def _roots_of(files: list[str], folder: str) -> list[str]:
    """The folders in which imports are searched, without repetition."""
    roots: list[str] = []
    for file in map(os.path.realpath, files):
        # a file's folder is first on `sys.path` for all that it imports, and so is that
        # above its package
        roots += [os.path.dirname(file), root_of(file)]
    project = (folder, os.path.join(folder, "src"), os.getcwd())
    roots += map(os.path.realpath, project)
    return list(dict.fromkeys(roots))


def _first_files(place: str, roots: list[str], found: Dependencies) -> list[str]:
    """The files that a place names. If there is none, `found` becomes incomplete."""
    if place.endswith(".py"):
        files, may_be_nowhere = [place], False
    else:
        files = list(files_of_module(place.split("."), roots))
        may_be_nowhere = is_of_a_package(place)
    if not may_be_nowhere and not any(map(os.path.isfile, files)):
        found.is_complete = False
    return files


def _imports_of(file: str, roots: list[str], found: Dependencies) -> Iterator[str]:
    """The files that a file imports, as far as its text shows. Otherwise `found`
    becomes incomplete."""
    try:
        tree = parse_python(DISK.text_of(file))
    except UsageError:
        found.is_complete = False
        return
    from_here = [os.path.dirname(file), root_of(file), *roots]
    if _is_beyond_reading(tree):
        found.is_complete = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _find_known_files(alias.name.split("."), from_here, found)
        elif isinstance(node, ast.ImportFrom):
            yield from _files_of_from(node, file, from_here, found)
        elif isinstance(node, ast.Call):
            yield from _files_of_call(node, from_here, found)


def _is_beyond_reading(tree: ast.Module) -> bool:
    """Whether a file changes the import path, or gives the functions that import by
    name to other code."""
    if any(map(_hides_imports, nodes_of(tree, ast.ImportFrom))):
        return True
    # a call of `import_module` itself is looked into by `_files_of_call`
    called = {id(call.func) for call in nodes_of(tree, ast.Call)}
    others = [node for node in ast.walk(tree) if id(node) not in called]
    return any(map(_is_search_path, others)) or any(map(_is_importer, others))


def _hides_imports(node: ast.ImportFrom) -> bool:
    """Whether a statement is like `from importlib import import_module as load` or
    `from sys import path`."""
    names = {alias.name for alias in node.names}
    renamed = {alias.name for alias in node.names if alias.asname}
    is_search_path = node.module == "sys" and "path" in names
    return is_search_path or not renamed.isdisjoint(_BY_NAME)


def _is_importer(node: ast.AST) -> bool:
    """Whether an expression is `import_module` or `__import__`."""
    return last_name(node) in _BY_NAME


def _is_search_path(node: ast.AST) -> bool:
    """Whether an expression is `sys.path`, or the `__path__` of a package."""
    if last_name(node) == "__path__":
        return True
    if not isinstance(node, ast.Attribute) or node.attr != "path":
        return False
    return last_name(node.value) == "sys"


def _find_known_files(
    parts: list[str], roots: list[str], found: Dependencies
) -> Iterator[str]:
    """Like `files_of_module`, but a module that is not found makes `found`
    incomplete."""
    files = list(files_of_module(parts, roots))
    is_standard = parts[0] in sys.stdlib_module_names
    is_known = files or is_standard or find_top_level(parts[0])
    if not is_known:
        found.is_complete = False
    yield from files


def _files_of_call(
    node: ast.Call, roots: list[str], found: Dependencies
) -> Iterator[str]:
    """The files that a call of an importing function loads at run time."""
    name = last_name(node.func)
    # the builtin alone: a method of that name need not run code
    is_exec = isinstance(node.func, ast.Name) and name == "exec"
    if name in _BY_PLACE or is_exec:
        found.is_complete = False
    if name not in _BY_NAME:
        return
    module = _read_imported_module(node)
    if module:
        yield from _find_known_files(module.split("."), roots, found)
    else:
        found.is_complete = False


def _read_imported_module(node: ast.Call) -> str:
    """The module that such a call imports, if its name is a literal and not
    relative."""
    first = node.args[0] if node.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return ""
    # further arguments of `__import__` may make the name a relative one
    is_plain = len(node.args) == 1 and not node.keywords
    if last_name(node.func) == "__import__" and not is_plain:
        return ""
    return "" if first.value.startswith(".") else first.value


def _files_of_from(
    node: ast.ImportFrom, file: str, roots: list[str], found: Dependencies
) -> Iterator[str]:
    parts = node.module.split(".") if node.module else []
    if node.level:
        roots = [_folder_above(file, node.level)]
        own = list(files_of_module(parts, roots, is_relative=True))
    else:
        own = list(_find_known_files(parts, roots, found))
    yield from own
    packages = [each for each in own if each.endswith("__init__.py")]
    is_relative = node.level > 0
    for alias in node.names:
        if alias.name == "*":  # `__all__` may name any module of a package
            yield from modules_beside(packages)
        yield from files_of_module([*parts, alias.name], roots, is_relative)


def _folder_above(file: str, level: int) -> str:
    """The folder from which an import with this many leading dots starts."""
    folder = file
    for _ in range(level):
        folder = os.path.dirname(folder)
    return folder
