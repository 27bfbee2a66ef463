"""Finds the model classes below a folder that are whole models and not parts of others.
Nothing is run."""

from __future__ import annotations

import ast
import fnmatch
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from shapelint.facts.errors import UsageError
from shapelint.reading.scopes import Files, read_dotted_name
from shapelint.reading.values import FUNCTION_DEFINITIONS, Class, ClassKind, Reference
from shapelint.syntax.texts import DISK
from shapelint.syntax.trees import parse_file

_TESTS = ("test_*.py", "*_test.py", "conftest.py", "setup.py")
_TEST_FOLDERS = {"tests", "test"}


@dataclass(frozen=True)
class ModelClass:
    """A class with a forward.

    `required`: the parameters of its constructor without a default. `call`: how some
    file of the project makes it. `trains`: the line at which its file would start to
    train when imported."""

    file: str
    name: str
    required: tuple[str, ...] = ()
    call: str = ""
    trains: int | None = None

    @property
    def target(self) -> str:
        """The target for `shapelint check`."""
        return f"{self.file}:{self.name}{self.call}"


def find_models(files: Iterable[str]) -> list[ModelClass]:
    """The classes with a forward that no other class makes, in the order of the
    files."""
    found: list[ModelClass] = []
    parts: set[str] = set()
    calls: dict[str, str] = {}
    for file in files:
        if not file.endswith(".py"):
            continue
        # Tests show how a model is made, and define none that is checked.
        calls = {**_find_plain_calls(file), **calls}
        if _is_test(file):
            continue
        for own in _classes_in(file):
            parts |= _names_in(own)
            if _has_forward(own) and not own.node.name.startswith("_"):
                found.append(_describe(own, file))
    # A model that another class makes is a part of it, and is walked with it.
    whole = [each for each in found if each.name not in parts]
    return [
        replace(each, call=calls.get(each.name, "")) if each.required else each
        for each in whole
    ]


def _describe(own: Class, file: str) -> ModelClass:
    name, required = own.node.name, _list_required_arguments(own)
    return ModelClass(file, name, required, trains=_find_training_line(file))


# -- what a file does when it is imported


def _find_training_line(file: str) -> int | None:
    """The first line that runs on import and trains: a `backward`, a `fit`, or a call
    of `main` or `train`."""
    source = parse_file(os.path.abspath(file), DISK)
    if source is None:
        return None
    definitions = (*FUNCTION_DEFINITIONS, ast.ClassDef)
    for statement in source.tree.body:
        if isinstance(statement, definitions) or _is_main_guard(statement):
            continue
        if any(map(_trains, ast.walk(statement))):
            return statement.lineno
    return None


def _trains(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("backward", "fit"):
        return True
    return read_dotted_name(node.func) in ("main", "train", "run")


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


# -- how a model is made


def _find_plain_calls(file: str) -> dict[str, str]:
    """For each name that is called with literals only, the arguments of its first such
    call: `(10, width=64)`."""
    source = parse_file(os.path.abspath(file), DISK)
    found: dict[str, str] = {}
    for node in ast.walk(source.tree) if source is not None else ():
        if isinstance(node, ast.Call):
            name = read_dotted_name(node.func).rpartition(".")[2]
            arguments = _plain_arguments(node)
            if name and arguments:
                found.setdefault(name, f"({', '.join(arguments)})")
    return found


def _plain_arguments(node: ast.Call) -> list[str]:
    """The arguments of a call as text; empty unless all of them are literals."""
    values = [*node.args, *(word.value for word in node.keywords)]
    has_stars = any(word.arg is None for word in node.keywords)
    if has_stars or not all(map(_is_literal, values)):
        return []
    named = [f"{word.arg}={ast.unparse(word.value)}" for word in node.keywords]
    return [*(ast.unparse(each) for each in node.args), *named]


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _list_required_arguments(own: Class) -> tuple[str, ...]:
    init = _find_own_method(own, "__init__")
    if init is None:
        return ()
    spec = init.args
    positional = [arg.arg for arg in (*spec.posonlyargs, *spec.args)][1:]
    required = positional[: len(positional) - len(spec.defaults)]
    for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if default is None:
            required.append(arg.arg)
    return tuple(required)


# -- which classes are models


def _is_test(file: str) -> bool:
    name = os.path.basename(file)
    if any(fnmatch.fnmatch(name, pattern) for pattern in _TESTS):
        return True
    folders = os.path.relpath(file).split(os.sep)[:-1]
    return not _TEST_FOLDERS.isdisjoint(folders)


def _classes_in(file: str) -> Iterator[Class]:
    """The module classes that a file defines itself."""
    try:
        scope = Files(DISK).scope(file)
    except UsageError:
        return
    for value in scope.names.values() if scope is not None else ():
        if not isinstance(value, Class) or value.scope is not scope:
            continue
        if value.kind is ClassKind.MODULE or _is_lightning(value):
            yield value


def _is_lightning(own: Class) -> bool:
    """Whether a class is a LightningModule. A framework runs its loops, but it is still
    a module."""
    return any(
        isinstance(base, Reference) and base.dotted.endswith("LightningModule")
        for base in own.bases
    )


def _list_lineage(own: Class) -> Iterator[Class]:
    yield own
    for base in own.known_bases:
        yield from _list_lineage(base)


def _find_own_method(own: Class, name: str) -> ast.FunctionDef | None:
    """A method that a class has itself or inherits from a base in the files."""
    for each in _list_lineage(own):
        for node in each.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
    return None


def _has_forward(own: Class) -> bool:
    if any("abstractmethod" in ast.unparse(node) for node in _decorators(own)):
        return False
    return _find_own_method(own, "forward") is not None or _is_sequential(own)


def _is_sequential(own: Class) -> bool:
    bases = [base for each in _list_lineage(own) for base in each.bases]
    return any(
        isinstance(base, Reference) and base.dotted.endswith("Sequential")
        for base in bases
    )


def _decorators(own: Class) -> Iterator[ast.expr]:
    for node in own.node.body:
        if isinstance(node, ast.FunctionDef):
            yield from node.decorator_list


def _names_in(own: Class) -> set[str]:
    """The names in the body of a class, except its own. The classes of its parts are
    among them."""
    names: set[str] = set()
    for statement in own.node.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
    return names - {own.node.name}
