"""Feature maps that a view takes apart by a size the model was told, where the tensor's
own height and width are meant."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile

_NAMES = (("h", "w"), ("height", "width"), ("rows", "columns"))
"""Names for the two sides; the first that are free are taken."""


@dataclass(frozen=True)
class _Folding:
    """A view of a map (N, C, H, W) whose positions were written down: the expression
    that says how many they are, and those of the two sides in it."""

    view: CallExpression
    owner: ast.Name
    positions: ast.expr
    sides: tuple[str, str]


def read_sides_from_map(
    walked: Walked, trace: Trace, call: Call
) -> Iterator[Candidate]:
    """Write `h, w = x.shape[-2:]` and `h * w` where a map is taken apart by a fixed
    size, at the failed call or before it."""
    seen: set[ast.AST] = set()
    for earlier in trace.calls[: call.index + 1]:
        if not _takes_map_apart(earlier):
            continue
        folding = _find_folding(walked, earlier)
        if folding is not None and folding.view.node not in seen:
            seen.add(folding.view.node)
            yield from _change(folding, earlier.layer)


def _takes_map_apart(call: Call) -> bool:
    """Whether a view gives a map (N, C, H, W) another number of positions, so that
    another number of samples comes out, or nothing does."""
    if not ops.of(call.op).regroups or not call.inputs or not call.is_method:
        return False
    shape = call.inputs[0].shape
    sizes = _sizes_given(call)
    if len(shape) != 4 or len(sizes) != 3 or sizes[1] != shape[1]:
        return False
    is_batch = sizes[0] in (-1, shape[0])
    return is_batch and sizes[2] not in (-1, math.prod(shape[2:]))


def _sizes_given(call: Call) -> Shape:
    given = call.args[1:]
    if len(given) == 1 and isinstance(given[0], (list, tuple)):
        given = tuple(given[0])
    sizes = [size for size in given if isinstance(size, int)]
    return tuple(sizes) if len(sizes) == len(given) else ()


def _find_folding(walked: Walked, call: Call) -> _Folding | None:
    view = call_at(call.site, walked.texts)
    func = view.node.func if view is not None else None
    if view is None or not isinstance(func, ast.Attribute):
        return None
    if not isinstance(func.value, ast.Name) or len(view.node.args) != 3:
        return None
    positions = view.node.args[2]
    sides = _sides_in(view.source, positions)
    if sides is None:
        return None
    return _Folding(view, func.value, positions, sides)


def _sides_in(source: ParsedFile, node: ast.expr) -> tuple[str, str] | None:
    """The two sides in `size * size`, `size ** 2` or `1024`."""
    if isinstance(node, ast.BinOp):
        left, right = source.segment(node.left), source.segment(node.right)
        if isinstance(node.op, ast.Mult):
            return left, right
        return (left, left) if isinstance(node.op, ast.Pow) else None
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        side = math.isqrt(node.value)
        return str(side), str(side)
    return None


def _change(folding: _Folding, layer: str) -> Iterator[Candidate]:
    view, source = folding.view, folding.view.source
    function = source.find_enclosing(view.node, ast.FunctionDef)
    statement = source.find_enclosing(view.node, ast.stmt)
    if function is None or statement is None:
        return
    names = _free_names(function)
    if names is None:
        return
    product = f"{names[0]} * {names[1]}"
    owner = source.segment(folding.owner)
    unpacking = f"{', '.join(names)} = {owner}.shape[-2:]"
    start, _ = source.extent(statement)
    before = f"{unpacking}\n{' ' * statement.col_offset}"
    edits = (
        view.replace_node(folding.positions, product),
        Edit(source.file, start, start, before),
        *_restored(source, function, folding.sides, names),
    )
    written = source.segment(folding.positions)
    shown = " ".join(view.text.replace(written, product, 1).split())
    yield Candidate(
        f"`{shown}` with `{unpacking}`",
        edits,
        layer,
        group=f"sides of {owner} {view.node.lineno}",
        likely=weights.SIDES_FROM_MAP,
        says=f"`{written}` was written for another size of the map",
        kind=ChangeKind.SOLVED,
    )


def _free_names(function: ast.FunctionDef) -> tuple[str, str] | None:
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    used |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return next((pair for pair in _NAMES if not used & {*pair}), None)


def _restored(
    source: ParsedFile,
    function: ast.FunctionDef,
    sides: tuple[str, str],
    names: tuple[str, str],
) -> Iterator[Edit]:
    """The views of the same function that put the map together again."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if not ops.of(node.func.attr).regroups or len(node.args) < 2:
            continue
        last = node.args[-2:]
        if tuple(source.segment(each) for each in last) != sides:
            continue
        for each, name in zip(last, names, strict=True):
            yield replacement(source, each, name)
