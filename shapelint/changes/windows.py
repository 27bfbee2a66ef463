"""Windows and dimensions upstream of a failure: kernels, strides, paddings, the dim of
`cat` or `transpose`."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.layer_inputs import keyword_added
from shapelint.changes.other_values import constant, explains, window_of, window_values
from shapelint.changes.plausibility import irregularity
from shapelint.changes.upstream_calls import Upstream, arguments, candidate, single
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Trace
from shapelint.syntax.calls import CallExpression, layer_call
from shapelint.syntax.origins import Place, enclosing_function, origins

_EXPLAINS = 0.7
"""What it is worth that a window changed so would change sizes by what is missing."""

_JOINED = 0.8
"""What it is worth that joined along another dimension they would give as much as is
taken."""

Pairs = list[tuple[int, int]]


def other_windows(
    trace: Trace, pairs: Pairs, step: Upstream, place: Place, name: str, channels: bool
) -> Iterator[Candidate]:
    """Another kernel, stride or padding; `channels`: the failure is about channels,
    which no window changes."""
    current = window_of(step.call)
    if current is None:
        return
    tied = (
        "ool" in step.call.op
        and step.made is not None
        and "stride" not in dict(arguments(step.made))
    )
    old = irregularity(step.call.op, current)
    others = [window_of(call) for call in trace.calls if call.op == step.call.op]
    siblings = Counter(other[name] for other in others if other is not None)
    for target in origins(place):
        value = constant(target.node)
        for new in window_values(name, value, current) if value is not None else ():
            assert value is not None
            changed = {
                **current,
                name: new,
                **({"stride": new} if tied and name == "kernel_size" else {}),
            }
            better = old - irregularity(step.call.op, changed)
            common = (siblings[new] - max(0, siblings[value] - 1)) / max(
                1, siblings.total()
            )
            likely = (
                step.near / 2
                + 0.5
                + 1.6 * better
                + 1.5 * common
                - 0.1 * abs(new - value)
            )
            likely += (
                _EXPLAINS
                if explains(name, value, new, pairs, max(1, current["stride"]))
                else 0.0
            )
            likely += (1.3 if better > 0.3 or common > 0.2 else 0.0) - (
                1.5 if channels else 0.0
            )
            yield candidate(target, str(new), step.call.layer, likely, name)


def left_out(
    trace: Trace, pairs: Pairs, step: Upstream, made: CallExpression
) -> Iterator[Candidate]:
    """A padding that keeps the size, a stride as the other branch has it: keywords that
    are not written."""
    window, written = window_of(step.call), dict(arguments(made))
    if window is None or any(isinstance(node, ast.Starred) for node in made.node.args):
        return
    options: list[tuple[str, int, float]] = []
    if (
        window["kernel_size"] % 2
        and window["kernel_size"] > 1
        and "Transpose" not in made.name
    ):
        options.append(("padding", window["kernel_size"] // 2, 0.8))
    if "Transpose" not in made.name:
        options += [
            ("stride", size, 0.6 if window["kernel_size"] > 1 else 1.2)
            for size in (2, 4)
        ]
    elif window["stride"] > 1:
        options.append(("output_padding", 1, 0.0))
    for name, value, prior in options:
        fits = (
            window[name] != value
            and name not in written
            and explains(name, window[name], value, pairs, max(1, window["stride"]))
        )
        text = _said(trace, made, name, value) if fits else ""
        likely = (
            prior + step.near / 2 + _EXPLAINS + (1.8 if not text.isdigit() else 0.0)
        )  # a name was made for it
        for found in keyword_added(made, name, text, step.call.layer) if fits else ():
            yield replace(found, likely=likely, group=f"{name} {made.node.lineno}")


def _said(trace: Trace, made: CallExpression, name: str, value: int) -> str:
    """How another layer of the same function spells such an argument:
    `stride=stride`."""
    scope = enclosing_function(Place(made.source, made.node))
    for call in trace.calls:
        other = (
            layer_call(call.definition, call.module_class, made.source.texts)
            if call.is_module
            else None
        )
        node = dict(arguments(other)).get(name) if other is not None else None
        if (
            other is None
            or node is None
            or isinstance(node, ast.Constant)
            or other.source != made.source
        ):
            continue
        if (
            single(call.attributes.get(name)) == value
            and enclosing_function(Place(other.source, node)) is scope
        ):
            return other.source.segment(node)
    return str(value)


def _joins(step: Upstream, pairs: Pairs) -> bool:
    """Whether as much more is taken as tensors are joined: they were joined along
    another dimension."""
    count = len(step.call.inputs)
    return count > 1 and any(taken == arrives * count for arrives, taken in pairs)


def other_dimensions(
    trace: Trace, pairs: Pairs, step: Upstream, place: Place
) -> Iterator[Candidate]:
    """Another dimension, those first that the same op has elsewhere."""
    value = constant(place.node)
    rank = max((len(fact.shape) for fact in step.call.inputs), default=0)
    if value is None or not rank:
        return
    dims = [arg for arg in step.call.args[1:] if isinstance(arg, int)]
    alike = (
        other.args[1:]
        for other in trace.calls
        if other.op == step.call.op and other.failure is None
    )
    usual = Counter(args for args in alike if all(isinstance(arg, int) for arg in args))
    for new in dict.fromkeys(
        [*range(rank + (step.call.op in ("stack", "unsqueeze"))), -1, -2]
    ):
        if new == value or (new < 0 and new + rank == value):
            continue
        is_flatten = (
            step.call.op.lower() == "flatten"
            and new == 1
            and (value == 0 or step.distance == 0)
        )
        likely = (
            step.near
            + 1.6
            + (0.6 if new == 1 else 0)
            + (1.2 if is_flatten else 0)
            - 0.1 * abs(new)
        )
        likely += (
            1.0
            if value == 0
            and step.call.op in ("cat", "flatten", "Flatten", "squeeze", "mean")
            else 0.0
        )
        changed = tuple(new if dim == value else dim for dim in dims)
        likely += 0.8 if usual[changed] else 0.0
        likely += (
            _JOINED
            if step.call.op in ("cat", "concat") and _joins(step, pairs)
            else 0.0
        )
        turns = step.call.op in ("transpose", "swapaxes") and len(dims) == 2
        likely += (
            2.0 if turns and len({dim % rank for dim in dims}) == 1 else 0.0
        )  # it turns nothing as it is
        likely -= 1.0 if turns and rank > 2 and 0 in changed and 0 not in dims else 0.0
        likely -= (
            1.5
            if len({dim % rank for dim in changed}) < len(changed) and len(changed) == 2
            else 0.0
        )
        yield candidate(place, str(new), step.call.layer, likely, "dim")
