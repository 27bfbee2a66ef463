"""Other numbers for a constructor that raised: heads that do not divide the width,
groups that do not divide the channels."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import TypeGuard

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.assigned_values import values_before
from shapelint.changes.other_values import constant, small_values
from shapelint.changes.plausibility import roundness
from shapelint.changes.text_at_place import write_text
from shapelint.changes.upstream_calls import arguments
from shapelint.facts.findings import Candidate
from shapelint.facts.places import Site
from shapelint.ops.record import Dims
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.origins import Place, callers_of, origins
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file

_DIMENSIONS = (1, 0, 2, -1, 3)
"""Dimensions to try, the usual ones first."""

_STEPS = (8, 16, 64)
"""Widths are usually multiples of these, so that heads and groups divide them."""

Suspect = tuple[Place, float]
"""The place of a number that may have been refused, and how plausible that is."""


def change_refused_numbers(sites: tuple[Site, ...], texts: Texts) -> list[Candidate]:
    """Other numbers for the statement that raised and for the arguments passed to it,
    the most plausible first.

    `sites`: the user's frames, innermost first."""
    found: dict[object, Candidate] = {}
    for candidate in _all_changes(sites, texts):
        known = found.get(candidate.edits)
        if known is None or known.likely < candidate.likely:
            found[candidate.edits] = candidate
    return sorted(found.values(), key=lambda item: -item.likely)


def _all_changes(sites: tuple[Site, ...], texts: Texts) -> Iterator[Candidate]:
    for place, likely in _find_suspects(sites, texts):
        for depth, origin in enumerate(origins(place)):
            far = weights.REFUSED_ORIGIN_EACH * depth
            yield from _changes_at(origin, likely - far)


# -- which numbers -----------------------------------------------------------------------


def _find_suspects(sites: tuple[Site, ...], texts: Texts) -> Iterator[Suspect]:
    """The numbers in the expression that raised: the arguments of a layer, or the names
    in an assertion."""
    callers = callers_of(sites)
    call = call_at(sites[0], texts)
    if call is not None:
        named = [node for _, node in arguments(call)]
        for node in named or call.node.args:
            yield Place(call.source, node, callers, callers), weights.REFUSED_ARGUMENT
    source = parse_file(sites[0].file, texts)
    if source is None:
        return
    yield from _names_of_statement(source, sites[0], callers)
    yield from _names_before(source, sites[0], callers)
    yield from _names_of_condition(source, sites[0], callers)


def _names_of_statement(
    source: ParsedFile, site: Site, callers: tuple[Site, ...]
) -> Iterator[Suspect]:
    """The names that the statement reads."""
    statements: Iterator[ast.Assign | ast.AugAssign | ast.Expr] = source.nodes_on(
        site.line, ast.Assign, ast.AugAssign, ast.Expr
    )
    for statement in statements:
        for part in ast.walk(statement.value):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                yield Place(source, part, callers, callers), weights.REFUSED_NAME


def _names_before(
    source: ParsedFile, site: Site, callers: tuple[Site, ...]
) -> Iterator[Suspect]:
    """The names and dimensions in the values assigned to the names of the statement."""
    for _, value in values_before(source, site):
        for part in ast.walk(value):
            if isinstance(part, (ast.Name, ast.Attribute)):
                yield Place(source, part, callers, callers), weights.REFUSED_SOURCE
            if _takes_dimensions(part, source):
                for node in part.args:
                    place = Place(source, node, callers, callers)
                    yield place, weights.REFUSED_DIMENSION


def _names_of_condition(
    source: ParsedFile, site: Site, callers: tuple[Site, ...]
) -> Iterator[Suspect]:
    """The names in the assertion, or in the test of the `if`, that raised."""
    statements: Iterator[ast.Assert | ast.If] = source.nodes_on(
        site.line, ast.Assert, ast.If
    )
    for statement in statements:
        for part in ast.walk(statement.test):
            if isinstance(part, (ast.Name, ast.Attribute)):
                yield Place(source, part, callers, callers), weights.REFUSED_CONDITION


def _takes_dimensions(node: ast.AST | None, source: ParsedFile) -> TypeGuard[ast.Call]:
    """Whether the whole numbers passed to a call are dimensions. Those of Python's own
    `max` or `sum` are not."""
    if not isinstance(node, ast.Call):
        return False
    name = CallExpression(source, node).name
    is_builtin = isinstance(node.func, ast.Name) and hasattr(builtins, name)
    return not is_builtin and ops.of(name).dims is not Dims.NONE


# -- other numbers for each --------------------------------------------------------------


def _changes_at(place: Place, likely: float) -> Iterator[Candidate]:
    node = place.node
    value = constant(node)
    if _takes_dimensions(place.source.parents.get(node), place.source):
        if value is not None:
            yield from _other_dimensions(place, value, likely)
        return
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
        left = place.source.segment(node.left)
        yield write_text(place, left, "", likely + weights.REFUSED_SIMPLER)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        without_sign = place.source.segment(node.operand)
        gain = weights.REFUSED_SIMPLER
        yield write_text(place, without_sign, "", likely + gain)
    if value is not None and value >= 1:
        yield from _other_numbers(place, value, likely)


def _other_dimensions(place: Place, value: int, likely: float) -> Iterator[Candidate]:
    for new in _DIMENSIONS:
        if new == value:
            continue
        usual = weights.REFUSED_DIMENSION_FIRST if new == 1 else 0.0
        far = weights.REFUSED_DIMENSION_EACH * abs(new)
        yield write_text(place, str(new), "", likely + usual - far)


def _other_numbers(place: Place, value: int, likely: float) -> Iterator[Candidate]:
    """Numbers close to the present one, and the multiples below and above it."""
    multiples = []
    for step in _STEPS:
        below = value // step * step
        multiples += [below, below + step]
    for new in dict.fromkeys([*small_values(value), *multiples]):
        if new < 1 or new == value:
            continue
        gain = roundness(new) - roundness(value)
        far = weights.REFUSED_STEP_EACH * abs(new - value) / value
        yield write_text(place, str(new), "", likely + gain - far)
