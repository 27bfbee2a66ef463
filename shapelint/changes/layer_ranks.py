"""Layers for another number of dimensions: `nn.Conv2d` for `nn.Conv1d`, and
`nn.BatchNorm1d` for `nn.BatchNorm2d` behind a `Linear`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.facts.places import Position
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.walked_calls import find_constructor_call

_LARGEST = 5
"""The most dimensions that a layer of torch takes."""


def use_layer_of_rank(walked: Walked, call: Call, rank: int) -> list[Candidate]:
    """The layer, or the function, for the number of dimensions that arrives; and the
    same with every other layer of the class that was made for the wrong number."""
    made = (
        find_constructor_call(walked, call)
        if call.is_module
        else call_at(call.site, walked.texts)
    )
    if made is None or ops.spatial_dims(made.name) is None:
        return []
    edits = _rename(made, rank)
    if not edits:
        return []
    name = edits[0].replacement.rpartition(".")[2]
    one = Candidate(
        f"`{edits[0].replacement}`",
        edits,
        call.layer,
        group="rank",
        likely=weights.LAYER_OF_OTHER_RANK,
        says=f"`{name}` takes {rank} dimensions",
    )
    alike = list(_rename_alike(made, rank)) if call.is_module else []
    if not alike:
        return [one]
    names = dict.fromkeys(edit.replacement for edit in alike)
    others = ", ".join(f"`{each}`" for each in names)
    together = dict.fromkeys((*edits, *alike))
    title = f"{one.title} and {others}"
    # first, since one of two would leave the other as wrong as it is
    return [replace(one, title=title, edits=tuple(together)), one]


def _rename(made: CallExpression, rank: int) -> tuple[Edit, ...]:
    """The edits that exchange a layer for its sibling; none if there is no such
    sibling, or it does not take this many dimensions."""
    name = f"{made.name[:-2]}{max(rank - 2, 1)}d"
    is_other = name != made.name and ops.is_known(name) and rank <= _LARGEST
    taken = ops.of(name).ranks
    if not is_other or (taken and rank not in taken) or (not taken and rank < 3):
        return ()
    edit = made.replace_node(made.node.func, f"{made.prefix}{name}")
    if not isinstance(made.node.func, ast.Name):
        return (edit,)
    # a bare name has to be imported as its sibling is
    imported = _import_beside(made, name)
    return (edit, *imported) if imported is not None else ()


def _import_beside(made: CallExpression, name: str) -> tuple[Edit, ...] | None:
    """The edit that imports a name beside that of the layer; none if it is imported
    already, None if it is not known how the layer is."""
    for node in made.source.tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names]
        if made.name not in names:
            continue
        if name in names:
            return ()
        alias = node.names[names.index(made.name)]
        before = made.source.lines[(alias.end_lineno or 1) - 1][: alias.end_col_offset]
        at = Position(alias.end_lineno or 1, len(before.decode()) + 1)
        return (Edit(made.source.file, at, at, f", {name}"),)
    return None


def _rename_alike(made: CallExpression, rank: int) -> Iterator[Edit]:
    """The edits for the other layers of the class that are made for as many dimensions
    as the one that fails."""
    source = made.source
    owner = source.find_enclosing(made.node, ast.ClassDef)
    if owner is None:
        return
    for node in source.calls.values():
        other = CallExpression(source, node)
        is_inside = source.find_enclosing(node, ast.ClassDef) is owner
        if node is made.node or not is_inside or not other.prefix:
            continue
        is_layer = ops.spatial_dims(other.name) is not None
        if is_layer and other.name[-2:] == made.name[-2:] and other.name[0].isupper():
            yield from _rename(other, rank)
