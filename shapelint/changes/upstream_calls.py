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

LAST = 12
"""Calls before an exception that may have given what it is about."""

REACH = 40
"""Calls looked at upstream of a failure."""


@dataclass(frozen=True)
class Upstream:
    """A call on the way to a failure: how far off, and the user's expressions that made
    and called it."""

    call: Call
    distance: int
    made: CallExpression | None
    called: CallExpression | None
    wrapper: CallExpression | None = None
    """Where the user's code makes it through a class or function of another name:
    `ConvNormAct(16, 32)`."""
    suspect: float = 0.0

    @property
    def near(self) -> float:
        """What the distance costs, and what it is worth that only the operand that
        differs comes from here."""
        return self.suspect - weights.DISTANCE_EACH * self.distance

    @property
    def made_arguments(self) -> list[Argument]:
        """The written arguments of the layer, by name; none where it is not known."""
        return arguments(self.made) if self.made is not None else []

    @property
    def spelled_arguments(self) -> list[tuple[str, Place]]:
        """Those that are not written as a number or another constant."""
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
    """The failed call and those before it, nearest first.

    Where no call failed, but the model or a library `raised`, any of the last few may
    have given what it refused."""
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
    """The calls that lead to a failed one, collected from there back."""

    def __init__(self, trace: Trace, failed: Call) -> None:
        self.trace = trace
        self.failed = failed
        self.order = [(failed, 0)]
        """Each call with its distance from the failure."""
        self.leads: dict[int, set[int]] = {failed.index: set()}
        """By the index of each call, the operands of the failed one that come from
        it."""

    def add_last_calls(self) -> None:
        """Add what was called just before, whether the failed call is fed with it or
        not."""
        end = self.failed.index
        for call in reversed(self.trace.calls[max(0, end - LAST) : end]):
            self._add(call, 1)

    def follow_producers(self) -> None:
        """Add the calls that fed those in the way, breadth first."""
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
    """What an op adds to the distance between a number and a failure: nothing where it
    hands the shape on."""
    is_transparent = ops.keeps_shape(op) or op == "getitem"
    return 0 if is_transparent else 1


def _weigh_suspicion(operands: set[int], odd: int | None) -> float:
    """What it is worth that the operand that differs from all others comes from a call,
    and no other."""
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
