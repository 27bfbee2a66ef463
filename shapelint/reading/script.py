"""A file of training code, all its paths: the facts that rules about modes ask for."""

from __future__ import annotations

import ast
import os
from contextlib import suppress
from dataclasses import dataclass, field

from shapelint.reading.events import GRAD_UNKNOWN, Path
from shapelint.reading.files import Files
from shapelint.reading.flow import Flow, OutOfStepsError
from shapelint.reading.states import NothingFollowsError
from shapelint.reading.values import (
    UNKNOWN,
    Class,
    Constant,
    Function,
    Instance,
    Mode,
    Model,
    Scope,
    Thing,
)
from shapelint.syntax.trees import ParsedFile, parse_file

PATHS = 8
"""Paths of one entry that are followed."""


@dataclass
class Script:
    """What was read of one file. `paths`: what happens on each, by the entry they begin
    at."""

    file: str
    source: ParsedFile
    entries: list[list[Path]] = field(default_factory=list)


def read(file: str, files: Files) -> Script | None:
    """Read a file; None where it is no Python that can be parsed."""
    file = os.path.abspath(file)
    source = parse_file(file, files.texts)
    if source is None:
        return None
    script = Script(file, source)
    if not _speaks_of_training(source.text) or _is_of_another_framework(source.tree):
        return script
    visited: set[int] = set()
    script.entries.append(
        _paths(
            lambda flow, scope: flow.block(source.tree.body, scope),
            file,
            files,
            visited,
        )
    )
    for function in _left(file, files):
        if id(function.node) not in visited and _speaks_of_training(
            source.segment(function.node)
        ):
            visited.add(id(function.node))
            script.entries.append(_paths(_entry(function), file, files, visited))
    script.entries = [paths for paths in script.entries if paths]
    return script


def _speaks_of_training(text: str) -> bool:
    words = (
        ".eval",
        ".train(",
        "backward(",
        "zero_grad",
        "load_state_dict",
        "loader",
        "no_grad",
        "inference_mode",
    )
    return any(word in text for word in words)


_OTHERS = {
    "paddle",
    "warp",
    "mindspore",
    "jittor",
    "oneflow",
    "mxnet",
    "tensorflow",
    "keras",
    "tinygrad",
    "mlx",
    "chainer",
}
"""Frameworks with methods of the same names."""


def _is_of_another_framework(tree: ast.Module) -> bool:
    """Whether a file imports one of the others, and nothing of torch."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return bool(names & _OTHERS) and not any("torch" in name for name in names)


def _paths(start: object, file: str, files: Files, visited: set[int]) -> list[Path]:
    """What happens on each path from an entry on, the conditions on names decided
    either way."""
    found: list[Path] = []
    queue: list[dict[str, bool]] = [{}]
    while queue and len(found) < PATHS:
        decisions = queue.pop(0)
        known = set(decisions)
        flow = Flow(files, decisions)
        module = files.scope(file)
        scope = Scope(file, dict(module.names) if module is not None else {})
        flow.scopes.append(scope)
        try:
            with suppress(NothingFollowsError):
                start(flow, scope)  # type: ignore[operator]
        except (OutOfStepsError, RecursionError):
            return []
        visited |= flow.visited
        found.append(flow.path)
        for position, key in enumerate(flow.asked):
            if key not in known:
                queue.append(
                    {
                        **{
                            each: decisions[each]
                            for each in [*known, *flow.asked[:position]]
                        },
                        key: False,
                    }
                )
    return found


def _left(file: str, files: Files) -> list[Function]:
    """Functions and methods that nothing in the file has called yet, those first that
    call the others."""
    scope = files.scope(file)
    found: list[Function] = []
    called: set[str] = set()
    for value in (
        list(scope.names.values()) if scope is not None else ()
    ):  # not what is imported
        own = (
            [value] if isinstance(value, Function) and value.scope.file == file else []
        )
        if (
            isinstance(value, Class)
            and value.scope.file == file
            and value.kind != "framework"
        ):
            bound = _self_of(value)
            own = [
                Function(node, value.scope, bound)
                for node in value.node.body
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
                and not _of_a_module(value, node)
            ]
        for function in own:
            found.append(function)
            called |= {
                part.func.attr
                if isinstance(part.func, ast.Attribute)
                else getattr(part.func, "id", "")
                for part in ast.walk(function.node)
                if isinstance(part, ast.Call)
            }
    return sorted(found, key=lambda function: function.name in called)


def _of_a_module(owner: Class, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Methods of a model that are its forward, not a script's loops."""
    return owner.kind == "module" or node.name.startswith("__")


def _self_of(owner: Class) -> Instance | Model:
    return Instance(owner)


def _entry(function: Function) -> object:
    """Begin at a function that others may call: what is handed in is not known, nor
    whether gradients are on."""

    def start(flow: Flow, scope: Scope) -> None:
        inner = Scope(function.scope.file, {}, function.scope)
        call = ast.Call(ast.Name(function.name), [], [])
        bound = function.bound
        if isinstance(bound, Instance):
            bound = flow.new_instance(bound.made_from)
            _attributes(flow, bound, scope)
        flow.grad = GRAD_UNKNOWN
        own = Function(function.node, function.scope, bound)
        flow.bind_arguments(own, call, scope, inner)
        for (
            name,
            default,
        ) in inner.names.items():  # others may call it with another flag
            if isinstance(default, Constant) and isinstance(default.value, bool):
                inner.names[name] = Thing((name,))
        flow.execute(own, inner, None)
        value = flow.union([inner.names.get("return")])
        for returned in getattr(value, "calls", ()):
            returned.escapes = True

    return start


def _attributes(flow: Flow, owner: Instance, scope: Scope) -> None:
    """What a class's constructor gives its objects; models from elsewhere are in a mode
    that is not known."""
    init = owner.made_from.method("__init__")
    if init is None:
        return
    function = Function(init, owner.made_from.scope, owner)
    inner = Scope(owner.made_from.scope.file, {}, owner.made_from.scope)
    flow.bind_arguments(function, ast.Call(ast.Name("__init__"), [], []), scope, inner)
    flow.execute(function, inner, None)
    flow.path.forwards.clear()
    flow.path.events.clear()
    for value in owner.attributes.values():
        model = value.model if isinstance(value, Thing) else value
        if isinstance(model, Model):
            model.modes = frozenset({Mode(UNKNOWN)})
