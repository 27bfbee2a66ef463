"""A module's own parameters and buffers: the place where their sizes are written, and
changes to both sides of a square one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, pairwise

from shapelint.changes import weights
from shapelint.changes.other_values import Pairs, constant, other_values, parts_of
from shapelint.facts.findings import Candidate
from shapelint.facts.walked_target import Walked
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place, assignments, origins
from shapelint.syntax.trees import ParsedFile, parse_file

_SIZES = (ast.Constant, ast.Name, ast.Attribute, ast.BinOp)
"""Expressions that may be a size."""

_REGISTERING = ("register_buffer", "register_parameter")

_ORIGINS = 3
"""How many steps an assigned value is traced back to the call that makes the tensor."""


def find_tensor_sizes(walked: Walked, path: str, attribute: str) -> Iterator[Place]:
    """The places of the sizes with which a module makes one of its own parameters or
    buffers."""
    makers = walked.definitions.get(path, ())
    for source, owner in _find_classes(walked, path):
        assigned = _find_assigned(owner, attribute)
        registered = _find_registered(owner, attribute)
        for value in chain(assigned, registered):
            place = Place(source, value, makers, makers)
            for origin in origins(place, _ORIGINS):
                yield from _sizes_in(origin)


def _find_classes(
    walked: Walked, path: str
) -> Iterator[tuple[ParsedFile, ast.ClassDef]]:
    """The classes in a module's file that have the name of its class."""
    file, class_name = walked.homes.get(path, ("", ""))
    source = parse_file(file, walked.texts) if file else None
    if source is None:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            yield source, node


def _find_assigned(owner: ast.ClassDef, attribute: str) -> Iterator[ast.expr]:
    """The values in `self.attribute = ...`."""
    for target, value in assignments(owner):
        if isinstance(target, ast.Attribute) and target.attr == attribute:
            yield value


def _find_registered(owner: ast.ClassDef, attribute: str) -> Iterator[ast.expr]:
    """The values in `self.register_buffer("attribute", ...)`."""
    for node in ast.walk(owner):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        name, value = node.args[:2]
        is_named = isinstance(name, ast.Constant) and name.value == attribute
        if is_named and _is_registering(node.func):
            yield value


def _is_registering(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and func.attr in _REGISTERING


def _sizes_in(place: Place) -> Iterator[Place]:
    """The numbers in the calls of an expression: `torch.zeros(1, 17, dim)`."""
    calls = (node for node in ast.walk(place.node) if isinstance(node, ast.Call))
    for call in calls:
        sizes = (part for argument in call.args for part in parts_of(argument))
        for size in sizes:
            if isinstance(size, _SIZES):
                yield replace(place, node=size)


def resize_square(
    places: list[Place], pairs: Pairs, path: str, closeness: float
) -> Iterator[Candidate]:
    """Change both sides of a square table, such as the mask `torch.ones(16, 16)`."""
    for one, other in pairwise(places):
        value = constant(one.node)
        is_square = value == constant(other.node)
        # a table of 1 x 1 is none
        if value is None or value < 2 or not is_square:
            continue
        for new in other_values(value, pairs):
            edits = (
                replacement(one.source, one.node, str(new)),
                replacement(other.source, other.node, str(new)),
            )
            yield Candidate(
                f"`{_show_square(one, value, new)}`",
                edits,
                path,
                f"square {edits[0].start.line}",
                likely=closeness + weights.TABLE_SQUARE,
                says=f"`{new}` fits on both sides",
            )


def _show_square(side: Place, old: int, new: int) -> str:
    """The call that makes a square table, with both sides replaced."""
    made = side.source.parents.get(side.node)
    if made is None:
        return str(new)
    return side.source.segment(made).replace(str(old), str(new))
