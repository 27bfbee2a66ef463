"""The calls upstream of a failure, what made and called them, and how numbers are
spelled there."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.arguments import Argument
from shapelint.changes.failed_sizes import odd_one_out
from shapelint.changes.other_values import constant
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.origins import Place, find_enclosing_function
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
    odd = odd_one_out(failed)
    leads: dict[int, set[int]] = {failed.index: set()}
    order: list[tuple[Call, int]] = [(failed, 0)]
    if raised and failed in trace.calls:
        last = trace.calls[max(0, failed.index - LAST) : failed.index]
        leads |= {call.index: set() for call in last}
        order += [(call, 1) for call in reversed(last)]
    _follow_producers(trace, failed, leads, order)
    for call, distance in order:
        is_before = odd is not None and call is not failed
        suspect = _weigh_suspicion(leads[call.index], odd) if is_before else 0.0
        yield _with_expressions(walked, call, distance, suspect)


def _follow_producers(
    trace: Trace,
    failed: Call,
    leads: dict[int, set[int]],
    order: list[tuple[Call, int]],
) -> None:
    """Add the calls before those in `order`. `leads`: by the index of each, the
    operands of the failed call that come from it."""
    for call, distance in order:  # grows while it is read
        is_far = distance >= REACH
        if is_far or len(leads) >= REACH * 2:
            continue
        further = distance + _length_of(call.op)
        for position, index in enumerate(call.producers):
            if index < 0:
                continue
            if index not in leads:
                leads[index] = set()
                order.append((trace.calls[index], further))
            operands = {position} if call is failed else leads[call.index]
            leads[index] |= operands


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


# -- how numbers are written there -------------------------------------------------------


def list_written_factors(walked: Walked) -> list[int]:
    """Numbers written as factors of what a layer takes, once for each layer: 128 of
    `128 * 4 * 4`."""
    found: dict[object, list[int]] = {}
    calls = (call for trace in walked.traces.values() for call in trace.calls)
    for call in calls:
        if not call.is_module:
            continue
        made = layer_call(call.definition, call.module_class, walked.texts)
        if made is None:
            continue
        node = made.argument(0, "in_features")
        if isinstance(node, ast.BinOp):
            # smaller ones are sides of a map, which say nothing of its channels
            large = {number for number in _numbers_in(node) if number > 8}
            found[(made.source.file, made.node.lineno)] = list(large)
    return [number for numbers in found.values() for number in numbers]


def _numbers_in(node: ast.expr) -> list[int]:
    """The numbers of an expression, each once."""
    parts = (part for part in ast.walk(node) if isinstance(part, ast.Constant))
    numbers = dict.fromkeys(constant(part) for part in parts)
    return [number for number in numbers if number is not None]


def list_written_numbers(step: Upstream) -> list[int]:
    """The factors and terms of what the failing layer is said to take: 8, 4 and 5 of `8
    * 4 * 4 + 5`."""
    numbers = [
        number
        for name, node in step.made_arguments
        if name not in ops.list_output_arguments() and isinstance(node, ast.BinOp)
        for number in _numbers_in(node)
    ]
    return [number for number in dict.fromkeys(numbers) if number > 1]


def vocabulary(upstream: list[Upstream]) -> dict[tuple[object, int], list[str]]:
    """How the numbers of the model are spelled where its layers are made, by function
    and number; the usual spellings first."""
    texts: dict[tuple[object, int], Counter[str]] = {}
    for step in upstream:
        for name, node in step.made_arguments:
            value = single(step.call.attributes.get(name))
            if value is None or isinstance(node, ast.Constant) or step.made is None:
                continue
            source = step.made.source
            scope = find_enclosing_function(Place(source, node))
            counts = texts.setdefault((scope, value), Counter())
            counts[source.segment(node)] += 1
    return {
        key: [text for text, _ in found.most_common(3)] for key, found in texts.items()
    }


def find_size_spellings(upstream: list[Upstream]) -> tuple[set[str], set[str]]:
    """How the failing layer spells what it takes, and the layers just before it what
    they give."""
    taken, given = set(), set()
    for step in upstream:
        is_failing = step is upstream[0]
        for name, node in step.made_arguments:
            if isinstance(node, ast.Constant) or step.made is None:
                continue
            text = step.made.source.segment(node)
            if is_failing and name not in ops.list_output_arguments():
                taken.add(text)
            elif (
                not is_failing
                and name in ops.list_output_arguments()
                and step.distance <= 2
            ):
                given.add(text)
    return taken, given
