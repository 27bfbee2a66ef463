"""Reductions that leave a dimension of a map: `x.mean(-2)` of (N, C, H, W) in front of a
layer that takes C features."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failed_sizes import find_required_pairs
from shapelint.changes.text_at_place import group_of
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.edits import replacement

_OF_PAIRS = {"max": "amax", "min": "amin"}
"""Reductions that return values and indices, and those that return the values alone."""

_OVER_FEATURES = (Family.LINEAR, Family.NORMALISATION, Family.RECURRENT)


@dataclass(frozen=True)
class Reduction:
    """A call that reduces a tensor, as it is written."""

    call: Call
    called: CallExpression
    shape: Shape
    dims: tuple[int, ...]
    """The dimensions that are reduced, counted from the first."""

    @property
    def are_from_behind(self) -> bool:
        """Whether dimensions are written as negative numbers."""
        return any(dim < 0 for dim in _written_dims(self.call))


def reduce_all_axes(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """Reduce every dimension that the failing layer does not take."""
    if not ops.is_of(call.op, *_OVER_FEATURES):
        return
    reduction = find_reduction(walked, trace, call)
    if reduction is None:
        return
    for _, takes in find_required_pairs(call):
        dims = _dims_to_reduce(reduction, takes)
        change = _reduce(reduction, dims) if dims else None
        if change is None:
            continue
        edit, text = change
        yield Candidate(
            f"`{text}`",
            (edit,),
            call.layer,
            group=f"reduce@{group_of(edit)}",
            likely=weights.LAYOUT,
            says="a dimension of the map is left here",
            kind=ChangeKind.LAYOUT,
        )


def leaves_positions(walked: Walked, trace: Trace, call: Call) -> bool:
    """Whether a layer of features is given what a reduction of a map leaves: to turn it
    would make a result of each position that is left."""
    if not ops.is_of(call.op, Family.LINEAR):
        return False
    reduction = find_reduction(walked, trace, call)
    if reduction is None or len(reduction.shape) < 4:
        return False
    return 0 not in reduction.dims and len(reduction.dims) < len(reduction.shape) - 2


def find_reduction(walked: Walked, trace: Trace, call: Call) -> Reduction | None:
    """The reduction of a map or sequence whose result arrives at a call, on the way only
    flattened or activated."""
    current = trace.producer(call, call.main_argument or 0)
    while current is not None:
        if ops.is_of(current.op, Family.REDUCTION) and not current.is_module:
            return _read_reduction(walked, current)
        is_flatten = ops.of(current.op).flattens
        if not is_flatten and not ops.keeps_shape(current.op):
            return None
        current = trace.producer(current)
    return None


def _read_reduction(walked: Walked, call: Call) -> Reduction | None:
    called = call_at(call.site, walked.texts)
    dims = _written_dims(call)
    shape = call.inputs[0].shape if call.inputs else ()
    if called is None or not dims or len(shape) < 3:
        return None
    rank = len(shape)
    return Reduction(call, called, shape, tuple(sorted(dim % rank for dim in dims)))


def _written_dims(call: Call) -> tuple[int, ...]:
    """The dimensions passed to a reduction; empty where they are not whole numbers."""
    given = call.arg(1, "dim", call.kwargs.get("axis"))
    dims = given if isinstance(given, (tuple, list)) else (given,)
    is_whole = all(isinstance(dim, int) and not isinstance(dim, bool) for dim in dims)
    return tuple(dims) if is_whole else ()


def _dims_to_reduce(reduction: Reduction, takes: int) -> tuple[int, ...]:
    """The dimensions to reduce so that the last one left has the size that is taken;
    empty where that is not clear, or as it is."""
    shape, dims = reduction.shape, reduction.dims
    wanted = [at for at in range(1, len(shape)) if shape[at] == takes]
    if len(wanted) != 1 or 0 in dims:
        return ()
    at = wanted[0]
    behind = tuple(range(at + 1, len(shape)))
    # channels that come last have the positions in front of them
    new = behind or tuple(range(1, at))
    is_more = set(dims) < set(new) or at in dims
    return new if is_more else ()


def _reduce(reduction: Reduction, dims: tuple[int, ...]) -> tuple[Edit, str] | None:
    """The edit that reduces these dimensions, and the call as it then reads."""
    called, call = reduction.called, reduction.call
    written = called.keyword("dim", "axis") or _positional(reduction)
    if written is None:
        return None
    rank = len(reduction.shape)
    # of one dimension people count from the first: `x.mean(1)`
    from_behind = reduction.are_from_behind and len(dims) > 1
    sizes = [dim - rank if from_behind else dim for dim in dims]
    text = str(sizes[0]) if len(sizes) == 1 else f"({', '.join(map(str, sizes))})"
    whole = called.text
    start = whole.rfind(called.source.segment(written))
    tail = whole[start + len(called.source.segment(written)) :]
    if call.op not in _OF_PAIRS or len(sizes) == 1:
        return called.replace_node(written, text), _one_line(
            whole[:start] + text + tail
        )
    values = _values_of_pair(reduction)
    if values is None:
        return _flatten_before(reduction, written, dims)
    name = called.source.segment(called.node.func)
    head = name.removesuffix(call.op) + _OF_PAIRS[call.op]
    new = _one_line(head + whole[len(name) : start] + text + tail)
    return replacement(called.source, values, new), new


def _flatten_before(
    reduction: Reduction, written: ast.expr, dims: Shape
) -> tuple[Edit, str] | None:
    """Join the positions of a map before values and indices are taken of them:
    `x.flatten(2).max(2)`."""
    source, func = reduction.called.source, reduction.called.node.func
    number = source.segment(written)
    is_of_map = _is_method(reduction) and dims[0] == 2
    if (
        not is_of_map
        or not isinstance(func, ast.Attribute)
        or number not in ("2", "-1")
    ):
        return None
    text = f"{source.segment(func.value)}.flatten(2)"
    whole = reduction.called.text.replace(source.segment(func.value), text, 1)
    return replacement(source, func.value, text), _one_line(whole)


def _positional(reduction: Reduction) -> ast.expr | None:
    """The dimensions where they are written without a keyword."""
    position = 0 if _is_method(reduction) else 1
    return reduction.called.argument(position)


def _is_method(reduction: Reduction) -> bool:
    func = reduction.called.node.func
    is_attribute = isinstance(func, ast.Attribute)
    return is_attribute and reduction.called.prefix not in ("torch.", "th.", "pt.")


def _values_of_pair(reduction: Reduction) -> ast.expr | None:
    """The expression of the values alone: `x.max(-1)[0]` or `x.max(-1).values`."""
    source, node = reduction.called.source, reduction.called.node
    parent = source.parents.get(node)
    if isinstance(parent, ast.Attribute) and parent.attr == "values":
        return parent
    is_first = isinstance(parent, ast.Subscript) and isinstance(
        parent.slice, ast.Constant
    )
    if is_first and isinstance(parent, ast.Subscript):
        index = parent.slice
        if isinstance(index, ast.Constant) and index.value == 0:
            return parent
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())
