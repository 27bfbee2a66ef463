"""From an expression back to where its value was written: an argument handed in, an
assignment, a default."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from shapelint.facts.places import Site
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.trees import ParsedFile

DEPTH = 6


@dataclass(frozen=True)
class Place:
    """An expression in a file, and the frames that led to the function it stands in,
    innermost first.

    `makers` are those that led to the `__init__` of the object that `self` is there.
    `whole`: where it came up on the way back from another expression, whether it is all
    of that one's value, and not a part of it."""

    source: ParsedFile
    node: ast.expr
    callers: tuple[Site, ...] = ()
    makers: tuple[Site, ...] = ()
    whole: bool = True

    @property
    def text(self) -> str:
        """The source text."""
        return self.source.segment(self.node)


def callers_of(sites: tuple[Site, ...]) -> tuple[Site, ...]:
    """The frames beyond the function in which the first site stands; a comprehension is
    part of its function."""
    rest = list(sites)
    while rest and rest[0].function.endswith(
        ("<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<lambda>")
    ):
        rest.pop(0)
    return tuple(rest[1:])


def made_place(call: CallExpression, node: ast.expr, sites: tuple[Site, ...]) -> Place:
    """An argument of the expression that made a layer."""
    callers = callers_of(sites)
    return Place(call.source, node, callers, callers)


def origins(place: Place, depth: int = DEPTH) -> Iterator[Place]:
    """The expression itself, and every expression its value comes from, nearest
    first."""
    yield place
    if depth <= 0:
        return
    node = place.node
    for part in _parts(node):
        yield from origins(replace(place, node=part, whole=False), depth - 1)
    found: list[Place] = []
    if isinstance(node, ast.Name):
        found = [*_assigned(place, node.id), *_handed(place, node.id)]
    elif (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    ):
        found = _attribute(place, node.attr)
    for each in found:
        yield from origins(replace(each, whole=place.whole), depth - 1)


def _parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, (ast.Tuple, ast.List)):
        return node.elts
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("int", "round", "max")
    ):
        return node.args
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and not _is_module(node.func.value)
    ):
        return [node.func.value]  # `table.unsqueeze(0)` holds what `table` holds
    return []


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "nn", "F", "np", "math")


def enclosing_function(place: Place) -> ast.FunctionDef | None:
    """The function an expression stands in."""
    node: ast.AST | None = place.node
    while node is not None and not isinstance(node, ast.FunctionDef):
        node = place.source.parents.get(node)
    return node


def enclosing_class(place: Place) -> ast.ClassDef | None:
    """The class an expression stands in."""
    node: ast.AST | None = place.node
    while node is not None and not isinstance(node, ast.ClassDef):
        node = place.source.parents.get(node)
    return node


def _assigned(place: Place, name: str) -> list[Place]:
    """What the enclosing function, or the module, assigns to a name before."""
    scope: ast.AST = enclosing_function(place) or place.source.tree
    found = [
        value
        for target, value in assignments(scope)
        if isinstance(target, ast.Name) and target.id == name
    ]
    own = [
        value
        for value in found
        if value.lineno <= place.node.lineno and value is not place.node
    ]
    if not own and scope is not place.source.tree and not _is_parameter(scope, name):
        own = [
            value
            for target, value in _top_level(place.source.tree)
            if isinstance(target, ast.Name) and target.id == name
        ]
    return [replace(place, node=value) for value in own[-1:]]


def _is_parameter(scope: ast.AST, name: str) -> bool:
    return isinstance(scope, ast.FunctionDef) and name in [
        arg.arg for arg in _parameters(scope)
    ]


def _parameters(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _top_level(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            yield from _pairs(statement)


@lru_cache(maxsize=64)
def assignments(scope: ast.AST) -> tuple[tuple[ast.expr, ast.expr], ...]:
    """Targets and values of the assignments in a scope, tuples taken apart."""
    return tuple(_assignments(scope))


def _assignments(scope: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            yield from _pairs(node)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target, node.value


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def _handed(place: Place, name: str) -> list[Place]:
    """What the caller hands in for a parameter, else its default."""
    function = enclosing_function(place)
    if function is None:
        return []
    positional = [arg.arg for arg in [*function.args.posonlyargs, *function.args.args]]
    parameters = [arg.arg for arg in _parameters(function)]
    if name not in parameters:
        return []
    shifted = positional[1:] if positional[:1] in (["self"], ["cls"]) else positional
    texts = place.source.texts
    outer = call_at(place.callers[0], texts) if place.callers else None
    if outer is not None:
        position = shifted.index(name) if name in shifted else 10_000
        given = outer.argument(position, name)
        if given is not None:
            beyond = callers_of(place.callers)
            return [Place(outer.source, given, beyond, beyond)]
    default = _default(function, name, positional)
    return [replace(place, node=default)] if default is not None else []


def _default(
    function: ast.FunctionDef, name: str, positional: list[str]
) -> ast.expr | None:
    if name in positional:
        at = positional.index(name) - (len(positional) - len(function.args.defaults))
        return function.args.defaults[at] if at >= 0 else None
    names = [arg.arg for arg in function.args.kwonlyargs]
    return function.args.kw_defaults[names.index(name)] if name in names else None


def _attribute(place: Place, name: str) -> list[Place]:
    """What the class assigns to `self.<name>`."""
    owner = enclosing_class(place)
    if owner is None:
        return []
    return [
        replace(place, node=value, callers=place.makers)
        for target, value in assignments(owner)
        if isinstance(target, ast.Attribute)
        and target.attr == name
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
        and value is not place.node
    ][:2]
