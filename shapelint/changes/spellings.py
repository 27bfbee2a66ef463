"""How the sizes of a model are written where its layers are made."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

from shapelint import ops
from shapelint.changes.other_values import constant
from shapelint.changes.upstream_calls import Upstream, single
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, layer_call
from shapelint.syntax.origins import find_enclosing_function

Spellings = dict[tuple[object, int], list[str]]
"""The texts that stand for a number, by function and number."""

# -- numbers in sums and products --------------------------------------------------------


def list_written_factors(walked: Walked) -> list[int]:
    """Numbers written as factors of a layer's input size, once for each layer: 128 in
    `128 * 4 * 4`."""
    found: dict[object, list[int]] = {}
    for made in _find_layer_calls(walked):
        taken = made.argument(0, "in_features")
        if isinstance(taken, ast.BinOp):
            # smaller ones are sides of a map, which say nothing of its channels
            large = {number for number in _numbers_in(taken) if number > 8}
            found[(made.source.file, made.node.lineno)] = list(large)
    return list(chain.from_iterable(found.values()))


def _find_layer_calls(walked: Walked) -> Iterator[CallExpression]:
    """For each call of a layer in any mode, the expression that made the layer."""
    for trace in walked.traces.values():
        layers = (call for call in trace.calls if call.is_module)
        for call in layers:
            made = layer_call(call.definition, call.module_class, walked.texts)
            if made is not None:
                yield made


def _numbers_in(node: ast.expr) -> list[int]:
    """The numbers of an expression, each once."""
    parts = (part for part in ast.walk(node) if isinstance(part, ast.Constant))
    numbers = dict.fromkeys(constant(part) for part in parts)
    return [number for number in numbers if number is not None]


def list_written_numbers(step: Upstream) -> list[int]:
    """The factors and terms written for the size of the failing layer's input: 8, 4 and
    5 in `8 * 4 * 4 + 5`."""
    numbers = [
        number
        for name, node in step.made_arguments
        if name not in ops.list_output_arguments() and isinstance(node, ast.BinOp)
        for number in _numbers_in(node)
    ]
    return [number for number in dict.fromkeys(numbers) if number > 1]


# -- names -------------------------------------------------------------------------------


def find_spellings(upstream: list[Upstream]) -> Spellings:
    """How the numbers of the model are written where its layers are made, the most
    usual spelling first."""
    counts: defaultdict[tuple[object, int], Counter[str]] = defaultdict(Counter)
    for step in upstream:
        for name, place in step.spelled_arguments:
            value = single(step.call.attributes.get(name))
            if value is not None:
                counts[(find_enclosing_function(place), value)][place.text] += 1
    return {
        key: [text for text, _ in texts.most_common(3)] for key, texts in counts.items()
    }


def find_taken_texts(failing: Upstream) -> set[str]:
    """How the failing layer spells the sizes of its input."""
    arguments = failing.spelled_arguments
    return {
        place.text
        for name, place in arguments
        if name not in ops.list_output_arguments()
    }


def find_given_texts(upstream: list[Upstream]) -> set[str]:
    """How the layers just before the failing one spell the sizes of their results. The
    first of `upstream` is the failing layer."""
    near = [step for step in upstream[1:] if step.distance <= 2]
    arguments = chain.from_iterable(step.spelled_arguments for step in near)
    return {
        place.text for name, place in arguments if name in ops.list_output_arguments()
    }
