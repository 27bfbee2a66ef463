"""One size of a view that does not fit, computed from the others."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.mismatches import factors_of
from shapelint.changes.scope_words import write_in
from shapelint.changes.text_at_place import write_text
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call
from shapelint.facts.numbers import (
    Dimension,
    Fixed,
    Operation,
    Origin,
    Read,
    Scope,
    origin_of,
    value_of,
)
from shapelint.facts.walked_target import Walked
from shapelint.ops.families.reshaping import read_target_shape
from shapelint.syntax.origins import Place, origins
from shapelint.syntax.walked_calls import call_expression


def in_views(walked: Walked, call: Call) -> Iterator[Candidate]:
    """Each size of a failed view written as what is left for it: in the words of the
    function, else as -1. What was read from a tensor is right, as the batch is."""
    failure = call.failure
    if failure is None or not ops.of(failure.op).regroups:
        return
    wanted = read_target_shape(failure)
    if wanted is None:
        return
    if -1 in wanted:
        yield from _single_ones(walked, call, wanted)
        return
    shape = failure.tensors[0].shape
    for place, at in _list_written_sizes(walked, call, wanted):
        others = [*wanted[:at], *wanted[at + 1 :]]
        left, rest = divmod(math.prod(shape), math.prod(others) or 1)
        is_read = isinstance(origin_of(wanted[at]), (Read, Dimension))
        if is_read or rest or left == wanted[at]:
            continue
        text = _write_rest(failure.scope, shape, others) or "-1"
        likely = weights.SOLVED_INFERRED if text == "-1" else weights.SOLVED_IN_WORDS
        written = write_text(place, text, call.layer, likely)
        yield replace(written, kind=ChangeKind.SOLVED)


def _single_ones(
    walked: Walked, call: Call, wanted: Sequence[int]
) -> Iterator[Candidate]:
    """1 for the only other size in `(1, -1, 9, 1)`: such a view is there to add
    dimensions."""
    others = [at for at, size in enumerate(wanted) if size not in (1, -1)]
    if len(others) != 1 or len(wanted) < 3:
        return
    for place, at in _list_written_sizes(walked, call, wanted):
        if at == others[0] and isinstance(place.node, ast.Constant):
            written = write_text(place, "1", call.layer, weights.ADDS_DIMENSIONS)
            yield replace(written, kind=ChangeKind.SOLVED)


def _list_written_sizes(
    walked: Walked, call: Call, wanted: Sequence[int]
) -> Iterator[tuple[Place, int]]:
    """Where each size is written, and which one it is: in the call, or in the list that
    it hands over. Of a list with a part of unknown length, what stands before it."""
    made = call_expression(walked, call)
    if made is None:
        return
    arguments = made.node.args
    if isinstance(made.node.func, ast.Attribute) and not call.is_method:
        arguments = arguments[1:]  # `torch.reshape(x, ...)`
    if len(arguments) == 1:
        given = arguments[0]
        listed = given.value if isinstance(given, ast.Starred) else given
        for place in origins(Place(made.source, listed), depth=1):
            sizes = _elements_of(place.node)
            if sizes:
                yield from _with_positions(place, sizes)
                return
    elif len(arguments) == len(wanted):
        yield from _with_positions(Place(made.source, made.node), arguments)


def _with_positions(place: Place, sizes: list[ast.expr]) -> Iterator[tuple[Place, int]]:
    for at, node in enumerate(sizes):
        yield replace(place, node=node), at


def _elements_of(node: ast.expr) -> list[ast.expr]:
    """The elements of a list or tuple that are known by position."""
    if isinstance(node, (ast.List, ast.Tuple)):
        stars = [at for at, each in enumerate(node.elts) if _is_star(each)]
        return node.elts[: stars[0]] if stars else node.elts
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left = _elements_of(node.left)
        is_whole = isinstance(node.left, (ast.List, ast.Tuple))
        is_whole = is_whole and len(left) == len(getattr(node.left, "elts", ()))
        return [*left, *_elements_of(node.right)] if is_whole else left
    return []


def _is_star(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def _write_rest(
    scope: Scope, shape: Sequence[int], others: Sequence[int]
) -> str | None:
    """What the other sizes leave of a tensor's, in the words of a scope."""
    left: list[Origin] = []
    for size in shape:
        left += factors_of(origin_of(size) or Fixed(size))
    for size in others:
        same = [each for each in left if value_of(each, {}) == size]
        if not same and size != 1:
            return None
        if same:
            left.remove(same[0])
    left = [each for each in left if value_of(each, {}) != 1]
    if not left:
        return None
    whole = left[0]
    for each in left[1:]:
        whole = Operation("*", whole, each, 0)
    return write_in(scope, whole)
