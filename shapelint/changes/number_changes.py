"""Changes to a number upstream of a failure, at the place of its use or its origin."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.arguments import is_factor, is_only_numbers, is_owner
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.other_values import constant, other_values, small_values
from shapelint.changes.plausibility import roundness
from shapelint.changes.text_at_place import write_text
from shapelint.changes.upstream_calls import Upstream
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.syntax.origins import Place, find_enclosing_function, origins

_NAMED = (ast.Name, ast.Attribute, ast.Subscript)


@dataclass(frozen=True)
class Target:
    """A place at which another number may be written.

    `layer`: the layer whose cost is shown. `name`: the argument that the number is, if
    it is known. `likely`: how plausible a change at this place is."""

    place: Place
    layer: str
    likely: float
    name: str = ""

    @property
    def is_given(self) -> bool:
        """Whether the number sets a size of the layer's result."""
        return self.name in ops.list_output_arguments()

    @property
    def is_term(self) -> bool:
        """Whether it is one side of an operation, such as `dim` in `dim * 2`."""
        parent = self.place.source.parents.get(self.place.node)
        return isinstance(parent, ast.BinOp)

    @property
    def is_named(self) -> bool:
        """Whether the number is written as a name."""
        return isinstance(self.place.node, _NAMED) and not is_owner(self.place)

    def write(self, text: str, worth: float) -> Candidate:
        """A candidate that writes `text` at this place."""
        written = write_text(self.place, text, self.layer, worth, self.name)
        return replace(written, kind=ChangeKind.NUMBER)


def other_numbers(
    context: FailureContext, target: Target, value: int | None
) -> Iterator[Candidate]:
    """Other values for a size, at the place itself and at each of its origins. `value`:
    its value in the run, if it is known."""
    found = list(origins(target.place))
    for depth, origin in enumerate(found):
        likely = target.likely
        if depth:
            likely -= weights.ORIGIN_ELSEWHERE
        if is_factor(origin):
            likely -= weights.ORIGIN_IS_FACTOR
        if any(other.whole for other in found[depth + 1 :]):
            likely -= weights.ORIGIN_HANDED_IN
        here = Target(origin, target.layer, likely, target.name)
        yield from _numbers_at(context, here, value if origin.whole else None)


def _numbers_at(
    context: FailureContext, target: Target, value: int | None
) -> Iterator[Candidate]:
    """Other values for a size at one of these places, where its whole value is
    `value`."""
    node = target.place.node
    is_operation = isinstance(node, ast.BinOp)
    if is_operation:
        yield from _without_term(context, target)
    written = constant(node)
    current = written if written is not None else value
    if current is None:
        yield from _scale_name(target)
        return
    is_number = written is not None or target.is_named or is_operation
    if current <= 0 or not is_number:
        return
    yield from _numbers_that_fit(context, target, current)
    if target.is_given and written is not None:
        yield from _numbers_of_failing(context, target, written)


def _scale_name(target: Target) -> Iterator[Candidate]:
    """Double or halve a name whose value is not known."""
    if not target.is_named:
        return
    name, likely = target.place.text, target.likely - weights.VALUE_UNKNOWN
    for text in (f"{name} * 2", f"{name} // 2"):
        yield target.write(text, likely)


def _numbers_that_fit(
    context: FailureContext, target: Target, current: int
) -> Iterator[Candidate]:
    """The values with which the sizes of a pair would become equal."""
    is_term = target.is_term
    for new in other_values(current, context.pairs):
        if is_term and new == 1:
            continue  # nobody writes `dim * 1`
        likely = target.likely
        if is_term and target.is_given and new in context.parts:
            likely += weights.VALUE_OF_PARTS
        yield from _spellings(context, target, current, new, likely)


def _numbers_of_failing(
    context: FailureContext, target: Target, current: int
) -> Iterator[Candidate]:
    """For the result of an earlier layer: the factors and terms written for the size of
    the failing layer's input."""
    likely = target.likely - weights.VALUE_OF_FAILING
    for new in context.constants:
        if new != current:
            yield from _spellings(context, target, current, new, likely)


# -- how another number is written -------------------------------------------------------


def _spellings(
    context: FailureContext, target: Target, old: int, new: int, likely: float
) -> Iterator[Candidate]:
    """The ways to write another value: as a name that has it, as a multiple of the
    present text, as a number."""
    place = target.place
    gain = context.numbers.gain(old, new)
    if isinstance(place.node, ast.Constant):
        yield target.write(str(new), likely + gain)
        return
    likely += gain * weights.SPELLED_GAIN_SHARE
    names = context.spellings.get((find_enclosing_function(place), new), ())
    for text in names:
        if text != place.text:
            worth = likely - weights.SPELLED_AS_NAME
            yield target.write(
                text, worth + _weigh_alike_spelling(context, target, text)
            )
    # a factor after `a + b` would only apply to `b`
    if not isinstance(place.node, ast.BinOp):
        yield from _multiples(target, old, new, likely)
    yield target.write(str(new), likely - weights.SPELLED_AS_NUMBER)


def _multiples(
    target: Target, old: int, new: int, likely: float
) -> Iterator[Candidate]:
    """`width * 2` and `width // 2`, if the new number is that."""
    if old and new % old == 0:
        text = f"{target.place.text} * {new // old}"
        yield target.write(text, likely - weights.SPELLED_AS_MULTIPLE)
    if new and old % new == 0:
        text = f"{target.place.text} // {old // new}"
        yield target.write(text, likely - weights.SPELLED_AS_PART)


def _without_term(context: FailureContext, target: Target) -> Iterator[Candidate]:
    """Write `hidden` for `hidden * 2`, or `dim` for `dim + 1`."""
    operation = target.place.node
    assert isinstance(operation, ast.BinOp)
    side = _find_named_side(operation)
    if side is None:
        return
    kept, number = side
    likely = target.likely
    if any(arrives == 1 for arrives, _ in context.pairs):
        likely -= weights.SINGLE_FEATURE
    is_sum = isinstance(operation.op, (ast.Add, ast.Sub))
    is_off_by_one = is_sum and abs(number) == 1
    simpler = weights.SIMPLER_BY_ONE if is_off_by_one else weights.SIMPLER
    text = target.place.source.segment(kept)
    alike = _weigh_alike_spelling(context, target, text)
    yield target.write(text, likely + simpler + alike)


def _find_named_side(node: ast.BinOp) -> tuple[ast.expr, int] | None:
    """The side of an operation that contains a name, and the number on the other
    side."""
    left, right = constant(node.left), constant(node.right)
    if right is not None and not is_only_numbers(node.left):
        return node.left, right
    # `8 - dim` is something else than `dim`
    is_one_way = isinstance(node.op, (ast.FloorDiv, ast.Sub, ast.Div))
    if left is None or is_one_way or is_only_numbers(node.right):
        return None
    return node.right, left


def _weigh_alike_spelling(context: FailureContext, target: Target, text: str) -> float:
    """The bonus if both ends would then be spelled alike: `nn.Embedding(n, width)` for
    `nn.LSTM(width, ...)`."""
    others = context.taken if target.is_given else context.given
    return weights.SPELLED_ALIKE if text in others else 0.0


# -- counts ------------------------------------------------------------------------------


def small_numbers_near(
    context: FailureContext, step: Upstream, place: Place, more: float = 0.0
) -> Iterator[Candidate]:
    """Numbers close to the present one, for heads, groups and factors."""
    layer = step.call.layer
    for origin in origins(place):
        if isinstance(origin.node, ast.BinOp):
            simpler = step.closeness + weights.SMALL_SIMPLER
            yield from _without_term(context, Target(origin, layer, simpler))
        old = constant(origin.node)
        if old is None:
            continue
        for new in small_values(old):
            rounder = roundness(new) - roundness(old)
            likely = step.closeness + weights.SMALL_NUMBER + more
            likely -= weights.SMALL_STEP_EACH * abs(new - old)
            likely += weights.SMALL_ROUNDNESS_SHARE * rounder
            yield write_text(origin, str(new), layer, likely)
