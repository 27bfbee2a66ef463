"""What could be turned upstream of a failure: every number, order and call on the way, with other values for each."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from shapelint.fixes import rewrites
from shapelint.fixes.inputs_of_layers import keyword_added
from shapelint.fixes.plausible import Numbers, irregularity, roundness
from shapelint.fixes.values import (
    WINDOW,
    aspect,
    constant,
    demands,
    explains,
    odd_one_out,
    other_values,
    small_values,
    window_of,
    window_values,
)
from shapelint.graph import Call, Raised, Trace, Walked
from shapelint.rules import Candidate
from shapelint.rules.evidence import definition_of
from shapelint.syntax.calls import CallExpression, call_at, layer_call, operation_at, parsed, replacement
from shapelint.syntax.origins import Place, enclosing_function, made_place, origins
from shapelint.trace.recovery.arithmetic import ELEMENTWISE

_ODD = 0.6
"""What it is worth that a number belongs to the one operand that differs from all others."""

_EXPLAINS = 0.7
"""What it is worth that a window changed so would change sizes by what is missing."""

_HANDED_IN = 0.5
"""What it costs to change a name where the value it was given can be changed."""

REACH = 40
"""Calls looked at upstream of a failure."""

_DIMS = {
    *("cat", "concat", "stack", "chunk", "split", "unbind", "mean", "sum", "amax", "max", "squeeze", "unsqueeze"),
    *("transpose", "movedim", "flatten", "swapaxes", "select", "tensor_split"),
}
_NO_SIZES = {"softmax", "log_softmax", "dropout", "relu", "getitem", "interpolate", "leaky_relu", "clamp", "pow"}
_SMALL = {"num_heads", "nhead", "num_groups", "upscale_factor", "scale_factor", "num_layers", "groups"}
_NOT_SIZES = {"bias", "p", "inplace", "eps", "momentum", "affine", "dropout", "mode", "padding_idx", "device", "dtype"}
_GIVEN = {
    *("out_features", "out_channels", "hidden_size", "embedding_dim", "embed_dim", "d_model", "output_size"),
    *("proj_size", "size", "dim_feedforward", "unflattened_size"),
}
"""Arguments that say what a layer gives; those that say what it takes are right where it does not fail."""

_PATTERNED = {"rearrange", "repeat", "reduce", "Rearrange", "Reduce"}
"""einops: what its functions and layers are given by keyword are lengths of axes."""

_ANY_RATIO = [(1, 2), (2, 1), (3, 1), (1, 3), (3, 2)]
"""What to try where nothing is known of the sizes that an exception is about."""

_TRANSPARENT = {
    *("ReLU", "relu", "Dropout", "dropout", "GELU", "gelu", "contiguous", "Identity", "SiLU", "Tanh", "tanh"),
    *("Sigmoid", "sigmoid", "LeakyReLU", "leaky_relu", "getitem", "softmax", "Softmax", "to", "float", "silu"),
    *("BatchNorm1d", "BatchNorm2d", "LayerNorm", "ReLU6", "Hardswish", "ELU", "PReLU"),
}
"""Ops that add nothing to the distance between a number and a failure."""


@dataclass(frozen=True)
class Upstream:
    """A call on the way to a failure: how far off, and the user's expressions that made and called it."""

    call: Call
    distance: int
    made: CallExpression | None
    called: CallExpression | None
    suspect: float = 0.0

    @property
    def near(self) -> float:
        """What the distance costs, and what it is worth that only the operand that differs comes from here."""
        return self.suspect - 0.12 * self.distance


@lru_cache(maxsize=256)
def parameter_names(layer: str) -> tuple[str, ...]:
    """The arguments of one of torch's layers, in order."""
    cls = getattr(torch.nn, layer, None)
    if not isinstance(cls, type):
        return ()
    names = tuple(inspect.signature(cls).parameters)
    if layer in ("LSTM", "GRU", "RNN"):
        return ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
    return names


def arguments(made: CallExpression) -> list[tuple[str, ast.expr]]:
    """The written arguments of a layer, by name."""
    if any(isinstance(node, ast.Starred) for node in made.node.args):
        return [(word.arg, word.value) for word in made.node.keywords if word.arg]
    named = list(zip(parameter_names(made.name), made.node.args, strict=False))
    return [*named, *((word.arg, word.value) for word in made.node.keywords if word.arg)]


def written_factors(walked: Walked) -> list[int]:
    """Numbers written as factors of what a layer takes, once for each layer: 128 of `128 * 4 * 4`."""
    found: dict[object, list[int]] = {}
    for trace in walked.traces.values():
        for call in trace.calls:
            made = layer_call(call.definition, call.module_class) if call.kind == "module" else None
            node = made.argument(0, "in_features") if made is not None else None
            if made is not None and isinstance(node, ast.BinOp):
                parts = [constant(part) for part in ast.walk(node) if isinstance(part, ast.Constant)]
                found[(made.source.file, made.node.lineno)] = list({part for part in parts if part and part > 8})
    return [number for numbers in found.values() for number in numbers]


class Knobs:
    """Candidate changes for one failing call."""

    def __init__(
        self, walked: Walked, trace: Trace, call: Call, numbers: Numbers, raised: Raised | None = None
    ) -> None:
        self.walked, self.trace, self.call, self.numbers = walked, trace, call, numbers
        self.raised = raised
        self.pairs = demands(call) if raised is None else [*raised.compared] or _ANY_RATIO
        self.aspect = aspect(call)
        self.upstream = list(self._way())
        self._spellings = self._vocabulary()
        self._taken, self._given = self._ends()
        self._constants = self._written_numbers()

    def candidates(self) -> list[Candidate]:
        """Each change once, the likeliest first."""
        found: dict[object, Candidate] = {}
        for candidate in (*self._asserted(), *(each for step in self.upstream for each in self._of(step))):
            known = found.get(candidate.edits)
            if known is None or known.likely < candidate.likely:
                found[candidate.edits] = candidate
        return sorted(found.values(), key=lambda item: -item.likely)

    def _asserted(self) -> Iterator[Candidate]:
        """The numbers of the model's own statement that raised."""
        sites = self.raised.sites if self.raised is not None else ()
        source = parsed(sites[0].file) if sites else None
        if source is None or self.raised is None:
            return
        makers = self.walked.definitions.get(self.raised.layer, ())
        operation = operation_at(sites[0])
        if operation is not None and isinstance(operation[1], ast.BinOp):  # `shape + 1` of a tuple
            for kept in (operation[1].left, operation[1].right):
                place = Place(operation[0], operation[1], sites[1:], makers)
                if not _only_numbers(kept):
                    yield self.candidate(place, operation[0].segment(kept), self.raised.layer, 1.5, "")
        for node in ast.walk(source.tree):
            if isinstance(node, (ast.Assert, ast.If, ast.Assign)) and node.lineno <= sites[0].line <= (
                node.end_lineno or 0
            ):
                part = node.value if isinstance(node, ast.Assign) else node.test
                for name in ast.walk(part):
                    if isinstance(name, (ast.Name, ast.Attribute, ast.Constant)):
                        place = Place(source, name, sites[1:], makers)
                        yield from self._numbers(place, None, self.raised.layer, 1.2, "")

    def _way(self) -> Iterator[Upstream]:
        odd = odd_one_out(self.call)
        leads: dict[int, set[int]] = {self.call.index: set()}
        order: list[tuple[Call, int]] = [(self.call, 0)]
        for call, distance in order:  # grows while it is read
            if distance >= REACH or len(leads) >= REACH * 2:
                continue
            weight = 0 if call.op in _TRANSPARENT else 1
            for position, index in enumerate(call.producers):
                if index < 0:
                    continue
                if index not in leads:
                    leads[index] = set()
                    order.append((self.trace.calls[index], distance + weight))
                leads[index] |= {position} if call is self.call else leads[call.index]
        for call, distance in order:
            made = None
            if call.kind == "module" or call.params:
                sites, class_name = definition_of(self.walked, call)
                made = layer_call(sites, class_name)
            suspect = 0.0
            if odd is not None and call is not self.call:
                suspect = _ODD if leads[call.index] == {odd} else (-_ODD if odd not in leads[call.index] else 0.0)
            yield Upstream(call, distance, made, call_at(call.site), suspect)

    def _vocabulary(self) -> dict[tuple[object, int], list[str]]:
        """How the numbers of the model are spelled where its layers are made, by function."""
        texts: dict[tuple[object, int], Counter[str]] = {}
        for step in self.upstream:
            for name, node in arguments(step.made) if step.made is not None else ():
                value = _single(step.call.attributes.get(name))
                if value is not None and not isinstance(node, ast.Constant):
                    assert step.made is not None
                    scope = enclosing_function(Place(step.made.source, node))
                    texts.setdefault((scope, value), Counter())[step.made.source.segment(node)] += 1
        return {key: [text for text, _ in found.most_common(3)] for key, found in texts.items()}

    def _ends(self) -> tuple[set[str], set[str]]:
        """How the failing layer spells what it takes, and the layers just before it what they give."""
        taken, given = set(), set()
        for step in self.upstream:
            for name, node in arguments(step.made) if step.made is not None else ():
                assert step.made is not None
                if isinstance(node, ast.Constant):
                    continue
                if step.call is self.call and name not in _GIVEN:
                    taken.add(step.made.source.segment(node))
                elif step.call is not self.call and name in _GIVEN and step.distance <= 2:
                    given.add(step.made.source.segment(node))
        return taken, given

    def _written_numbers(self) -> list[int]:
        """The factors and terms of what the failing layer is said to take: 8, 4 and 5 of `8 * 4 * 4 + 5`."""
        step = self.upstream[0]
        nodes = [node for name, node in (arguments(step.made) if step.made is not None else ()) if name not in _GIVEN]
        parts = [part for node in nodes if isinstance(node, ast.BinOp) for part in ast.walk(node)]
        numbers = [constant(part) for part in parts if isinstance(part, ast.Constant)]
        return [number for number in dict.fromkeys(numbers) if number is not None and number > 1]

    # -- what could be changed at a call ----------------------------------------------------------

    def _of(self, step: Upstream) -> Iterator[Candidate]:
        if step.made is not None:
            yield from self._layer(step, step.made)
            if step.distance <= 1:
                yield from rewrites.swaps(step.made, step.near)
        if step.called is not None and step.call.kind != "module":
            yield from self._function(step, step.called)
        if step.called is not None and step.call is not self.call and step.distance <= 3:
            yield from rewrites.flattened(step.call, step.called, step.near)
        if step.called is not None and step.call.op in ("transpose", "permute", "swapaxes"):
            yield from rewrites.flattened_before(step.call, step.called, step.near)
        for fact in step.call.inputs:
            if fact.name and step.call.op in (*ELEMENTWISE, "cat", "matmul", "expand", "getitem"):
                yield from self._table(fact.name, step.near)

    def _layer(self, step: Upstream, made: CallExpression) -> Iterator[Candidate]:
        sites, _ = definition_of(self.walked, step.call)
        if self.aspect != "channels" and "Conv" in made.name:
            yield from self._left_out(step, made)
        for name, node in arguments(made):
            place = made_place(made, node, sites)
            value = _single(step.call.attributes.get(name))
            if name in WINDOW:
                yield from self._window(step, place, name)
            elif name in _SMALL or made.name in _PATTERNED:
                yield from self._small(step, place)
            elif name in ("start_dim", "end_dim", "dim"):
                yield from self._dimension(step, place)
            elif name in ("bidirectional", "batch_first"):
                yield from rewrites.flipped(place, name, step.call.layer, step.near)
            elif name not in _NOT_SIZES and (name in _GIVEN or step.call is self.call):
                prior = step.near + (2.0 if step.call is self.call else 1.4)
                prior -= 1.5 if self.aspect == "spatial" else 0.0
                yield from self._numbers(place, value, step.call.layer, prior, name)

    def _function(self, step: Upstream, called: CallExpression) -> Iterator[Candidate]:
        op, sites = step.call.op, self.walked.definitions.get(step.call.layer, ())
        if called.name in _PATTERNED and isinstance(called.argument(1, "pattern"), ast.Constant):
            for word in called.node.keywords:
                yield from self._small(step, Place(called.source, word.value, (), sites))
            return
        if op == "permute":
            yield from rewrites.orders(step.call, called, step.near)
        if op in _NO_SIZES:
            return
        for position, (name, node) in enumerate(_written(called)):
            place = Place(called.source, node, (), sites)
            window = name or ("input", "kernel_size", "stride", "padding", "")[min(position, 4)]
            if op.startswith(("max_pool", "avg_pool")) and window in WINDOW:
                yield from self._window(step, place, window)
            elif op in _DIMS:
                yield from self._dimension(step, place)
                if op in ("chunk", "split"):
                    yield from self._small(step, place)
            elif _is_size(node):
                yield from self._sizes_of(step, called, place, position)

    def _sizes_of(self, step: Upstream, called: CallExpression, place: Place, position: int) -> Iterator[Candidate]:
        """Numbers of view and the like: what each is now is known from the run."""
        prior = step.near + (1.9 if step.distance == 0 else 1.2)
        values: tuple[object, ...] = step.call.args[1:] if step.call.kind == "method" else step.call.args
        if len(values) == 1 and isinstance(values[0], (list, tuple)):
            values = tuple(values[0])
        nodes = place.node.elts if isinstance(place.node, (ast.Tuple, ast.List)) else [place.node]
        for index, node in enumerate(nodes):
            at = index if len(nodes) > 1 else position
            value = _single(values[at]) if at < len(values) else None
            each = replace(place, node=node)
            yield from self._numbers(each, value, step.call.layer, prior, "")
            if value is not None and value > 0 and step.call.op in ("view", "reshape", "unflatten"):
                yield self.candidate(each, "-1", step.call.layer, prior - 0.8, "")

    def _table(self, name: str, near: float) -> Iterator[Candidate]:
        """The sizes with which a parameter or buffer was made: `nn.Parameter(torch.zeros(1, 17, dim))`."""
        path, _, attribute = name.rpartition(".")
        for place in rewrites.made_tensor(self.walked, path, attribute):
            yield from self._numbers(place, None, path, near + 1.2, attribute)

    # -- with which values ------------------------------------------------------------------------

    def _numbers(self, place: Place, value: int | None, layer: str, prior: float, name: str) -> Iterator[Candidate]:
        """Other values for a size, written at the place itself and where it comes from."""
        found = list(origins(place))
        for depth, origin in enumerate(found):
            known = constant(origin.node)
            current = known if known is not None else (value if origin.whole else None)
            far = prior - (0.25 if depth else 0.0) - (1.6 if _is_factor(origin) else 0.0)
            far -= _HANDED_IN if any(other.whole for other in found[depth + 1 :]) else 0.0
            if isinstance(origin.node, ast.BinOp):
                yield from self._simplified(origin, layer, far, name)
            is_named = isinstance(origin.node, (ast.Name, ast.Attribute, ast.Subscript))
            if current is not None and current <= 0:
                continue
            if current is None and is_named:
                for text in (f"{origin.text} * 2", f"{origin.text} // 2"):
                    yield self.candidate(origin, text, layer, far - 1.5, name)
            elif current is not None and (known is not None or is_named or isinstance(origin.node, ast.BinOp)):
                silly = isinstance(origin.source.parents.get(origin.node), ast.BinOp)
                for new in other_values(current, self.pairs):
                    if not (silly and new == 1):
                        yield from self._spelled(origin, current, new, layer, far, name)
                for new in self._constants if name in _GIVEN and known is not None else ():
                    if new != current:
                        yield from self._spelled(origin, current, new, layer, far - 0.6, name)

    def _spelled(self, origin: Place, old: int, new: int, layer: str, prior: float, name: str) -> Iterator[Candidate]:
        gain = self.numbers.gain(old, new)
        if isinstance(origin.node, ast.Constant):
            yield self.candidate(origin, str(new), layer, prior + gain, name)
            return
        for known in self._spellings.get((enclosing_function(origin), new), ()):
            if known != origin.text:
                yield self.candidate(origin, known, layer, prior + gain * 0.5 - 0.5 + self._alike(known, name), name)
        if not isinstance(origin.node, ast.BinOp):
            if old and new % old == 0:
                text = f"{origin.text} * {new // old}"
                yield self.candidate(origin, text, layer, prior + gain * 0.5 - 0.3, name)
            if new and old % new == 0:
                text = f"{origin.text} // {old // new}"
                yield self.candidate(origin, text, layer, prior + gain * 0.5 - 0.4, name)
        yield self.candidate(origin, str(new), layer, prior + gain * 0.5 - 0.9, name)

    def _simplified(self, origin: Place, layer: str, prior: float, name: str) -> Iterator[Candidate]:
        """`hidden * 2` as `hidden`, `dim + 1` as `dim`."""
        node = origin.node
        assert isinstance(node, ast.BinOp)
        for kept, other in ((node.left, node.right), (node.right, node.left)):
            number = constant(other)
            turned = kept is node.right and isinstance(node.op, (ast.FloorDiv, ast.Sub, ast.Div))
            if number is None or _only_numbers(kept) or turned:
                continue
            odd = isinstance(node.op, (ast.Add, ast.Sub)) and abs(number) == 1
            text = origin.source.segment(kept)
            yield self.candidate(origin, text, layer, prior + (0.9 if odd else 0.2) + self._alike(text, name), name)

    def _alike(self, text: str, name: str) -> float:
        """Whether both ends would then be spelled alike: `nn.Embedding(n, width)` for `nn.LSTM(width, ...)`."""
        return 0.8 if text in (self._taken if name in _GIVEN else self._given) else 0.0

    def _window(self, step: Upstream, place: Place, name: str) -> Iterator[Candidate]:
        current = window_of(step.call)
        if current is None:
            return
        tied = "ool" in step.call.op and step.made is not None and "stride" not in dict(arguments(step.made))
        old = irregularity(step.call.op, current)
        others = [window_of(call) for call in self.trace.calls if call.op == step.call.op]
        siblings = Counter(other[name] for other in others if other is not None)
        for target in origins(place):
            value = constant(target.node)
            for new in window_values(name, value, current) if value is not None else ():
                assert value is not None
                changed = {**current, name: new, **({"stride": new} if tied and name == "kernel_size" else {})}
                better = old - irregularity(step.call.op, changed)
                common = (siblings[new] - max(0, siblings[value] - 1)) / max(1, siblings.total())
                likely = step.near / 2 + 0.5 + 1.6 * better + 1.5 * common - 0.1 * abs(new - value)
                likely += _EXPLAINS if explains(name, value, new, self.pairs) else 0.0
                likely += (1.3 if better > 0.3 or common > 0.2 else 0.0) - (1.5 if self.aspect == "channels" else 0.0)
                yield self.candidate(target, str(new), step.call.layer, likely, name)

    def _left_out(self, step: Upstream, made: CallExpression) -> Iterator[Candidate]:
        """A padding that keeps the size, a stride as the other branch has it: keywords that are not written."""
        window, written = window_of(step.call), dict(arguments(made))
        if window is None or any(isinstance(node, ast.Starred) for node in made.node.args):
            return
        options: list[tuple[str, int, float]] = []
        if window["kernel_size"] % 2 and window["kernel_size"] > 1 and "Transpose" not in made.name:
            options.append(("padding", window["kernel_size"] // 2, 0.8))
        if "Transpose" not in made.name:
            options += [("stride", size, 0.6 if window["kernel_size"] > 1 else 1.2) for size in (2, 4)]
        elif window["stride"] > 1:
            options.append(("output_padding", 1, 0.0))
        for name, value, prior in options:
            fits = window[name] != value and name not in written and explains(name, window[name], value, self.pairs)
            text = self._said(made, name, value) if fits else ""
            likely = prior + step.near / 2 + _EXPLAINS + (1.8 if not text.isdigit() else 0.0)  # a name was made for it
            for candidate in keyword_added(made, name, text, step.call.layer) if fits else ():
                yield replace(candidate, likely=likely, group=f"{name} {made.node.lineno}")

    def _said(self, made: CallExpression, name: str, value: int) -> str:
        """How another layer of the same function spells such an argument: `stride=stride`."""
        scope = enclosing_function(Place(made.source, made.node))
        for call in self.trace.calls:
            other = layer_call(call.definition, call.module_class) if call.kind == "module" else None
            node = dict(arguments(other)).get(name) if other is not None else None
            if other is None or node is None or isinstance(node, ast.Constant) or other.source is not made.source:
                continue
            if _single(call.attributes.get(name)) == value and enclosing_function(Place(other.source, node)) is scope:
                return other.source.segment(node)
        return str(value)

    def _small(self, step: Upstream, place: Place) -> Iterator[Candidate]:
        """Heads, groups, factors: numbers near the one that is there."""
        for origin in origins(place):
            if isinstance(origin.node, ast.BinOp):
                yield from self._simplified(origin, step.call.layer, step.near + 1.0, "")
            known = constant(origin.node)
            for new in small_values(known) if known is not None else ():
                assert known is not None
                likely = step.near + 0.8 - 0.15 * abs(new - known) + 0.5 * (roundness(new) - roundness(known))
                yield self.candidate(origin, str(new), step.call.layer, likely, "")

    def _dimension(self, step: Upstream, place: Place) -> Iterator[Candidate]:
        value = constant(place.node)
        rank = max((len(fact.shape) for fact in step.call.inputs), default=0)
        if value is None or not rank:
            return
        dims = [arg for arg in step.call.args[1:] if isinstance(arg, int)]
        usual = Counter(
            other.args[1:] for other in self.trace.calls if other.op == step.call.op and other.failure is None
        )
        for new in dict.fromkeys([*range(rank + (step.call.op in ("stack", "unsqueeze"))), -1, -2]):
            if new == value or (new < 0 and new + rank == value):
                continue
            is_flatten = step.call.op.lower() == "flatten" and new == 1 and (value == 0 or step.distance == 0)
            likely = step.near + 1.6 + (0.6 if new == 1 else 0) + (1.2 if is_flatten else 0) - 0.1 * abs(new)
            likely += 0.6 if value == 0 and step.call.op in ("cat", "flatten", "Flatten", "squeeze", "mean") else 0.0
            changed = tuple(new if dim == value else dim for dim in dims)
            likely += 0.8 if usual[changed] else 0.0
            likely -= 1.5 if len({dim % rank for dim in changed}) < len(changed) and len(changed) == 2 else 0.0
            yield self.candidate(place, str(new), step.call.layer, likely, "dim")

    def candidate(self, place: Place, text: str, layer: str, likely: float, name: str) -> Candidate:
        """`text` written at a place."""
        edit = replacement(place.source.file, place.node, text)
        group = f"{edit.start.line}:{edit.start.column}"
        says = f"`{text}` fits" + (f" as `{name}`" if name else "")
        title = f"`{rewrites.shown(place, text)}`"
        return Candidate(title, (edit,), layer, group, likely=likely, says=says)


def _only_numbers(node: ast.expr) -> bool:
    return all(not isinstance(part, (ast.Name, ast.Attribute)) for part in ast.walk(node))


def _is_factor(place: Place) -> bool:
    """One number of several written as a product: `8` of `32 * 8 * 8`, of which the whole is the better change."""
    parent = place.source.parents.get(place.node)
    return isinstance(parent, ast.BinOp) and all(
        isinstance(node, (ast.Constant, ast.BinOp)) for node in (parent.left, parent.right)
    )


def _single(value: object) -> int | None:
    if isinstance(value, tuple) and value:
        value = value[-1]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _written(called: CallExpression) -> list[tuple[str, ast.expr]]:
    return [
        *(("", node) for node in called.node.args),
        *((word.arg or "", word.value) for word in called.node.keywords),
    ]


def _is_size(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    return isinstance(node, (ast.Name, ast.Attribute, ast.BinOp, ast.Tuple, ast.List, ast.UnaryOp))
