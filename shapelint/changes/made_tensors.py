"""Parameters and buffers of a module's own: where their sizes are written, and other
sizes for both sides of a square one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from shapelint.changes import weights
from shapelint.changes.other_values import Pairs, constant, other_values, parts_of
from shapelint.facts.findings import Candidate
from shapelint.facts.walked_target import Walked
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place, assignments, origins
from shapelint.syntax.trees import parse_file

_SIZES = (ast.Constant, ast.Name, ast.Attribute, ast.BinOp)
"""Expressions that may be a size."""

_REGISTERING = ("register_buffer", "register_parameter")


def find_made_tensor(walked: Walked, path: str, attribute: str) -> Iterator[Place]:
    """The sizes written where a module makes a parameter or buffer of its own."""
    home = walked.homes.get(path)
    source = parse_file(home[0], walked.texts) if home is not None else None
    if home is None or source is None:
        return
    makers = walked.definitions.get(path, ())
    for owner in ast.walk(source.tree):
        if not isinstance(owner, ast.ClassDef) or owner.name != home[1]:
            continue
        for value in (
            *_find_assigned(owner, attribute),
            *_find_registered(owner, attribute),
        ):
            for origin in origins(Place(source, value, makers, makers), 3):
                yield from _sizes_in(origin)


def _find_assigned(owner: ast.ClassDef, attribute: str) -> Iterator[ast.expr]:
    """The values of `self.attribute = ...`."""
    for target, value in assignments(owner):
        if isinstance(target, ast.Attribute) and target.attr == attribute:
            yield value


def _find_registered(owner: ast.ClassDef, attribute: str) -> Iterator[ast.expr]:
    """The values of `self.register_buffer("attribute", ...)`."""
    for node in ast.walk(owner):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        func, name = node.func, node.args[0]
        if not isinstance(func, ast.Attribute) or not isinstance(name, ast.Constant):
            continue
        if func.attr in _REGISTERING and name.value == attribute:
            yield node.args[1]


def _sizes_in(place: Place) -> Iterator[Place]:
    """The numbers in the calls of an expression: `torch.zeros(1, 17, dim)`."""
    calls = (node for node in ast.walk(place.node) if isinstance(node, ast.Call))
    for call in calls:
        sizes = (part for argument in call.args for part in parts_of(argument))
        for size in sizes:
            if isinstance(size, _SIZES):
                yield replace(place, node=size)


def resize_square(
    places: list[Place], pairs: Pairs, path: str, near: float
) -> Iterator[Candidate]:
    """Both sides of a square table, as a mask is: `torch.ones(16, 16)`."""
    for one, other in pairwise(places):
        value = constant(one.node)
        is_square = value == constant(other.node)
        # a table of 1 x 1 is none
        if value is None or value < 2 or not is_square:
            continue
        made = one.source.parents.get(one.node)
        for new in other_values(value, pairs):
            edits = (
                replacement(one.source, one.node, str(new)),
                replacement(other.source, other.node, str(new)),
            )
            text = str(new)
            if made is not None:
                text = one.source.segment(made).replace(str(value), str(new))
            yield Candidate(
                f"`{text}`",
                edits,
                path,
                f"square {edits[0].start.line}",
                likely=near + weights.TABLE_SQUARE,
                says=f"`{new}` fits on both sides",
            )
