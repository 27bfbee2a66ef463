"""The calls upstream of a failure, and the user's expressions that made and called
them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.arguments import Argument
from shapelint.changes.failed_sizes import odd_one_out
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.origins import Place
from shapelint.syntax.walked_calls import definition_of

LAST_CALLS = 12
"""How many calls before an exception may have made the values it is about."""

REACH = 40
"""How far upstream of a failure calls are looked at."""


@dataclass(frozen=True)
class Upstream:
    """A call on the way to a failure: its distance, and the user's expressions that
    made and called it."""

    call: Call
    distance: int
    made: CallExpression | None
    called: CallExpression | None
    wrapper: CallExpression | None = None
    """The expression, if the user's code makes the layer through a class or function of
    another name: `ConvNormAct(16, 32)`."""
    suspect: float = 0.0

    @property
    def closeness(self) -> float:
        """The contribution of its position to the likelihood of a change: a cost for
        the distance, and a bonus if only the operand that differs comes from here."""
        return self.suspect - weights.DISTANCE_EACH * self.distance

    @property
    def made_arguments(self) -> list[Argument]:
        """The written arguments of the layer, by name; empty if the expression is not
        known."""
        return arguments(self.made) if self.made is not None else []

    @property
    def spelled_arguments(self) -> list[tuple[str, Place]]:
        """The arguments that are not written as a constant."""
        if self.made is None:
            return []
        source = self.made.source
        return [
            (name, Place(source, node))
            for name, node in self.made_arguments
            if not isinstance(node, ast.Constant)
        ]


def arguments(made: CallExpression) -> list[Argument]:
    """The written arguments of a layer, by name."""
    named = [(word.arg, word.value) for word in made.node.keywords if word.arg]
    if any(isinstance(node, ast.Starred) for node in made.node.args):
        return named
    names = ops.of(made.name).arguments
    return [*zip(names, made.node.args, strict=False), *named]


def single(value: object) -> int | None:
    """A number, or the last of several."""
    if isinstance(value, tuple) and value:
        value = value[-1]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# -- the way to a failure ----------------------------------------------------------------


def way_to_failure(
    walked: Walked, trace: Trace, failed: Call, raised: bool = False
) -> Iterator[Upstream]:
    """Return the failed call and the calls before it, nearest first.

    If no call failed, but the model or a library `raised`, each of the last few calls
    may have made the value that was refused."""
    way = _Way(trace, failed)
    if raised and failed in trace.calls:
        way.add_last_calls()
    way.follow_producers()
    odd = odd_one_out(failed)
    for call, distance in way.order:
        is_before = odd is not None and call is not failed
        suspect = _weigh_suspicion(way.leads[call.index], odd) if is_before else 0.0
        yield _with_expressions(walked, call, distance, suspect)


class _Way:
    """The calls that lead to a failed one, collected backwards."""

    def __init__(self, trace: Trace, failed: Call) -> None:
        self.trace = trace
        self.failed = failed
        self.order = [(failed, 0)]
        """Each call with its distance from the failure."""
        self.leads: dict[int, set[int]] = {failed.index: set()}
        """For each call, by its index, the operands of the failed call that come from
        it."""

    def add_last_calls(self) -> None:
        """Add the calls just before the failed one, whether or not it uses their
        results."""
        end = self.failed.index
        for call in reversed(self.trace.calls[max(0, end - LAST_CALLS) : end]):
            self._add(call, 1)

    def follow_producers(self) -> None:
        """Add the calls that made the inputs of those collected so far, breadth
        first."""
        for call, distance in self.order:  # grows while it is read
            is_far = distance >= REACH
            if is_far or len(self.leads) >= REACH * 2:
                continue
            further = distance + _length_of(call.op)
            for position, index in enumerate(call.producers):
                if index < 0:
                    continue
                self._add(self.trace.calls[index], further)
                is_last = call is self.failed
                operands = {position} if is_last else self.leads[call.index]
                self.leads[index] |= operands

    def _add(self, call: Call, distance: int) -> None:
        if call.index not in self.leads:
            self.leads[call.index] = set()
            self.order.append((call, distance))


def _length_of(op: str) -> int:
    """How much an op adds to the distance between a number and a failure: nothing if it
    keeps the shape."""
    is_transparent = ops.keeps_shape(op) or op == "getitem"
    return 0 if is_transparent else 1


def _weigh_suspicion(operands: set[int], odd: int | None) -> float:
    """The bonus for a call from which only the operand that differs comes, and the
    penalty if only others do."""
    if operands == {odd}:
        return weights.ODD_OPERAND
    return 0.0 if odd in operands else -weights.ODD_OPERAND


def _with_expressions(
    walked: Walked, call: Call, distance: int, suspect: float
) -> Upstream:
    made = wrapper = None
    if call.is_module or call.params:
        sites, class_name = definition_of(walked, call)
        made = layer_call(sites, class_name, walked.texts)
        if made is None and sites:
            wrapper = call_at(sites[0], walked.texts)
    called = call_at(call.site, walked.texts)
    return Upstream(call, distance, made, called, wrapper, suspect)
