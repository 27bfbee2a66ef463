"""The places where a file may start to run: its top, and each function that nothing in
it calls."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from shapelint.reading.functions import RETURNED, bind_method
from shapelint.reading.machine import Machine
from shapelint.reading.modes import Recording
from shapelint.reading.objects import OF_UNKNOWN_MODE, models_among
from shapelint.reading.scopes import Files
from shapelint.reading.values import (
    FUNCTION_DEFINITIONS,
    Class,
    ClassKind,
    Constant,
    Function,
    Instance,
    Scope,
    Thing,
    unite_results,
)
from shapelint.syntax.trees import ParsedFile

Entry = Callable[[Machine, Scope], None]
"""Runs some code of a file on a machine, in the file's scope."""


def begin_at_top(source: ParsedFile) -> Entry:
    """Start with the statements of a file."""
    return lambda machine, scope: machine.run_block(source.tree.body, scope)


def begin_at_function(function: Function) -> Entry:
    """Start with a function that other code may call. Its arguments are not known, nor
    whether autograd records."""

    def run(machine: Machine, _scope: Scope) -> None:
        functions = machine.expressions.functions
        own = Function(function.node, function.scope, function.bound)
        if isinstance(function.bound, Instance):
            # Each reading begins with a fresh object: paths would share its attributes.
            own.bound = _make_instance(machine, function.bound.made_from)
        machine.state.grad = Recording.UNKNOWN
        inner = functions.bind_arguments(own, None)
        _forget_flags(inner)
        functions.execute(own, inner, None)
        returned = unite_results([inner.own(RETURNED)])
        for call in returned.calls if returned is not None else ():
            call.escapes = True

    return run


def _forget_flags(scope: Scope) -> None:
    """Forget the defaults of flags, since other code may call the function with other
    values."""
    for name, default in scope.names.items():
        if isinstance(default, Constant) and isinstance(default.value, bool):
            scope.names[name] = Thing((name,))


def _make_instance(machine: Machine, owner: Class) -> Instance:
    """Make an object as its constructor leaves it.

    The constructor itself is read elsewhere, and the modes of its models are unknown by
    the time of the call."""
    made = machine.state.objects.make_instance(owner)
    constructor = bind_method(made, "__init__")
    if constructor is None:
        return made
    functions = machine.expressions.functions
    functions.execute(constructor, functions.bind_arguments(constructor, None), None)
    # Its calls and steps belong to the making of the object, not to the method.
    machine.journal.path.forwards.clear()
    machine.journal.path.events.clear()
    for model in models_among(list(made.attributes.values())):
        model.modes = OF_UNKNOWN_MODE
    return made


def find_uncalled(file: str, files: Files) -> list[Function]:
    """The functions and methods of a file, those that none of the others calls
    first."""
    found = list(_own_functions(file, files))
    called = {name for function in found for name in _list_called_names(function)}
    return sorted(found, key=lambda function: function.name in called)


def _own_functions(file: str, files: Files) -> Iterator[Function]:
    """The functions of a file. Imported functions are left out, and so are methods of
    models and framework classes, which something else calls."""
    scope = files.scope(file)
    for value in list(scope.names.values()) if scope is not None else ():
        if not isinstance(value, (Function, Class)):
            continue
        # Imported functions are read where they are called, or in their own file.
        if value.scope.source.file != file:
            continue
        if isinstance(value, Function):
            yield value
        elif value.kind is ClassKind.OTHER:
            yield from _methods(value)


def _methods(owner: Class) -> Iterator[Function]:
    bound = Instance(owner)
    for node in owner.node.body:
        if isinstance(node, FUNCTION_DEFINITIONS) and not node.name.startswith("__"):
            yield Function(node, owner.scope, bound)


def _list_called_names(function: Function) -> Iterator[str]:
    for part in ast.walk(function.node):
        if not isinstance(part, ast.Call):
            continue
        if isinstance(part.func, ast.Attribute):
            yield part.func.attr
        elif isinstance(part.func, ast.Name):
            yield part.func.id
