"""What could be turned upstream of a failure: every number, order and call on the way,
with other values for each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from shapelint.changes import rewrites
from shapelint.changes.arguments import (
    is_factor,
    is_owner,
    is_reached,
    is_size,
    only_numbers,
    small_numbers,
    written,
)
from shapelint.changes.other_values import (
    WINDOW,
    aspect,
    constant,
    demands,
    other_values,
    small_values,
)
from shapelint.changes.plausibility import Numbers, roundness
from shapelint.changes.upstream_calls import (
    GIVEN,
    Upstream,
    arguments,
    candidate,
    single,
    spelled_ends,
    vocabulary,
    way_to_failure,
    written_numbers,
)
from shapelint.changes.windows import left_out, other_dimensions, other_windows
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Raised, Trace, Walked
from shapelint.ops.arithmetic import ELEMENTWISE
from shapelint.syntax.calls import CallExpression, operation_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place, enclosing_function, made_place, origins
from shapelint.syntax.trees import parse_file
from shapelint.syntax.walked_calls import definition_of

_SINGLE = 1.2
"""What it costs to take a single feature for what was meant."""

_HANDED_IN = 0.5
"""What it costs to change a name where the value it was given can be changed."""

_OTHER_RANK = 1.0
"""What it is worth that a missing flatten explains why one side has a dimension
more."""

_SAID_THERE = 1.0
"""What it is worth that a layer then gives as many parts as are taken apart: `dim * 3`
for `.view(b, n, 3, -1)`."""

_DIMS = {
    *(
        "cat",
        "concat",
        "stack",
        "chunk",
        "split",
        "unbind",
        "mean",
        "sum",
        "amax",
        "max",
        "squeeze",
        "unsqueeze",
    ),
    *("transpose", "movedim", "flatten", "swapaxes", "select", "tensor_split"),
}
_NO_SIZES = {
    "softmax",
    "log_softmax",
    "dropout",
    "relu",
    "getitem",
    "interpolate",
    "leaky_relu",
    "clamp",
    "pow",
}
_SMALL = {
    "num_heads",
    "nhead",
    "num_groups",
    "upscale_factor",
    "scale_factor",
    "num_layers",
    "groups",
}
_NOT_SIZES = {
    "bias",
    "p",
    "inplace",
    "eps",
    "momentum",
    "affine",
    "dropout",
    "mode",
    "padding_idx",
    "device",
    "dtype",
}
_WITH_TABLES = {
    *ELEMENTWISE,
    *("max", "min"),
    *(
        "cat",
        "matmul",
        "expand",
        "getitem",
        "einsum",
        "linear",
        "mm",
        "bmm",
        "addmm",
        "rmatmul",
    ),
}
"""Ops in which a weight or buffer of one's own is often the side that is wrong."""

_PATTERNED = {"rearrange", "repeat", "reduce", "Rearrange", "Reduce"}
"""einops: what its functions and layers are given by keyword are lengths of axes."""

_ANY_RATIO = [(1, 2), (2, 1), (3, 1), (1, 3), (3, 2)]
"""What to try where nothing is known of the sizes that an exception is about."""


class Knobs:
    """Candidate changes for one failing call."""

    def __init__(
        self,
        walked: Walked,
        trace: Trace,
        call: Call,
        numbers: Numbers,
        raised: Raised | None = None,
    ) -> None:
        self.walked, self.trace, self.call, self.numbers = walked, trace, call, numbers
        self.raised = raised
        self.pairs = (
            demands(call) if raised is None else [*raised.compared] or _ANY_RATIO
        )
        self.aspect = aspect(call)
        failed = (
            call.failure.tensors if call.failure is not None and raised is None else []
        )
        self.ranks = (
            len({len(fact.shape) for fact in failed if len(fact.shape) > 2}) > 1
        )
        self.upstream = list(way_to_failure(walked, trace, call, raised is not None))
        self._spellings = vocabulary(self.upstream)
        self._taken, self._given = spelled_ends(self.upstream)
        self._constants = written_numbers(self.upstream[0])
        self._parts = small_numbers(self.upstream[0].called)

    @property
    def rearranged(self) -> set[str]:
        """What was rearranged just before: `turn` by a transpose, `flat` by a
        flatten."""
        near = {
            step.call.op.lower()
            for step in self.upstream
            if 0 < step.distance <= 2 and step.call.failure is None
        }
        kinds = (("turn", {"transpose", "permute", "swapaxes"}), ("flat", {"flatten"}))
        return {kind for kind, ops in kinds if ops & near}

    def candidates(self) -> list[Candidate]:
        """Each change once, the likeliest first."""
        found: dict[object, Candidate] = {}
        for each in (
            *self._asserted(),
            *(each for step in self.upstream for each in self._of(step)),
        ):
            known = found.get(each.edits)
            if known is None or known.likely < each.likely:
                found[each.edits] = each
        return sorted(found.values(), key=lambda item: -item.likely)

    def _asserted(self) -> Iterator[Candidate]:
        """The numbers of the model's own statement that raised."""
        sites = self.raised.sites if self.raised is not None else ()
        source = parse_file(sites[0].file, self.walked.texts) if sites else None
        if source is None or self.raised is None:
            return
        makers = self.walked.definitions.get(self.raised.layer, ())
        operation = operation_at(sites[0], self.walked.texts)
        if operation is not None and isinstance(
            operation[1], ast.BinOp
        ):  # `shape + 1` of a tuple
            for kept in (operation[1].left, operation[1].right):
                place = Place(operation[0], operation[1], sites[1:], makers)
                if not only_numbers(kept):
                    yield candidate(
                        place, operation[0].segment(kept), self.raised.layer, 1.5, ""
                    )
        for node in ast.walk(source.tree):
            if isinstance(
                node, (ast.Assert, ast.If, ast.Assign)
            ) and node.lineno <= sites[0].line <= (node.end_lineno or 0):
                part = node.value if isinstance(node, ast.Assign) else node.test
                for name in ast.walk(part):
                    if isinstance(name, (ast.Name, ast.Attribute, ast.Constant)):
                        place = Place(source, name, sites[1:], makers)
                        yield from self._numbers(
                            place, None, self.raised.layer, 1.2, ""
                        )

    # -- what could be changed at a call
    # ----------------------------------------------------------

    def _of(self, step: Upstream) -> Iterator[Candidate]:
        if step.made is not None:
            yield from self._layer(step, step.made)
            if step.distance <= 1:
                yield from rewrites.swaps(self.trace, step.made, step.near)
        if step.wrapper is not None:
            yield from self._wrapped(step, step.wrapper)
            if step.distance <= 1:
                yield from rewrites.swaps(self.trace, step.wrapper, step.near)
        if step.called is not None and not step.call.is_module:
            yield from self._function(step, step.called)
        if (
            step.called is not None
            and step.call is not self.call
            and step.distance <= 3
        ):
            yield from rewrites.flattened(step.call, step.called, step.near)
        if step.called is not None and step.call.op in (
            "transpose",
            "permute",
            "swapaxes",
        ):
            yield from rewrites.flattened_before(
                step.call, step.called, step.near + (_OTHER_RANK if self.ranks else 0)
            )
        for fact in step.call.inputs:
            if fact.name and step.call.op in _WITH_TABLES:
                yield from self._table(fact.name, step.near)

    def _layer(self, step: Upstream, made: CallExpression) -> Iterator[Candidate]:
        sites, _ = definition_of(self.walked, step.call)
        if self.aspect != "channels" and "Conv" in made.name:
            yield from left_out(self.trace, self.pairs, step, made)
        for name, node in arguments(made):
            place = made_place(made, node, sites)
            value = single(step.call.attributes.get(name))
            if name in WINDOW:
                yield from other_windows(
                    self.trace, self.pairs, step, place, name, self.aspect == "channels"
                )
            elif name in _SMALL or made.name in _PATTERNED:
                yield from self._small(step, place)
            elif name in ("start_dim", "end_dim", "dim"):
                yield from other_dimensions(self.trace, self.pairs, step, place)
            elif name in ("bidirectional", "batch_first"):
                yield from rewrites.flipped(place, name, step.call.layer, step.near)
            elif name not in _NOT_SIZES and (name in GIVEN or step.call is self.call):
                prior = step.near + (2.0 if step.call is self.call else 1.4)
                prior -= 1.5 if self.aspect == "spatial" else 0.0
                found = self._numbers(place, value, step.call.layer, prior, name)
                yield from (
                    each
                    for each in found
                    if name != "output_size" or is_reached(step.call, each)
                )

    def _wrapped(self, step: Upstream, made: CallExpression) -> Iterator[Candidate]:
        """What a class or function of another name is given; by position it can be
        anything."""
        sites, _ = definition_of(self.walked, step.call)
        attributes = step.call.attributes
        sizes = [
            single(value)
            for name, value in attributes.items()
            if name not in WINDOW and name not in _SMALL
        ]
        for name, node in written(made):
            if name in _NOT_SIZES or not is_size(node):
                continue
            place = made_place(made, node, sites)
            value = single(step.call.attributes.get(name))
            if not name:
                leaves = {constant(origin.node) for origin in origins(place)} - {None}
                value = next((size for size in sizes if size in leaves), None)
                if leaves and value is None:
                    continue  # a kernel, a stride, or nothing of this layer's
            if name in WINDOW:
                yield from other_windows(
                    self.trace, self.pairs, step, place, name, self.aspect == "channels"
                )
            elif name in _SMALL:
                yield from self._small(step, place)
            elif step.call is self.call or value is None or name in GIVEN:
                prior = (
                    step.near
                    + (1.6 if step.call is self.call else 1.0)
                    - (0.0 if value is not None else 0.4)
                )
                prior -= 1.5 if self.aspect == "spatial" else 0.0
                yield from self._numbers(place, value, step.call.layer, prior, name)

    def _function(self, step: Upstream, called: CallExpression) -> Iterator[Candidate]:
        op, sites = step.call.op, self.walked.definitions.get(step.call.layer, ())
        if called.name in _PATTERNED and isinstance(
            called.argument(1, "pattern"), ast.Constant
        ):
            for word in called.node.keywords:
                yield from self._small(
                    step, Place(called.source, word.value, (), sites)
                )
            return
        if op == "permute":
            yield from rewrites.orders(step.call, called, step.near)
        if op in _NO_SIZES:
            return
        for position, (name, node) in enumerate(written(called)):
            place = Place(called.source, node, (), sites)
            window = (
                name
                or ("input", "kernel_size", "stride", "padding", "")[min(position, 4)]
            )
            if op.startswith(("max_pool", "avg_pool")) and window in WINDOW:
                yield from other_windows(
                    self.trace,
                    self.pairs,
                    step,
                    place,
                    window,
                    self.aspect == "channels",
                )
            elif op in _DIMS:
                yield from other_dimensions(self.trace, self.pairs, step, place)
                if op in ("chunk", "split"):
                    yield from self._small(step, place)
            elif is_size(node):
                found = self._sizes_of(step, called, place, position)
                yield from (
                    each
                    for each in found
                    if not op.startswith("adaptive") or is_reached(step.call, each)
                )

    def _sizes_of(
        self, step: Upstream, called: CallExpression, place: Place, position: int
    ) -> Iterator[Candidate]:
        """Numbers of view and the like: what each is now is known from the run."""
        prior = step.near + (1.9 if step.distance == 0 else 1.2)
        values: tuple[object, ...] = (
            step.call.args[1:] if step.call.is_method else step.call.args
        )
        if len(values) == 1 and isinstance(values[0], (list, tuple)):
            values = tuple(values[0])
        nodes = (
            place.node.elts
            if isinstance(place.node, (ast.Tuple, ast.List))
            else [place.node]
        )
        for index, node in enumerate(nodes):
            at = index if len(nodes) > 1 else position
            value = single(values[at]) if at < len(values) else None
            each = replace(place, node=node)
            yield from self._numbers(each, value, step.call.layer, prior, "")
            if (
                value is not None
                and 1 < value <= 64
                and isinstance(node, (ast.Name, ast.Attribute))
            ):
                yield from self._small(step, each, 0.8)  # heads, mostly
            if (
                value is not None
                and value > 0
                and step.call.op in ("view", "reshape", "unflatten")
            ):
                yield candidate(each, "-1", step.call.layer, prior - 0.8, "")

    def _table(self, name: str, near: float) -> Iterator[Candidate]:
        """The sizes with which a parameter or buffer was made:
        `nn.Parameter(torch.zeros(1, 17, dim))`."""
        path, _, attribute = name.rpartition(".")
        places = list(rewrites.made_tensor(self.walked, path, attribute))
        for place in places:
            yield from self._numbers(place, None, path, near + 1.2, attribute)
        yield from self._square(places, path, near)

    def _square(
        self, places: list[Place], path: str, near: float
    ) -> Iterator[Candidate]:
        """Both sides of a square table, as a mask is: `torch.ones(16, 16)`."""
        for one, other in pairwise(places):
            value = constant(one.node)
            if value is None or value < 2 or value != constant(other.node):
                continue
            for new in other_values(value, self.pairs):
                first, second = (
                    replacement(place.source, place.node, str(new))
                    for place in (one, other)
                )
                made = one.source.parents.get(one.node)
                text = (
                    one.source.segment(made).replace(str(value), str(new))
                    if made is not None
                    else str(new)
                )
                group, says = (
                    f"square {first.start.line}",
                    f"`{new}` fits on both sides",
                )
                yield Candidate(
                    f"`{text}`",
                    (first, second),
                    path,
                    group,
                    likely=near + 1.4,
                    says=says,
                )

    # -- with which values
    # ------------------------------------------------------------------------

    def _numbers(
        self, place: Place, value: int | None, layer: str, prior: float, name: str
    ) -> Iterator[Candidate]:
        """Other values for a size, written at the place itself and where it comes
        from."""
        found = list(origins(place))
        for depth, origin in enumerate(found):
            known = constant(origin.node)
            current = known if known is not None else (value if origin.whole else None)
            far = prior - (0.25 if depth else 0.0) - (1.6 if is_factor(origin) else 0.0)
            far -= (
                _HANDED_IN if any(other.whole for other in found[depth + 1 :]) else 0.0
            )
            if isinstance(origin.node, ast.BinOp):
                yield from self._simplified(origin, layer, far, name)
            is_named = isinstance(
                origin.node, (ast.Name, ast.Attribute, ast.Subscript)
            ) and not is_owner(origin)
            if current is not None and current <= 0:
                continue
            if current is None and is_named:
                for text in (f"{origin.text} * 2", f"{origin.text} // 2"):
                    yield candidate(origin, text, layer, far - 1.5, name)
            elif current is not None and (
                known is not None or is_named or isinstance(origin.node, ast.BinOp)
            ):
                silly = isinstance(origin.source.parents.get(origin.node), ast.BinOp)
                for new in other_values(current, self.pairs):
                    if not (silly and new == 1):
                        more = (
                            _SAID_THERE
                            if silly and name in GIVEN and new in self._parts
                            else 0.0
                        )
                        yield from self._spelled(
                            origin, current, new, layer, far + more, name
                        )
                for new in (
                    self._constants if name in GIVEN and known is not None else ()
                ):
                    if new != current:
                        yield from self._spelled(
                            origin, current, new, layer, far - 0.6, name
                        )

    def _spelled(
        self, origin: Place, old: int, new: int, layer: str, prior: float, name: str
    ) -> Iterator[Candidate]:
        gain = self.numbers.gain(old, new)
        if isinstance(origin.node, ast.Constant):
            yield candidate(origin, str(new), layer, prior + gain, name)
            return
        for known in self._spellings.get((enclosing_function(origin), new), ()):
            if known != origin.text:
                yield candidate(
                    origin,
                    known,
                    layer,
                    prior + gain * 0.5 - 0.5 + self._alike(known, name),
                    name,
                )
        if not isinstance(origin.node, ast.BinOp):
            if old and new % old == 0:
                text = f"{origin.text} * {new // old}"
                yield candidate(origin, text, layer, prior + gain * 0.5 - 0.3, name)
            if new and old % new == 0:
                text = f"{origin.text} // {old // new}"
                yield candidate(origin, text, layer, prior + gain * 0.5 - 0.4, name)
        yield candidate(origin, str(new), layer, prior + gain * 0.5 - 0.9, name)

    def _simplified(
        self, origin: Place, layer: str, prior: float, name: str
    ) -> Iterator[Candidate]:
        """`hidden * 2` as `hidden`, `dim + 1` as `dim`."""
        node = origin.node
        assert isinstance(node, ast.BinOp)
        for kept, other in ((node.left, node.right), (node.right, node.left)):
            number = constant(other)
            turned = kept is node.right and isinstance(
                node.op, (ast.FloorDiv, ast.Sub, ast.Div)
            )
            if number is None or only_numbers(kept) or turned:
                continue
            odd = isinstance(node.op, (ast.Add, ast.Sub)) and abs(number) == 1
            prior -= _SINGLE if any(arrives == 1 for arrives, _ in self.pairs) else 0.0
            text = origin.source.segment(kept)
            yield candidate(
                origin,
                text,
                layer,
                prior + (0.9 if odd else 0.2) + self._alike(text, name),
                name,
            )

    def _alike(self, text: str, name: str) -> float:
        """Whether both ends would then be spelled alike: `nn.Embedding(n, width)` for
        `nn.LSTM(width, ...)`."""
        return 0.8 if text in (self._taken if name in GIVEN else self._given) else 0.0

    def _small(
        self, step: Upstream, place: Place, more: float = 0.0
    ) -> Iterator[Candidate]:
        """Heads, groups, factors: numbers near the one that is there."""
        for origin in origins(place):
            if isinstance(origin.node, ast.BinOp):
                yield from self._simplified(
                    origin, step.call.layer, step.near + 1.0, ""
                )
            known = constant(origin.node)
            for new in small_values(known) if known is not None else ():
                assert known is not None
                likely = (
                    step.near
                    + 0.8
                    + more
                    - 0.15 * abs(new - known)
                    + 0.5 * (roundness(new) - roundness(known))
                )
                yield candidate(origin, str(new), step.call.layer, likely, "")
