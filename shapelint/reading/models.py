"""The model classes below a folder, and which of them are whole models and not parts of
others. Nothing is run."""

from __future__ import annotations

import ast
import fnmatch
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from shapelint.facts.errors import UsageError
from shapelint.reading.files import Files, dotted_name
from shapelint.reading.values import Class, Reference
from shapelint.syntax.texts import DISK
from shapelint.syntax.trees import parse_file

_TESTS = ("test_*.py", "*_test.py", "conftest.py", "setup.py")
_TEST_FOLDERS = {"tests", "test"}


@dataclass(frozen=True)
class ModelClass:
    """A class with a forward. `required`: what its constructor must be given; `call`:
    how some file of these does.

    `trains`: the line at which its file would begin to train if it were imported.
    """

    file: str
    name: str
    required: tuple[str, ...] = ()
    call: str = ""
    trains: int | None = None

    @property
    def target(self) -> str:
        """As after `shapelint check`."""
        return f"{self.file}:{self.name}{self.call}"


def models_in(files: Iterable[str]) -> list[ModelClass]:
    """The classes with a forward that no other class makes, in the order of the
    files."""
    found: list[ModelClass] = []
    parts: set[str] = set()
    calls: dict[str, str] = {}
    for file in files:
        if not file.endswith(".py"):
            continue
        calls = {**_plain_calls(file), **calls}
        if _is_test(file):
            continue
        for own in _classes(file):
            if _has_forward(own) and not own.node.name.startswith("_"):
                found.append(
                    ModelClass(
                        file, own.node.name, _required(own), trains=_trains_at(file)
                    )
                )
            parts |= _made_in(own)
    whole = [each for each in found if each.name not in parts]
    return [
        replace(each, call=calls.get(each.name, "")) if each.required else each
        for each in whole
    ]


def _trains_at(file: str) -> int | None:
    """The first statement that an import runs and that trains: a `backward`, a `fit`, a
    call of `main` or `train`."""
    source = parse_file(os.path.abspath(file), DISK)
    for statement in source.tree.body if source is not None else ():
        if isinstance(
            statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        ) or _is_main_guard(statement):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                if method in ("backward", "fit") or dotted_name(node.func) in (
                    "main",
                    "train",
                    "run",
                ):
                    return statement.lineno
    return None


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _plain_calls(file: str) -> dict[str, str]:
    """By the name of what is called, the arguments of its first call that are all
    written out: `(10, width=64)`."""
    source = parse_file(os.path.abspath(file), DISK)
    found: dict[str, str] = {}
    for node in ast.walk(source.tree) if source is not None else ():
        if not isinstance(node, ast.Call) or not (node.args or node.keywords):
            continue
        name = dotted_name(node.func).rpartition(".")[2]
        values = [*node.args, *(each.value for each in node.keywords)]
        if (
            name
            and all(map(_is_literal, values))
            and all(each.arg for each in node.keywords)
        ):
            arguments = [ast.unparse(each) for each in node.args]
            arguments += [
                f"{each.arg}={ast.unparse(each.value)}" for each in node.keywords
            ]
            found.setdefault(name, f"({', '.join(arguments)})")
    return found


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_test(file: str) -> bool:
    name = os.path.basename(file)
    folders = os.path.relpath(file).split(os.sep)[:-1]
    return any(fnmatch.fnmatch(name, pattern) for pattern in _TESTS) or bool(
        _TEST_FOLDERS & set(folders)
    )


def _classes(file: str) -> Iterator[Class]:
    """The module classes that a file defines itself."""
    try:
        scope = Files(DISK).scope(file)
    except UsageError:
        return
    for value in scope.names.values() if scope is not None else ():
        if (
            isinstance(value, Class)
            and value.scope is scope
            and (value.kind == "module" or _is_lightning(value))
        ):
            yield value


def _is_lightning(own: Class) -> bool:
    return any(
        isinstance(base, Reference) and base.dotted.endswith("LightningModule")
        for base in own.bases
    )


def _lineage(own: Class) -> Iterator[Class]:
    yield own
    for base in own.bases:
        if isinstance(base, Class):
            yield from _lineage(base)


def _method(own: Class, name: str) -> ast.FunctionDef | None:
    """A method, its own or of a base in the files."""
    for each in _lineage(own):
        for node in each.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
    return None


def _has_forward(own: Class) -> bool:
    is_abstract = any(
        "abstractmethod" in ast.unparse(node) for node in _decorators(own)
    )
    bases = [base for each in _lineage(own) for base in each.bases]
    is_container = any(
        isinstance(base, Reference) and base.dotted.endswith("Sequential")
        for base in bases
    )
    return not is_abstract and (_method(own, "forward") is not None or is_container)


def _decorators(own: Class) -> Iterator[ast.expr]:
    for node in own.node.body:
        if isinstance(node, ast.FunctionDef):
            yield from node.decorator_list


def _required(own: Class) -> tuple[str, ...]:
    init = _method(own, "__init__")
    if init is None:
        return ()
    given = [arg.arg for arg in (*init.args.posonlyargs, *init.args.args)][1:]
    needed = given[: len(given) - len(init.args.defaults)]
    needed += [
        arg.arg
        for arg, default in zip(
            init.args.kwonlyargs, init.args.kw_defaults, strict=True
        )
        if default is None
    ]
    return tuple(needed)


def _made_in(own: Class) -> set[str]:
    """The names in a class other than its own and those of its bases: parts are among
    them."""
    names: set[str] = set()
    for node in (each for statement in own.node.body for each in ast.walk(statement)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return names - {own.node.name}
