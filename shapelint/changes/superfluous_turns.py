"""A permute too many, tensors joined along the wrong dimension, or both at once: what a
layer wants is where it was before."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failed_sizes import find_required_pairs
from shapelint.changes.text_at_place import group_of
from shapelint.changes.turned_channels import takes_last
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.families.concatenation import is_concatenation
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile

REACH = 6
"""How many calls before a failure may have moved its dimensions."""


@dataclass(frozen=True)
class Step:
    """A call that moves or joins dimensions, and the expression that makes it."""

    call: Call
    called: CallExpression

    @property
    def is_join(self) -> bool:
        return is_concatenation(self.call.op)

    @property
    def dim(self) -> int:
        """The dimension that tensors are joined along."""
        given = self.call.arg(1, "dim", self.call.kwargs.get("axis", 0))
        return given if isinstance(given, int) else 0


@dataclass(frozen=True)
class Change:
    """A step that is left out, and one that joins along another dimension."""

    left_out: Step | None
    joined: Step | None
    dim: int = 0


def turn_less(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """Leave out a permute, join along another dimension, or both, where that puts what
    a layer takes where it takes it."""
    pairs = find_required_pairs(call)
    if not pairs or not call.inputs or call.inputs[0].name:
        return
    at = _position_taken(call)
    if at is None:
        return
    steps = _steps_before(walked, trace, call)
    for change in _changes(steps):
        if _is_joined_there(change, at, len(call.inputs[0].shape)):
            continue
        shape = _shape_after(steps, change, call)
        is_there = shape is not None and shape[at] == pairs[0][1]
        candidate = _write(change, call) if is_there else None
        if candidate is not None:
            yield candidate


def _is_joined_there(change: Change, at: int, rank: int) -> bool:
    """Whether tensors are joined along the very dimension that a layer takes them in:
    then it was made for one of them, and its number is the mistake."""
    if change.joined is None or change.left_out is not None:
        return False
    return change.joined.dim % rank == at % rank


def _position_taken(call: Call) -> int | None:
    """The dimension in which a layer takes its channels or features."""
    if takes_last(call):
        return -1
    dims = ops.spatial_dims(call.op)
    return 1 if dims and len(call.inputs[0].shape) == dims + 2 else None


def _steps_before(walked: Walked, trace: Trace, call: Call) -> list[Step]:
    """The calls before a failure that only move or join dimensions, in their order."""
    found: list[Step] = []
    current = trace.producer(call)
    for _ in range(REACH):
        if current is None:
            break
        is_moving = ops.is_of(current.op, Family.TRANSPOSING)
        if is_moving or is_concatenation(current.op):
            called = call_at(current.site, walked.texts)
            if called is None or current.failure is not None:
                break
            found.append(Step(current, called))
        elif not ops.keeps_shape(current.op):
            break
        current = trace.producer(current)
    return found[::-1]


def _changes(steps: list[Step]) -> Iterator[Change]:
    turns = [step for step in steps if not step.is_join]
    joins = [step for step in steps if step.is_join]
    for turn in reversed(turns):
        yield Change(turn, None)
    for join in joins:
        rank = len(join.call.inputs[0].shape)
        dims = [dim for dim in range(1, rank) if dim != join.dim % rank]
        for dim in dims:
            yield Change(None, join, dim)
        for turn in turns:
            yield from (Change(turn, join, dim) for dim in dims)


# -- what arrives then --------------------------------------------------------------------


def _shape_after(steps: list[Step], change: Change, call: Call) -> Shape | None:
    """The shape that arrives at the failing call after a change; None where the steps
    do not go together then."""
    if not steps:
        return None
    shape: Shape | None = steps[0].call.inputs[0].shape
    for step in steps:
        if shape is None:
            return None
        if step.is_join:
            dim = change.dim if step is change.joined else step.dim
            shape = _join(step.call, shape, dim)
        elif step is not change.left_out:
            shape = _move(step.call, shape)
    is_of_rank = shape is not None and len(shape) == len(call.inputs[0].shape)
    return shape if is_of_rank else None


def _join(call: Call, first: Shape, dim: int) -> Shape | None:
    """The shape of tensors joined, the first of which may have another shape now."""
    shapes = [first, *(fact.shape for fact in call.inputs[1:])]
    rank = len(first)
    if any(len(shape) != rank for shape in shapes):
        return None
    along = dim % rank
    rests = {shape[:along] + shape[along + 1 :] for shape in shapes}
    if len(rests) > 1:
        return None
    total = sum(shape[along] for shape in shapes)
    return (*first[:along], total, *first[along + 1 :])


def _move(call: Call, shape: Shape) -> Shape | None:
    order = _order_of(call, len(shape))
    return tuple(shape[at] for at in order) if order else None


def _order_of(call: Call, rank: int) -> Shape | None:
    """The order that a transpose or permute gives; None where it is not known."""
    given = call.args[1:]
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    dims = [dim % rank for dim in given if isinstance(dim, int)]
    order = list(range(rank))
    if call.op == "permute" and sorted(dims) == order:
        return tuple(dims)
    swaps = ops.is_of(call.op, Family.TRANSPOSING) and len(dims) == 2
    if call.op == "t" and rank == 2:
        dims, swaps = [0, 1], True
    if not swaps:
        return None
    one, other = dims
    order[one], order[other] = other, one
    return tuple(order)


# -- how it is written --------------------------------------------------------------------


def _write(change: Change, call: Call) -> Candidate | None:
    edits: list[Edit] = []
    titles: list[str] = []
    if change.joined is not None:
        joined = _write_join(change.joined, change.dim)
        if joined is None:
            return None
        edits.append(joined[0])
        titles.append(f"`{joined[1]}`")
    if change.left_out is not None:
        left_out = _leave_out(change.left_out)
        if left_out is None:
            return None
        edits.append(left_out[0])
        titles.append(f"no `{left_out[1]}`")
    likely = weights.LAYOUT - weights.LAYOUT_OF_TWO * (len(edits) - 1)
    return Candidate(
        ", and ".join(titles),
        tuple(edits),
        call.layer,
        group=f"{' and '.join(titles)}@{' '.join(map(group_of, edits))}",
        likely=likely,
        says="without this, dimensions are where they are wanted",
        kind=ChangeKind.LAYOUT,
    )


def _write_join(step: Step, dim: int) -> tuple[Edit, str] | None:
    called = step.called
    written = called.argument(1, "dim", "axis")
    if written is None:
        return None
    old, whole = called.source.segment(written), called.text
    start = whole.rfind(old)
    text = f"{whole[:start]}{dim}{whole[start + len(old) :]}"
    return called.replace_node(written, str(dim)), " ".join(text.split())


def _leave_out(step: Step) -> tuple[Edit, str] | None:
    """The edit that removes a permute, and what is removed."""
    source, node = step.called.source, step.called.node
    func = node.func
    if not isinstance(func, ast.Attribute):
        return None
    is_function = isinstance(func.value, ast.Name) and func.value.id == "torch"
    tensor = node.args[0] if is_function and node.args else func.value
    kept = source.segment(tensor)
    whole = source.segment(node)
    removed = whole if is_function else whole.removeprefix(kept)
    statement = source.parents.get(node)
    if isinstance(statement, ast.Assign) and _assigns(statement, kept, source):
        line = _line_of(source, statement)
        if line is not None:
            return line, " ".join(removed.split())
    return replacement(source, node, kept), " ".join(removed.split())


def _assigns(statement: ast.Assign, name: str, source: ParsedFile) -> bool:
    targets = statement.targets
    return len(targets) == 1 and source.segment(targets[0]) == name


def _line_of(source: ParsedFile, statement: ast.stmt) -> Edit | None:
    """The edit that removes a statement with its line; None where another one follows
    on that line, or none in its block."""
    block = getattr(source.parents.get(statement), "body", [])
    if statement not in block or block[-1] is statement:
        return None
    behind = block[block.index(statement) + 1]
    start, end = source.extent(statement)[0], source.extent(behind)[0]
    is_next_line = end.line == start.line + 1 and end.column == start.column
    return Edit(source.file, start, end, "") if is_next_line else None
