"""Importing the user's file as Python would, edited copies included, and leaving
nothing behind."""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from shapelint.asked.target import Target
from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import Texts

_NOT_THE_USERS = (
    os.path.dirname(torch.__file__) + os.sep,
    str(sysconfig.get_path("stdlib")) + os.sep,
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
)
"""Where torch, the standard library and shapelint lie; asked of every loaded module at
every load."""


class _EditedFiles(importlib.abc.MetaPathFinder):
    """Serves edited copies of files to `import`, so that a fix is tried without writing
    it."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or not spec.origin or self.texts.copy_of(spec.origin) is None:
            return None
        spec.loader = TextLoader(fullname, spec.origin, self.texts)
        return spec


class TextLoader(importlib.machinery.SourceFileLoader):
    """Compiles the edited text under the file's own name; never reads or writes
    bytecode."""

    def __init__(self, fullname: str, path: str, texts: Texts) -> None:
        super().__init__(fullname, path)
        self.text = texts.copy_of(path)

    def get_code(self, fullname: str) -> Any:
        source = self.text if self.text is not None else self.get_data(self.path)
        return self.source_to_code(source, self.path)


@contextlib.contextmanager
def isolated_imports(roots: list[str], texts: Texts) -> Iterator[None]:
    """`sys.path` leads with `roots`; on leaving, `sys.path` and `sys.modules` are as
    they were.

    Modules from below the roots are imported afresh, so that edited copies reach
    them all."""
    path, modules, argv = list(sys.path), dict(sys.modules), list(sys.argv)
    finder = _EditedFiles(texts)
    write_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    for name in [
        name for name, module in modules.items() if is_users_module(module, roots)
    ]:
        del sys.modules[name]
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
        for name in [name for name in sys.modules if name not in modules]:
            if is_users_module(sys.modules[name], roots):
                del sys.modules[name]
        for name, module in modules.items():
            sys.modules.setdefault(name, module)


def is_users_module(module: ModuleType | None, roots: list[str]) -> bool:
    """Whether a module's file lies below the roots and in no installed package."""
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and _below(file, tuple(roots), os.getcwd())


@lru_cache(maxsize=20_000)
def _below(file: str, roots: tuple[str, ...], here: str) -> bool:
    if (
        "site-packages" in file
        or "dist-packages" in file
        or file.startswith(_NOT_THE_USERS)
    ):
        return False
    path = os.path.join(here, file)
    return any(
        path.startswith(os.path.normpath(os.path.join(here, root)) + os.sep)
        for root in roots
    )


def import_name(target: Target, texts: Texts) -> tuple[str, list[str], tuple[str, ...]]:
    """Name to import, directories for `sys.path`, and directories whose files count as
    the user's own."""
    here = os.getcwd()
    if target.module is not None:
        spec = _find_spec(target.module, here)
        file = os.path.abspath(spec.origin) if spec is not None and spec.origin else ""
        levels = target.module.count(".") + (1 if file.endswith("__init__.py") else 0)
        return (
            target.module,
            [here],
            (str(Path(file).parents[max(0, levels - 1)]),)
            if file and levels
            else (file,),
        )
    path = Path(target.path or "").resolve()
    parts = [path.stem]
    folder = path.parent
    climb = _relative_levels(str(path), texts)
    while (folder / "__init__.py").is_file() or climb > 0:
        parts.insert(0, folder.name)
        folder = folder.parent
        climb -= 1
    if len(parts) == 1:
        name = (
            path.stem
            if path.stem not in sys.modules and path.stem.isidentifier()
            else f"_target_{path.stem}"
        )
        return name, [str(path.parent)], (str(path.parent),)
    name = ".".join(parts[:-1] if path.stem == "__init__" else parts)
    return name, [str(folder), here, str(path.parent)], (str(folder / parts[0]),)


def _find_spec(module: str, here: str) -> Any:
    path = list(sys.path)
    sys.path.insert(0, here)
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    finally:
        sys.path[:] = path


def _relative_levels(file: str, texts: Texts) -> int:
    """How far up relative imports reach: `from ..x import y` needs two packages, marked
    as such or not."""
    try:
        return _highest_level(texts.text_of(file))
    except UsageError:
        return 0


@lru_cache(maxsize=64)
def _highest_level(text: str) -> int:
    nodes = ast.walk(parse_python(text))
    levels = (node.level for node in nodes if isinstance(node, ast.ImportFrom))
    return max(levels, default=0)
