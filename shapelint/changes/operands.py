"""Changes to the operands of a failing call: `k.transpose(-2, -1)`, `x.flatten(1)`, a
skip connection cropped or resized."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.torch_prefixes import functional_prefix
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

MOST_PADDING = 3
"""The most by which a skip connection is padded. A larger difference does not come from
halving an odd size."""


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


def crop_larger(
    walked: Walked, call: Call, tables: Collection[Shape]
) -> Iterator[Candidate]:
    """Crop a mask or table that is larger than the other operand:
    `mask[..., : x.size(-2), : x.size(-1)]`. `tables`: the shapes of operands that do not
    come from an input; what does, and has more dimensions, is not cut."""
    known = find_operands(walked, call)
    if len(known) != 2:
        return
    for one, other in ((known[0], known[1]), (known[1], known[0])):
        larger = _larger_sides(one.shape, other.shape)
        if not larger or not other.is_named or not _may_be_cut(one, other, larger):
            continue
        is_sample = len(one.shape) > len(other.shape) and one.shape not in tables
        if is_sample or _are_maps_of_one_kind(one, other):
            continue
        cuts = [
            f": {other.text}.size(-{side})" if side in larger else ":"
            for side in range(max(larger), 0, -1)
        ]
        text = f"{one.text}[..., {', '.join(cuts)}]"
        yield rewrite_operand(one, text, call.layer, weights.CROP_TABLE)


def _larger_sides(shape: Shape, other: Shape) -> list[int]:
    """The dimensions, counted from the end, in which one shape is larger than the
    other; empty if it is smaller in any."""
    sides = range(1, min(len(shape), len(other)) + 1)
    differing = [side for side in sides if shape[-side] not in (1, other[-side])]
    is_smaller = any(shape[-side] < other[-side] for side in differing)
    return [] if is_smaller else differing


def _may_be_cut(one: Operand, other: Operand, sides: list[int]) -> bool:
    """Whether these dimensions are spatial or time. Heads, channels and features are
    not cropped."""
    spatial = max(2, len(one.shape) - 2, len(other.shape) - 2)
    is_of_features = len(one.shape) == len(other.shape) == 3 and sides == [1]
    return not is_of_features and len(sides) <= 2 and max(sides) <= spatial


def _are_maps_of_one_kind(one: Operand, other: Operand) -> bool:
    """Whether both are results of the model for the same samples and channels; a mask
    or table is not."""
    is_map = len(one.shape) == len(other.shape) >= 3
    is_alike = one.shape[:2] == other.shape[:2]
    return is_map and is_alike and min(one.made_at, other.made_at) >= 0


def _is_skip(one: Operand, other: Operand) -> bool:
    """Whether one of two maps was kept from before the other was made from it: cut or
    resized, it would leave the result smaller than the input."""
    is_map = len(one.shape) == len(other.shape) >= 3
    return is_map and 0 <= one.made_at < other.made_at


def resize_maps(walked: Walked, call: Call, is_even: bool) -> Iterator[Candidate]:
    """Interpolate, crop or pad the feature map that was made last to the height and
    width of the other, which a decoder kept from its encoder.

    `is_even`: the input can be halved many times, so that a wrong window upstream is
    more plausible."""
    maps = _maps_to_fit(_odd_one_first(find_operands(walked, call)))
    if maps is None:
        return
    first, other = maps
    yield from _interpolations(first, other, call.layer, is_even)
    yield from _crops(first, other, call.layer, is_even)


def _maps_to_fit(known: list[Operand]) -> tuple[Operand, Operand] | None:
    """The map to resize and the map that sets the size. The latter must have a name,
    because its sizes are read from it."""
    if len(known) != 2 or len(known[0].shape) != len(known[1].shape):
        return None
    first, other = known
    if first.made_at != other.made_at:
        first, other = (other, first) if _is_skip(first, other) else (first, other)
    elif not other.is_named:
        first, other = other, first
    is_map = len(first.shape) in (3, 4, 5)
    return (first, other) if is_map and other.is_named else None


def _interpolations(
    first: Operand, other: Operand, layer: str, is_even: bool
) -> Iterator[Candidate]:
    """Interpolate the first map, or pad it if it is only slightly smaller."""
    prefix = functional_prefix(first.source)
    if prefix is None:
        return
    inside = first.source.segment(first.node)
    text = f"{prefix}interpolate({inside}, size={other.text}.shape[2:])"
    likely = weights.RESIZE_HALVED_WELL if is_even else weights.RESIZE
    yield rewrite_operand(first, text, layer, likely)
    missing = _missing_sides(first, other)
    is_small = all(0 <= size <= MOST_PADDING for size in missing)
    if is_small and isinstance(first.node, (ast.Name, ast.Call)):
        # F.pad counts dimensions from the last, and takes two sides of each
        amounts = ", ".join(f"0, {size}" for size in reversed(missing))
        likely = weights.PAD_HALVED_WELL if is_even else weights.PAD
        text = f"{prefix}pad({inside}, ({amounts}))"
        yield rewrite_operand(first, text, layer, likely)


def _crops(
    first: Operand, other: Operand, layer: str, is_even: bool
) -> Iterator[Candidate]:
    """Crop the other map to the first, if the first is smaller by more than halving
    makes it: then borders were lost, as in the first U-Net."""
    rank = len(first.shape)
    missing = _missing_sides(first, other)
    is_smaller = min(missing) >= 0 and max(missing) > MOST_PADDING
    if is_smaller and first.is_named and rank in (3, 4):
        cuts = ", ".join(f": {first.text}.shape[{at}]" for at in range(2, rank))
        likely = weights.CROP_HALVED_WELL if is_even else weights.CROP
        yield rewrite_operand(other, f"{other.text}[..., {cuts}]", layer, likely)


def _missing_sides(first: Operand, other: Operand) -> list[int]:
    """By how much the first map is smaller than the other in height and width."""
    sides = zip(first.shape[2:], other.shape[2:], strict=True)
    return [wanted - size for size, wanted in sides]


def _odd_one_first(known: list[Operand]) -> list[Operand]:
    """If one of several maps differs, that one and one of the others."""
    if len(known) <= 2:
        return known
    sizes = [operand.shape[2:] for operand in known]
    odd = [operand for operand in known if sizes.count(operand.shape[2:]) == 1]
    others = [operand for operand in known if sizes.count(operand.shape[2:]) > 1]
    return [odd[0], others[0]] if len(odd) == 1 and others else known
