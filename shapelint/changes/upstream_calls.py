"""The calls upstream of a failure, what made and called them, and how numbers are
spelled there."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch

from shapelint.changes import rewrites
from shapelint.changes.other_values import constant, odd_one_out
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place, enclosing_function
from shapelint.syntax.walked_calls import definition_of

_ODD = 0.6
"""What it is worth that a number belongs to the one operand that differs from all
others."""

LAST = 12
"""Calls before an exception that may have given what it is about."""

REACH = 40
"""Calls looked at upstream of a failure."""

GIVEN = {
    *(
        "out_features",
        "out_channels",
        "hidden_size",
        "embedding_dim",
        "embed_dim",
        "d_model",
        "output_size",
    ),
    *("proj_size", "size", "dim_feedforward", "unflattened_size"),
}
"""Arguments that say what a layer gives; those that say what it takes are right where
it does not fail."""

_TRANSPARENT = {
    *(
        "ReLU",
        "relu",
        "Dropout",
        "dropout",
        "GELU",
        "gelu",
        "contiguous",
        "Identity",
        "SiLU",
        "Tanh",
        "tanh",
    ),
    *(
        "Sigmoid",
        "sigmoid",
        "LeakyReLU",
        "leaky_relu",
        "getitem",
        "softmax",
        "Softmax",
        "to",
        "float",
        "silu",
    ),
    *("BatchNorm1d", "BatchNorm2d", "LayerNorm", "ReLU6", "Hardswish", "ELU", "PReLU"),
}
"""Ops that add nothing to the distance between a number and a failure."""


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
        return self.suspect - 0.12 * self.distance


@lru_cache(maxsize=256)
def parameter_names(layer: str) -> tuple[str, ...]:
    """The arguments of one of torch's layers, in order."""
    cls = getattr(torch.nn, layer, None)
    if not isinstance(cls, type):
        return ()
    names = tuple(inspect.signature(cls).parameters)
    if layer in ("LSTM", "GRU", "RNN"):
        return (
            "input_size",
            "hidden_size",
            "num_layers",
            "bias",
            "batch_first",
            "dropout",
            "bidirectional",
        )
    return names


def arguments(made: CallExpression) -> list[tuple[str, ast.expr]]:
    """The written arguments of a layer, by name."""
    if any(isinstance(node, ast.Starred) for node in made.node.args):
        return [(word.arg, word.value) for word in made.node.keywords if word.arg]
    named = list(zip(parameter_names(made.name), made.node.args, strict=False))
    return [
        *named,
        *((word.arg, word.value) for word in made.node.keywords if word.arg),
    ]


def written_factors(walked: Walked) -> list[int]:
    """Numbers written as factors of what a layer takes, once for each layer: 128 of
    `128 * 4 * 4`."""
    found: dict[object, list[int]] = {}
    for trace in walked.traces.values():
        for call in trace.calls:
            made = (
                layer_call(call.definition, call.module_class, walked.texts)
                if call.is_module
                else None
            )
            node = made.argument(0, "in_features") if made is not None else None
            if made is not None and isinstance(node, ast.BinOp):
                parts = [
                    constant(part)
                    for part in ast.walk(node)
                    if isinstance(part, ast.Constant)
                ]
                found[(made.source.file, made.node.lineno)] = list(
                    {part for part in parts if part and part > 8}
                )
    return [number for numbers in found.values() for number in numbers]


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
    for call, distance in order:  # grows while it is read
        if distance >= REACH or len(leads) >= REACH * 2:
            continue
        weight = 0 if call.op in _TRANSPARENT else 1
        for position, index in enumerate(call.producers):
            if index < 0:
                continue
            if index not in leads:
                leads[index] = set()
                order.append((trace.calls[index], distance + weight))
            leads[index] |= {position} if call is failed else leads[call.index]
    for call, distance in order:
        made = wrapper = None
        if call.is_module or call.params:
            sites, class_name = definition_of(walked, call)
            made = layer_call(sites, class_name, walked.texts)
            wrapper = (
                call_at(sites[0], walked.texts) if made is None and sites else None
            )
        suspect = 0.0
        if odd is not None and call is not failed:
            suspect = (
                _ODD
                if leads[call.index] == {odd}
                else (-_ODD if odd not in leads[call.index] else 0.0)
            )
        yield Upstream(
            call, distance, made, call_at(call.site, walked.texts), wrapper, suspect
        )


def vocabulary(upstream: list[Upstream]) -> dict[tuple[object, int], list[str]]:
    """How the numbers of the model are spelled where its layers are made, by
    function."""
    texts: dict[tuple[object, int], Counter[str]] = {}
    for step in upstream:
        for name, node in arguments(step.made) if step.made is not None else ():
            value = single(step.call.attributes.get(name))
            if value is not None and not isinstance(node, ast.Constant):
                assert step.made is not None
                scope = enclosing_function(Place(step.made.source, node))
                texts.setdefault((scope, value), Counter())[
                    step.made.source.segment(node)
                ] += 1
    return {
        key: [text for text, _ in found.most_common(3)] for key, found in texts.items()
    }


def spelled_ends(upstream: list[Upstream]) -> tuple[set[str], set[str]]:
    """How the failing layer spells what it takes, and the layers just before it what
    they give."""
    taken, given = set(), set()
    for step in upstream:
        for name, node in arguments(step.made) if step.made is not None else ():
            assert step.made is not None
            if isinstance(node, ast.Constant):
                continue
            if step is upstream[0] and name not in GIVEN:
                taken.add(step.made.source.segment(node))
            elif step is not upstream[0] and name in GIVEN and step.distance <= 2:
                given.add(step.made.source.segment(node))
    return taken, given


def written_numbers(step: Upstream) -> list[int]:
    """The factors and terms of what the failing layer is said to take: 8, 4 and 5 of `8
    * 4 * 4 + 5`."""
    nodes = [
        node
        for name, node in (arguments(step.made) if step.made is not None else ())
        if name not in GIVEN
    ]
    parts = [
        part for node in nodes if isinstance(node, ast.BinOp) for part in ast.walk(node)
    ]
    numbers = [constant(part) for part in parts if isinstance(part, ast.Constant)]
    return [
        number for number in dict.fromkeys(numbers) if number is not None and number > 1
    ]


def candidate(
    place: Place, text: str, layer: str, likely: float, name: str
) -> Candidate:
    """`text` written at a place."""
    edit = replacement(place.source, place.node, text)
    group = f"{edit.start.line}:{edit.start.column}"
    says = f"`{text}` fits" + (f" as `{name}`" if name else "")
    title = f"`{rewrites.shown(place, text)}`"
    return Candidate(title, (edit,), layer, group, likely=likely, says=says)


def single(value: object) -> int | None:
    """A number, or the last of several."""
    if isinstance(value, tuple) and value:
        value = value[-1]
    return value if isinstance(value, int) and not isinstance(value, bool) else None
