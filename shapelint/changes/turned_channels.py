"""Channels that are wanted first and come last, or the other way: a permute in front of
a layer, and back behind it where what follows takes the layout from before."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failed_sizes import find_required_pairs
from shapelint.changes.following_layout import Layout, layout_behind
from shapelint.changes.permuting_layers import write_permuting_layer
from shapelint.changes.text_at_place import group_of
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.numbers import Dimension, Literal, ends_of, origin_of
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.edits import insert_before, replacement
from shapelint.syntax.trees import ParsedFile

_OVER_FEATURES = (
    *(Family.LINEAR, Family.RECURRENT, Family.ATTENTION, Family.TRANSFORMER),
)

_IS_MISSING = "a permute is missing in front of this"


@dataclass(frozen=True)
class Turn:
    """Where a layer gets its channels and where it takes them, in a tensor of some
    rank."""

    rank: int
    to_last: bool

    @property
    def order(self) -> Shape:
        """The permute that puts channels where they are taken."""
        return _to_last(self.rank) if self.to_last else _to_first(self.rank)

    @property
    def back(self) -> Shape:
        return _to_first(self.rank) if self.to_last else _to_last(self.rank)

    @property
    def takes(self) -> Layout:
        return Layout.LAST if self.to_last else Layout.FIRST

    @property
    def arrives(self) -> Layout:
        return Layout.FIRST if self.to_last else Layout.LAST

    def write(self, order: Shape) -> str:
        """The method that permutes so: of three dimensions a transpose."""
        if self.rank == 3:
            return ".transpose(1, 2)"
        return f".permute({', '.join(map(str, order))})"


def _to_last(rank: int) -> Shape:
    return (0, *range(2, rank), 1)


def _to_first(rank: int) -> Shape:
    return (0, rank - 1, *range(1, rank - 1))


def turn_channels(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """Permute what arrives at a layer so that its channels are where it takes them."""
    turn = find_turn(call)
    if turn is None or (turn.rank > 3 and _is_image_itself(trace, call)):
        return
    follows = layout_behind(trace, call)
    if follows is None and ops.keeps_shape(call.op):
        # nobody asks, so what a norm gives is laid out as what it is given
        follows = turn.arrives
    for position, (edits, title, is_back) in enumerate(_write_turn(walked, call, turn)):
        likely = weights.LAYOUT - weights.LAYOUT_EACH * position
        if follows is not None and (follows is not turn.takes) == is_back:
            likely += weights.LAYOUT_AS_FOLLOWS
        yield Candidate(
            title,
            edits,
            call.layer,
            group=f"{'turn and back' if is_back else 'turn'}@{group_of(edits[0])}",
            likely=likely,
            says=_IS_MISSING,
            kind=ChangeKind.LAYOUT,
        )


def _is_image_itself(trace: Trace, call: Call) -> bool:
    """Whether an input of the model arrives as it was given: of images with their
    channels last the input is the mistake."""
    way = trace.way_to(call)
    first = way[0] if way else call
    is_untouched = all(
        ops.keeps_shape(step.op) or ops.is_of(step.op, Family.ELEMENTWISE)
        for step in way
    )
    return 0 in first.from_input and is_untouched


def find_turn(call: Call) -> Turn | None:
    """The turn with which the channels of an input are where a failed layer takes
    them; None where they are there, or nowhere."""
    shape = call.inputs[0].shape if call.inputs else ()
    pairs = find_required_pairs(call)
    if not 3 <= len(shape) <= 5 or not pairs:
        return None
    takes = pairs[0][1]
    if takes_last(call):
        # of a map, a `Linear` mostly takes what is pooled or flattened
        is_map = len(shape) > 3 and ops.is_of(call.op, Family.LINEAR)
        has_first = shape[1] == takes != shape[-1]
        has_first = has_first and not _is_coincidence(shape[1], shape[-1])
        return Turn(len(shape), True) if has_first and not is_map else None
    dims = ops.spatial_dims(call.op) or 0
    has_last = shape[-1] == takes != shape[1]
    has_last = has_last and not _is_coincidence(shape[-1], shape[1])
    is_of_rank = len(shape) == dims + 2 or call.op == "GroupNorm"
    return Turn(len(shape), False) if has_last and is_of_rank else None


def _is_coincidence(wanted: int, there: int) -> bool:
    """Whether the size that is wanted is a side or a length of the input, and the one
    in its place was written in the code: then the channels are in their place."""
    return _is_of_input(wanted) and _is_written(there)


def _is_of_input(size: int) -> bool:
    origin = origin_of(size)
    ends = list(ends_of(origin)) if origin is not None else []
    return any(isinstance(end, Dimension) for end in ends)


def _is_written(size: int) -> bool:
    origin = origin_of(size)
    ends = list(ends_of(origin)) if origin is not None else []
    return bool(ends) and all(isinstance(end, Literal) for end in ends)


def takes_last(call: Call) -> bool:
    """Whether a layer takes its features in the last dimension."""
    if ops.is_of(call.op, *_OVER_FEATURES):
        return call.module_class != "Bilinear"
    return "normalized_shape" in ops.of(call.op).takes


# -- where it is written ------------------------------------------------------------------

_Written = tuple[tuple[Edit, ...], str, bool]
"""The edits, how they are shown, and whether they turn back behind the layer."""


def _write_turn(walked: Walked, call: Call, turn: Turn) -> Iterator[_Written]:
    element = _element_of(walked, call)
    if element is not None:
        yield from _around_element(element, turn)
        return
    called = call_at(call.site, walked.texts)
    if called is None or not _is_first_called(call):
        return
    operand = called.argument(0, "input", "x")
    if operand is None or isinstance(operand, ast.Starred):
        return
    text = called.source.segment(operand)
    simple = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
    if not isinstance(operand, simple):
        text = f"({text})"
    turned = f"{text}{turn.write(turn.order)}"
    edit = replacement(called.source, operand, turned)
    yield (edit,), f"`{_one_line(turned)}`", False
    if ops.is_of(call.op, Family.RECURRENT):
        return
    whole = called.text.replace(called.source.segment(operand), turned, 1)
    both = f"{whole}{turn.write(turn.back)}"
    edit = replacement(called.source, called.node, both)
    yield (edit,), f"`{_one_line(both)}`", True


def _is_first_called(call: Call) -> bool:
    """Whether what the user's call passes arrives at a layer: it is called by itself, or
    is the first of the Sequential that is."""
    path = call.module_path
    for frame in reversed(call.within):
        if frame.class_name != "Sequential":
            break
        if path != f"{frame.path}.0".lstrip("."):
            return False
        path = frame.path
    return True


def _around_element(element: CallExpression, turn: Turn) -> Iterator[_Written]:
    """A layer that permutes before one in a Sequential, and one behind it."""
    source = element.source
    before = write_permuting_layer(source, turn.order)
    behind = write_permuting_layer(source, turn.back)
    if before is None or behind is None:
        return
    shown = _one_line(element.text)
    statement = _append_of(element)
    if statement is not None:
        yield from _around_statement(source, statement, (before, behind), shown)
        return
    start, end = source.extent(element.node)
    first = Edit(source.file, start, start, f"{before}, ")
    yield (first,), f"`{before}` before `{shown}`", False
    # one edit: an insertion in front and one behind could not be told from two mistakes
    both = Edit(source.file, start, end, f"{before}, {element.text}, {behind}")
    yield (both,), f"`{before}` before `{shown}` and `{behind}` after it", True


def _append_of(element: CallExpression) -> ast.Expr | None:
    """The statement `layers.append(...)` that adds a layer to a list."""
    source = element.source
    adding = source.parents.get(element.node)
    if not isinstance(adding, ast.Call) or len(adding.args) != 1:
        return None
    func, statement = adding.func, source.parents.get(adding)
    is_append = isinstance(func, ast.Attribute) and func.attr == "append"
    return statement if is_append and isinstance(statement, ast.Expr) else None


def _around_statement(
    source: ParsedFile, statement: ast.Expr, layers: tuple[str, str], shown: str
) -> Iterator[_Written]:
    """A statement that adds a permuting layer before another, and one behind it."""
    before, behind = layers
    adding = source.segment(statement).partition("(")[0]
    first = insert_before(source, statement, f"{adding}({before})")
    yield (first,), f"`{before}` before `{shown}`", False
    indentation = " " * statement.col_offset
    last = f"\n{indentation}{adding}({behind})"
    both = replace(first, replacement=first.replacement + last)
    yield (both,), f"`{before}` before `{shown}` and `{behind}` after it", True


def _element_of(walked: Walked, call: Call) -> CallExpression | None:
    """The expression that makes a layer as an element of a Sequential or a list, where
    it is not the first one."""
    if _is_first_called(call):
        return None
    for site in call.definition:
        made = call_at(site, walked.texts)
        if made is None:
            return None
        parent = made.source.parents.get(made.node)
        if _holds_layers(parent, made.node) or _append_of(made) is not None:
            return made
    return None


def _holds_layers(parent: ast.AST | None, node: ast.expr) -> bool:
    if isinstance(parent, (ast.List, ast.Tuple)):
        return True
    if not isinstance(parent, ast.Call) or node not in parent.args:
        return False
    func = parent.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name == "Sequential"


def _one_line(text: str) -> str:
    return " ".join(text.split())
