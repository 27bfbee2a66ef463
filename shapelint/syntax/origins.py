"""Traces an expression back to where its value was written: as an argument, in an
assignment or as a default."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from shapelint.facts.places import Site
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.trees import ParsedFile

DEPTH = 6
"""How many steps an expression is traced back. Nobody would change a number at the far
end of more function calls than that."""

Assignment = tuple[ast.expr, ast.expr]
"""A target and the value assigned to it."""

_COMPREHENSIONS = ("<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<lambda>")

_MODULES = ("torch", "nn", "F", "np", "math")
"""The usual names of imported modules whose functions models call."""

_SAME_VALUE = ("int", "round", "max")
"""Functions that return one of their arguments, or nearly so."""


@dataclass(frozen=True)
class Place:
    """An expression in a file, and the frames that led to the function around it,
    innermost first.

    `makers` are the frames that led to the `__init__` of the object that `self` is
    there. `whole`: if the place was traced back from another expression, whether it
    gives the whole value of that expression rather than a part of it."""

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
    """The frames that called the function in which the first site stands. A
    comprehension counts as part of its function."""
    rest = list(sites)
    while rest and rest[0].function.endswith(_COMPREHENSIONS):
        rest.pop(0)
    return tuple(rest[1:])


def place_of_argument(
    call: CallExpression, node: ast.expr, sites: tuple[Site, ...]
) -> Place:
    """The place of an argument in the expression that made a layer."""
    callers = callers_of(sites)
    return Place(call.source, node, callers, callers)


def origins(place: Place, depth: int = DEPTH) -> Iterator[Place]:
    """Yield the place itself, then every place that its value comes from, nearest
    first."""
    yield place
    if depth <= 0:
        return
    for part in _parts(place.node):
        yield from origins(replace(place, node=part, whole=False), depth - 1)
    for source in _sources(place):
        yield from origins(replace(source, whole=place.whole), depth - 1)


def _parts(node: ast.expr) -> list[ast.expr]:
    """The subexpressions from which the value of an expression is computed."""
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.Tuple() | ast.List():
            return node.elts
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.BoolOp():
            return node.values
        case ast.Call(func=ast.Name(id=name)):
            return node.args if name in _SAME_VALUE else []
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name in _MODULES:
            return []
        case ast.Call(func=ast.Attribute(value=owner)):
            # of a method: `table.unsqueeze(0)` holds what `table` holds
            return [owner]
    return []


def _sources(place: Place) -> list[Place]:
    """The places where the value of a name, or of an attribute of `self`, was
    written."""
    node = place.node
    if isinstance(node, ast.Name):
        return [
            *_find_assigned_values(place, node.id),
            *_find_passed_values(place, node.id),
        ]
    if isinstance(node, ast.Attribute) and _is_name(node.value, "self"):
        return _attribute_values(place, node.attr)
    return []


def find_enclosing_function(place: Place) -> ast.FunctionDef | None:
    """The function around an expression."""
    return place.source.find_enclosing(place.node, ast.FunctionDef)


def find_enclosing_class(place: Place) -> ast.ClassDef | None:
    """The class around an expression."""
    return place.source.find_enclosing(place.node, ast.ClassDef)


@lru_cache(maxsize=64)
def assignments(scope: ast.AST) -> tuple[Assignment, ...]:
    """The assignments in a scope. An assignment of tuples is split into one for each
    element."""
    return tuple(pair for node in ast.walk(scope) for pair in _pairs(node))


def _pairs(node: ast.AST) -> list[Assignment]:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [(node.target, node.value)]
    if not isinstance(node, ast.Assign):
        return []
    found: list[Assignment] = []
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            # not strict: a star stands for any number of values
            found += zip(target.elts, node.value.elts, strict=False)
        else:
            found.append((target, node.value))
    return found


def _find_assigned_values(place: Place, name: str) -> list[Place]:
    """The last value that the enclosing function assigns to a name before its use; if
    there is none, the last that the module assigns."""
    tree = place.source.tree
    function = find_enclosing_function(place)
    values = _values_of(name, assignments(function or tree))
    before = [value for value in values if _is_before(value, place.node)]
    is_global = function is not None and not _is_parameter(function, name)
    if is_global and not before:
        # a function may use what the module assigns below it
        before = _values_of(name, _module_assignments(tree))
    return [replace(place, node=value) for value in before[-1:]]


def _is_before(value: ast.expr, node: ast.expr) -> bool:
    return value.lineno <= node.lineno and value is not node


def _module_assignments(tree: ast.Module) -> list[Assignment]:
    """The assignments at the top level of a module."""
    statements = [each for each in tree.body if isinstance(each, ast.Assign)]
    return [pair for statement in statements for pair in _pairs(statement)]


def _values_of(name: str, pairs: Iterable[Assignment]) -> list[ast.expr]:
    return [value for target, value in pairs if _is_name(target, name)]


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_parameter(function: ast.FunctionDef, name: str) -> bool:
    spec = function.args
    parameters = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return any(parameter.arg == name for parameter in parameters)


def _find_passed_values(place: Place, name: str) -> list[Place]:
    """The argument that the caller passes for a parameter; if there is none, its
    default."""
    function = find_enclosing_function(place)
    if function is None or not _is_parameter(function, name):
        return []
    passed = _find_passed_argument(place, function, name)
    if passed is not None:
        return [passed]
    default = _default_of(function, name)
    return [replace(place, node=default)] if default is not None else []


def _find_passed_argument(
    place: Place, function: ast.FunctionDef, name: str
) -> Place | None:
    caller = place.callers[0] if place.callers else None
    call = call_at(caller, place.source.texts)
    if call is None:
        return None
    names = _positional_names(function)
    # `self` is not written where a method is called
    written = names[1:] if names[:1] in (["self"], ["cls"]) else names
    if name in written:
        return _place_of(call.argument(written.index(name), name), call, place)
    return _place_of(call.keyword(name), call, place)


def _place_of(
    argument: ast.expr | None, call: CallExpression, callee: Place
) -> Place | None:
    if argument is None:
        return None
    return place_of_argument(call, argument, callee.callers)


def _positional_names(function: ast.FunctionDef) -> list[str]:
    spec = function.args
    return [parameter.arg for parameter in [*spec.posonlyargs, *spec.args]]


def _default_of(function: ast.FunctionDef, name: str) -> ast.expr | None:
    spec = function.args
    positional = _positional_names(function)
    if name in positional:
        # the defaults are those of the last parameters
        first = len(positional) - len(spec.defaults)
        position = positional.index(name)
        return spec.defaults[position - first] if position >= first else None
    names = [parameter.arg for parameter in spec.kwonlyargs]
    return spec.kw_defaults[names.index(name)] if name in names else None


def _attribute_values(place: Place, name: str) -> list[Place]:
    """The first two values that the class assigns to `self.<name>`. The second usually
    belongs to another branch; later ones are updates."""
    owner = find_enclosing_class(place)
    if owner is None:
        return []
    pairs = assignments(owner)
    values = [value for target, value in pairs if _is_attribute_of_self(target, name)]
    others = [value for value in values if value is not place.node][:2]
    return [replace(place, node=value, callers=place.makers) for value in others]


def _is_attribute_of_self(node: ast.expr, name: str) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr != name:
        return False
    return _is_name(node.value, "self")
