"""Which files a model is made of: its own and what that imports, and so on. Nothing is
imported for it."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import DISK

_BY_NAME = ("import_module", "__import__")
"""Calls that import the module that their first argument names; only a run can know it
unless it is a string."""

_BY_PLACE = (
    "load_module",
    "exec_module",
    "spec_from_file_location",
    "run_path",
    "run_module",
    "locate",
    "resolve_name",
)
"""Calls that run a file that only a run can know."""


@dataclass
class Dependencies:
    """The files that something is made of, as absolute paths; `is_complete`: whether
    those are known to be all."""

    files: set[str] = field(default_factory=set)
    is_complete: bool = True


def dependencies_of(places: Iterable[str], folder: str) -> Dependencies:
    """The files behind Python files and dotted modules, installed packages left out.

    `folder`: the project's, from which imports are looked for, beside where the
    interpreter looks for them."""
    found = Dependencies()
    files = [place for place in places if place.endswith(".py")]
    # a file's folder is first on `sys.path` for all that it imports, and so is that
    # above its package
    firsts = [
        root
        for file in map(os.path.realpath, files)
        for root in (os.path.dirname(file), _root_of(file))
    ]
    others = (
        os.path.realpath(root)
        for root in (folder, os.path.join(folder, "src"), os.getcwd())
    )
    roots = list(dict.fromkeys([*firsts, *others]))
    queue: list[str] = []
    for place in places:
        is_file = place in files
        own = [place] if is_file else list(_files(place.split("."), roots))
        is_known = any(map(os.path.isfile, own)) or (
            not is_file and _is_of_a_package(place)
        )
        found.is_complete = found.is_complete and is_known
        queue += own
    while queue:
        current = os.path.realpath(queue.pop())
        if current in found.files or not os.path.isfile(current):
            continue
        found.files.add(current)
        queue.append(_package_of(current))
        queue += _imported(current, roots, found)
    return found


def _package_of(file: str) -> str:
    """The `__init__.py` that is imported before a file; a path that is none where there
    is no package."""
    folder = os.path.dirname(file)
    if os.path.basename(file) == "__init__.py":
        folder = os.path.dirname(folder)
    return os.path.join(folder, "__init__.py")


def _root_of(file: str) -> str:
    """The folder from which a file of a package is imported: the first one above it
    that is no package."""
    folder = os.path.dirname(file)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def _imported(file: str, roots: list[str], found: Dependencies) -> Iterator[str]:
    """The files that a file imports by what is written in it; what is not written makes
    `found` incomplete."""
    try:
        tree = parse_python(DISK.text_of(file))
    except UsageError:
        found.is_complete = False
        return
    from_here = [os.path.dirname(file), _root_of(file), *roots]
    found.is_complete = found.is_complete and not _is_beyond_reading(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _known_files(alias.name.split("."), from_here, found)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported_from(node, file, from_here, found)
        elif isinstance(node, ast.Call):
            yield from _imported_at_run_time(node, from_here, found)


def _is_beyond_reading(tree: ast.Module) -> bool:
    """Whether a file changes where modules are looked for, or hands on what imports
    them by name."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "path"
            and _name_of(node.value) == "sys"
        ):
            return True
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = _name_of(node)
            if name == "__path__" or (name in _BY_NAME and id(node) not in called):
                return True
        if isinstance(node, ast.ImportFrom) and any(
            each.name in _BY_NAME and each.asname for each in node.names
        ):
            return True
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "sys"
            and any(each.name == "path" for each in node.names)
        ):
            return True
    return False


def _known_files(
    parts: list[str], roots: list[str], found: Dependencies
) -> Iterator[str]:
    """As `_files`; a module that is nowhere to be found may be made of anything."""
    files = list(_files(parts, roots))
    is_elsewhere = parts[0] in sys.stdlib_module_names or bool(
        _found_by_python(parts[0])
    )
    found.is_complete = found.is_complete and (bool(files) or is_elsewhere)
    yield from files


def _imported_at_run_time(
    node: ast.Call, roots: list[str], found: Dependencies
) -> Iterator[str]:
    name = _name_of(node.func)
    if name in _BY_PLACE or (isinstance(node.func, ast.Name) and name == "exec"):
        found.is_complete = False
    elif name in _BY_NAME:
        module = (
            node.args[0].value
            if node.args and isinstance(node.args[0], ast.Constant)
            else None
        )
        is_whole = name != "__import__" or (len(node.args) == 1 and not node.keywords)
        if (
            isinstance(module, str)
            and is_whole
            and module
            and not module.startswith(".")
        ):
            yield from _known_files(module.split("."), roots, found)
        else:
            found.is_complete = False


def _imported_from(
    node: ast.ImportFrom, file: str, roots: list[str], found: Dependencies
) -> Iterator[str]:
    base = roots
    if node.level:
        folder = os.path.dirname(file)
        for _ in range(node.level - 1):
            folder = os.path.dirname(folder)
        base = [folder]
    parts = node.module.split(".") if node.module else []
    own = list(
        _known_files(parts, base, found)
        if parts and not node.level
        else _files(parts, base, is_relative=True)
    )
    yield from own
    for alias in node.names:
        if alias.name == "*":  # `__all__` may name any module of a package
            yield from _beside(file for file in own if file.endswith("__init__.py"))
        yield from _files([*parts, alias.name], base, is_relative=bool(node.level))


def _beside(files: Iterable[str]) -> Iterator[str]:
    """The modules and packages of the packages whose `__init__.py` these are."""
    for file in files:
        folder = os.path.dirname(file)
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            yield from _as_file(os.path.join(folder, name.removesuffix(".py")))


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _files(
    parts: list[str], roots: list[str], is_relative: bool = False
) -> Iterator[str]:
    """The packages and the module that a dotted name stands for, where they are not
    installed packages."""
    if not parts:
        return
    for root in roots:
        for length in range(1, len(parts) + 1):
            yield from _as_file(os.path.join(root, *parts[:length]))
    for location in () if is_relative else _located(parts[0]):
        yield location
        for length in range(2, len(parts) + 1):
            yield from _as_file(
                os.path.join(os.path.dirname(location), *parts[1:length])
            )


def _as_file(place: str) -> Iterator[str]:
    yield from (
        each
        for each in (f"{place}.py", os.path.join(place, "__init__.py"))
        if os.path.isfile(each)
    )


def _located(name: str) -> tuple[str, ...]:
    """Where a top-level module lies that is no installed package; of a package its
    `__init__.py`, there or not."""
    return tuple(file for file in _found_by_python(name) if not _is_installed(file))


@lru_cache(maxsize=1024)
def _found_by_python(name: str) -> tuple[str, ...]:
    """Where the interpreter would find it: `.pth` files and the finders of editable
    installs have their say."""
    if name in sys.stdlib_module_names or not name:
        return ()
    try:
        spec = importlib.util.find_spec(
            name
        )  # of a name without dots nothing is imported
    except (ImportError, ValueError, AttributeError):
        return ()
    folders = spec.submodule_search_locations if spec is not None else None
    if folders is not None:
        return tuple(
            os.path.abspath(os.path.join(folder, "__init__.py")) for folder in folders
        )
    return (os.path.abspath(spec.origin),) if spec is not None and spec.origin else ()


def _is_installed(file: str) -> bool:
    return (
        "site-packages" in file or "dist-packages" in file or not file.endswith(".py")
    )


def _is_of_a_package(module: str) -> bool:
    """Whether a module is one of an installed package, which no change of the project's
    files changes."""
    files = _found_by_python(module.partition(".")[0])
    return bool(files) and all(map(_is_installed, files))
