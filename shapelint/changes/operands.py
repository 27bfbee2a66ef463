"""Changes to the operands of a failing call: `k.transpose(-2, -1)`, `x.flatten(1)`, a
skip connection cropped or resized."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from shapelint import ops
from shapelint.changes import weights
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import call_at, operation_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile

IsFitting = Callable[[list[Shape]], bool]
"""Whether a call runs with operands of these shapes."""


@dataclass(frozen=True)
class Operand:
    """A tensor argument as written, and its shape."""

    source: ParsedFile
    node: ast.expr
    shape: Shape
    made_at: int = -1
    """The index of the call that made it."""

    @property
    def text(self) -> str:
        """The expression in a form on which a method can be called."""
        text = self.source.segment(self.node)
        simple = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
        return text if isinstance(self.node, simple) else f"({text})"

    @property
    def is_named(self) -> bool:
        """Whether it can be written twice without being computed twice."""
        node = self.node
        while isinstance(node, ast.Subscript) and not _holds_call(node.slice):
            node = node.value
        return isinstance(node, (ast.Name, ast.Attribute))


def find_operands(walked: Walked, call: Call) -> list[Operand]:
    """The tensor arguments of a call that can be identified in the user's
    expression."""
    written = _find_written_operands(walked, call)
    if written is None:
        return []
    source, nodes = written
    values: list[object] = list(call.inputs)
    if not call.is_module:
        values = list(call.failure.args if call.failure is not None else call.args)
    if len(nodes) == 1 and values and isinstance(values[0], (list, tuple)):
        listed = nodes[0]
        if not isinstance(listed, (ast.List, ast.Tuple)):
            return []
        nodes, values = listed.elts, list(values[0])
    if any(isinstance(node, ast.Starred) for node in nodes):
        return []
    known = [
        Operand(source, node, value.shape)
        for node, value in zip(nodes, values, strict=False)
        if isinstance(value, TensorFact)
    ]
    return _with_makers(known, call)


def _with_makers(known: list[Operand], call: Call) -> list[Operand]:
    """Operands that know the calls that made them, where each is one of the call's."""
    shapes = [fact.shape for fact in call.inputs]
    if [operand.shape for operand in known] != shapes:
        return known
    pairs = zip(known, call.producers, strict=False)
    return [replace(operand, made_at=maker) for operand, maker in pairs]


def _holds_call(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Call) for each in ast.walk(node))


def _find_written_operands(
    walked: Walked, call: Call
) -> tuple[ParsedFile, list[ast.expr]] | None:
    """The expressions of a call's arguments, and their file."""
    operation = operation_at(call.site, walked.texts)
    if operation is not None and isinstance(operation[1], ast.BinOp):
        return operation[0], [operation[1].left, operation[1].right]
    called = call_at(call.site, walked.texts)
    if called is None:
        return None
    if ops.is_of(call.op, Family.JOINING):
        listed = called.argument(0, "tensors")
        return (called.source, [listed]) if listed is not None else None
    func, given = called.node.func, called.node.args
    if not call.is_method or not isinstance(func, ast.Attribute):
        return called.source, list(given)
    is_torch = isinstance(func.value, ast.Name) and func.value.id == "torch"
    return called.source, list(given) if is_torch else [func.value, *given]


def rewrite_operand(
    operand: Operand, text: str, layer: str, likely: float
) -> Candidate:
    """Write an operand in another form."""
    edit = replacement(operand.source, operand.node, text)
    return Candidate(
        f"`{text}`",
        (edit,),
        layer,
        group=f"operand {edit.start.line}:{edit.start.column}",
        likely=likely,
        kind=ChangeKind.OPERAND,
    )


# -- another form of one operand ---------------------------------------------------------


class FormKind(Enum):
    """What a form does to the dimensions of a tensor."""

    TURN = auto()
    """It reorders dimensions, with the batch still in front."""
    TURN_BATCH = auto()
    FLATTEN = auto()
    """It makes a vector of each sample."""
    FLATTEN_POSITIONS = auto()
    """It makes a sequence of the positions of a map."""
    ONE = auto()
    """It adds or removes a dimension of length 1."""
    REDUCE = auto()
    SPREAD = auto()
    """It makes a vector a map with a single position."""


@dataclass(frozen=True)
class Form:
    """A form in which a tensor may be passed: the text to append, the resulting shape,
    and how plausible it is."""

    text: str
    shape: Shape
    likely: float
    kind: FormKind


def rewrite_operands(
    walked: Walked,
    call: Call,
    is_fitting: IsFitting,
    without: frozenset[FormKind] = frozenset(),
) -> Iterator[Candidate]:
    """Transpose, flatten, squeeze or unsqueeze one operand, if the shapes then fit.
    `without`: kinds of forms to leave out."""
    known = find_operands(walked, call)
    shapes = [operand.shape for operand in known]
    # the last operand first: the one it is added to is usually right
    for position, operand in reversed(list(enumerate(known))):
        before, behind = shapes[:position], shapes[position + 1 :]
        for form in _forms_of(operand.shape):
            if form.kind not in without and is_fitting([*before, form.shape, *behind]):
                text = f"{operand.text}{form.text}"
                yield rewrite_operand(operand, text, call.layer, form.likely)


def _forms_of(shape: Shape) -> Iterator[Form]:
    rank, turn = len(shape), FormKind.TURN
    if rank >= 2:
        # of two dimensions, one is the batch; it was never kept apart
        last_two = _swap(shape, -2, -1)
        yield Form(".transpose(-2, -1)", last_two, weights.TRANSPOSE_LAST_TWO, turn)
    if rank >= 3:
        flat = (shape[0], math.prod(shape[1:]))
        yield Form(".flatten(1)", flat, weights.FLATTEN_OPERAND, FormKind.FLATTEN)
        middle, batch = _swap(shape, 1, 2), _swap(shape, 0, 1)
        yield Form(".transpose(1, 2)", middle, weights.TRANSPOSE_MIDDLE, turn)
        turn_batch = FormKind.TURN_BATCH
        yield Form(".transpose(0, 1)", batch, weights.TRANSPOSE_BATCH, turn_batch)
        reduced = (shape[0], *shape[2:])
        yield Form(".mean(dim=1)", reduced, weights.MEAN, FormKind.REDUCE)
    if rank == 4:
        yield from _forms_of_map(shape)
    for at in range(1, rank):
        if shape[at] == 1:
            squeezed = (*shape[:at], *shape[at + 1 :])
            yield Form(f".squeeze({at})", squeezed, weights.SQUEEZE, FormKind.ONE)
    likely = weights.UNSQUEEZE if rank > 1 else weights.UNSQUEEZE_VECTOR
    for at in (-1, 1, 0):
        place = at % (rank + 1)
        unsqueezed = (*shape[:place], 1, *shape[place:])
        yield Form(f".unsqueeze({at})", unsqueezed, likely, FormKind.ONE)
    if rank == 2:
        spread = (*shape, 1, 1)
        likely = weights.SPREAD_OVER_MAP
        yield Form("[:, :, None, None]", spread, likely, FormKind.SPREAD)


def _forms_of_map(shape: Shape) -> Iterator[Form]:
    """Forms of a feature map (N, C, H, W): as a sequence of positions, or with the
    channels moved."""
    batch, channels, height, width = shape
    flatten, likely = FormKind.FLATTEN_POSITIONS, weights.FLATTEN_POSITIONS
    positions = height * width
    yield Form(".flatten(2)", (batch, channels, positions), likely, flatten)
    sequence = (batch, positions, channels)
    yield Form(".flatten(2).transpose(1, 2)", sequence, likely, flatten)
    turn, likely = FormKind.TURN, weights.PERMUTE_CHANNELS
    yield Form(".permute(0, 2, 3, 1)", (batch, height, width, channels), likely, turn)
    yield Form(".permute(0, 3, 1, 2)", (batch, width, channels, height), likely, turn)


def _swap(shape: Shape, one: int, other: int) -> Shape:
    sizes = list(shape)
    sizes[one], sizes[other] = sizes[other], sizes[one]
    return tuple(sizes)


# -- one operand cut or resized to the other ---------------------------------------------
