"""Imports the user's file as Python would, with edited copies where there are any, and
undoes the import afterwards."""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

import torch

from shapelint.asked.target import Target
from shapelint.facts.errors import UsageError
from shapelint.loading.literals import compile_with_origins
from shapelint.syntax.parsing import nodes_of, tree_of
from shapelint.syntax.texts import Texts

_NOT_THE_USERS = (
    os.path.dirname(torch.__file__) + os.sep,
    str(sysconfig.get_path("stdlib")) + os.sep,
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
)
"""The folders of torch, the standard library and shapelint. They are compared with
every loaded module at every load."""

_RELATIVE = re.compile(r"^\s*from\s*\.", re.MULTILINE)
"""Only files that match need to be parsed for relative imports. It may also match
inside a docstring."""


class _OwnFiles(importlib.abc.MetaPathFinder):
    """Makes `import` use the edited copies of the user's files, so that a fix is tried
    without writing it, and gives the numbers in the files origins on request."""

    def __init__(self, texts: Texts, is_traced: Callable[[str], bool] | None) -> None:
        self.texts = texts
        self.is_traced = is_traced

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            return None
        is_traced = self.is_traced is not None and self.is_traced(spec.origin)
        if not is_traced and self.texts.copy_of(spec.origin) is None:
            return None
        spec.loader = TextLoader(fullname, spec.origin, self.texts, is_traced)
        return spec


class TextLoader(importlib.machinery.SourceFileLoader):
    """Compiles an edited text under the file's own name. Never reads or writes
    bytecode."""

    def __init__(
        self, fullname: str, path: str, texts: Texts, with_origins: bool = False
    ) -> None:
        super().__init__(fullname, path)
        self.text = texts.copy_of(path)
        self.with_origins = with_origins

    def get_code(self, fullname: str) -> CodeType:
        # a file that was not edited goes as bytes, whose encoding Python finds out
        source = self.text if self.text is not None else self.get_data(self.path)
        if self.with_origins:
            return compile_with_origins(source, self.path)
        code: CodeType = self.source_to_code(source, self.path)
        return code


@contextlib.contextmanager
def isolate_imports(
    roots: list[str], texts: Texts, is_traced: Callable[[str], bool] | None = None
) -> Iterator[None]:
    """Put `roots` first on `sys.path`, and restore `sys.path` and `sys.modules` on
    exit.

    Modules below the roots are imported afresh, so that edited copies reach all of
    them. `is_traced` selects the files whose numbers get origins."""
    path, modules, argv = list(sys.path), dict(sys.modules), list(sys.argv)
    write_bytecode = sys.dont_write_bytecode
    finder = _OwnFiles(texts, is_traced)
    _forget_modules(modules, roots)
    # nothing is left in the folders of the user, no `__pycache__` either
    sys.dont_write_bytecode = True
    sys.path[:0] = roots
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = path
        sys.argv[:] = argv
        sys.dont_write_bytecode = write_bytecode
        sys.meta_path.remove(finder)
        new = {key: sys.modules[key] for key in sys.modules.keys() - modules.keys()}
        # libraries that the user's code imported stay: importing torch's extensions
        # twice is slow, and of some an error
        _forget_modules(new, roots)
        for name in modules.keys() - sys.modules.keys():
            sys.modules[name] = modules[name]


def _forget_modules(modules: dict[str, ModuleType], roots: list[str]) -> None:
    for name in users_modules(modules, roots):
        del sys.modules[name]


def users_modules(
    modules: Mapping[str, ModuleType], roots: list[str]
) -> dict[str, ModuleType]:
    """Those of the modules whose files lie below the roots, and not in an installed
    package."""
    others = _known_others(tuple(roots), os.getcwd())
    found: dict[str, ModuleType] = {}
    for name, module in modules.items():
        if others.get(name) is module:
            continue
        if _is_users(module, roots):
            found[name] = module
        else:
            others[name] = module
    return found


@lru_cache(maxsize=4)
def _known_others(_roots: tuple[str, ...], _here: str) -> dict[str, ModuleType]:
    """The modules of which it is known that they are not the user's: there are a
    thousand, and each walk asks."""
    return {}


def _is_users(module: ModuleType | None, roots: list[str]) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and _is_below(file, tuple(roots), os.getcwd())


@lru_cache(maxsize=20_000)
def _is_below(file: str, roots: tuple[str, ...], here: str) -> bool:
    if file.startswith(_NOT_THE_USERS):
        return False
    if "site-packages" in file or "dist-packages" in file:
        return False
    path = os.path.join(here, file)
    folders = (os.path.normpath(os.path.join(here, root)) for root in roots)
    return any(path.startswith(folder + os.sep) for folder in folders)


def import_name(target: Target, texts: Texts) -> tuple[str, list[str], tuple[str, ...]]:
    """Return the name to import, the folders for `sys.path`, and the folders whose
    files count as the user's own."""
    if target.module is not None:
        here = os.getcwd()
        return target.module, [here], (_root_of_module(target.module, here),)
    path = Path(target.path or "").resolve()
    parts = _parts_of_name(path, texts)
    if len(parts) == 1:
        folder = str(path.parent)
        return _name_of_script(path.stem), [folder], (folder,)
    # as many folders up as the name has parts before the file's own
    root = path.parents[len(parts) - 1]
    name = ".".join(parts[:-1] if path.stem == "__init__" else parts)
    return name, [str(root), os.getcwd(), str(path.parent)], (str(root / parts[0]),)


def _root_of_module(module: str, here: str) -> str:
    """The folder of a module's top-level package; for a module outside of packages, its
    file; empty if it cannot be found."""
    spec = _find_spec(module, here)
    if spec is None or not spec.origin:
        return ""
    file = os.path.abspath(spec.origin)
    levels = module.count(".") + (1 if file.endswith("__init__.py") else 0)
    return str(Path(file).parents[levels - 1]) if levels else file


def _find_spec(module: str, here: str) -> ModuleSpec | None:
    path = list(sys.path)
    sys.path.insert(0, here)
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    finally:
        sys.path[:] = path


def _parts_of_name(path: Path, texts: Texts) -> list[str]:
    """A file's dotted name, packages first: as far up as there are `__init__.py` files
    or its relative imports reach."""
    parts = [path.stem]
    folder = path.parent
    climb = _relative_levels(str(path), texts)
    while (folder / "__init__.py").is_file() or climb > 0:
        parts.insert(0, folder.name)
        folder = folder.parent
        climb -= 1
    return parts


def _name_of_script(stem: str) -> str:
    """A module name for a file outside of packages: its own, if no other module has
    it."""
    is_free = stem not in sys.modules and stem.isidentifier()
    return stem if is_free else f"_target_{stem}"


def _relative_levels(file: str, texts: Texts) -> int:
    """How many folders up the relative imports of a file reach: `from ..x import y`
    needs two packages, with or without `__init__.py`."""
    try:
        return _highest_level(texts.text_of(file))
    except UsageError:
        return 0


@lru_cache(maxsize=64)
def _highest_level(text: str) -> int:
    if _RELATIVE.search(text) is None:
        return 0
    imports = nodes_of(tree_of(text), ast.ImportFrom)
    return max((each.level for each in imports), default=0)
