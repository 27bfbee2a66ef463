"""Changes of what is handed to a failing call: `k.transpose(-2, -1)`, `x.flatten(1)`, a
skip cropped or resized."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shapelint.changes.heads import functional_prefix
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Shape, TensorFact, Walked
from shapelint.syntax.calls import call_at, operation_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile

Fits = Callable[[list[Shape]], bool]


@dataclass(frozen=True)
class Operand:
    """A tensor argument as written, and its shape."""

    source: ParsedFile
    node: ast.expr
    shape: Shape

    @property
    def text(self) -> str:
        """As something a method can be called on."""
        text = self.source.segment(self.node)
        simple = isinstance(
            self.node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
        )
        return text if simple else f"({text})"


def operands(walked: Walked, call: Call) -> list[Operand]:
    """The tensor arguments of a call, where each can be told apart in the user's
    expression."""
    pairs = _written(walked, call)
    if pairs is None:
        return []
    source, nodes = pairs
    given = call.failure.args if call.failure is not None else call.args
    values: list[object] = list(call.inputs) if call.is_module else list(given)
    if len(nodes) == 1 and len(values) >= 1 and isinstance(values[0], (list, tuple)):
        listed = nodes[0]
        if not isinstance(listed, (ast.List, ast.Tuple)):
            return []
        nodes, values = listed.elts, list(values[0])
    if any(isinstance(node, ast.Starred) for node in nodes):
        return []
    return [
        Operand(source, node, value.shape)
        for node, value in zip(nodes, values, strict=False)
        if isinstance(value, TensorFact)
    ]


def _written(walked: Walked, call: Call) -> tuple[ParsedFile, list[ast.expr]] | None:
    operation = operation_at(call.site, walked.texts)
    if operation is not None and isinstance(operation[1], ast.BinOp):
        node = operation[1]
        return operation[0], [node.left, node.right]
    called = call_at(call.site, walked.texts)
    if called is None:
        return None
    if call.op in ("cat", "concat", "concatenate", "stack"):
        listed = called.argument(0, "tensors")
        return (called.source, [listed]) if listed is not None else None
    func = called.node.func
    if call.is_method and isinstance(func, ast.Attribute):
        is_torch = isinstance(func.value, ast.Name) and func.value.id == "torch"
        return called.source, [*([] if is_torch else [func.value]), *called.node.args]
    return called.source, list(called.node.args)


def turned(walked: Walked, call: Call, fits: Fits) -> Iterator[Candidate]:
    """One operand transposed, flattened, squeezed or given a dimension, where the
    shapes then fit."""
    known = operands(walked, call)
    shapes = [operand.shape for operand in known]
    for position, operand in list(enumerate(known))[::-1]:
        for text, shape, likely in _forms(operand.shape):
            if fits([*shapes[:position], shape, *shapes[position + 1 :]]):
                yield wrapped(operand, f"{operand.text}{text}", call.layer, likely)


def wrapped(operand: Operand, text: str, layer: str, likely: float) -> Candidate:
    """An operand written otherwise."""
    edit = replacement(operand.source, operand.node, text)
    return Candidate(
        f"`{text}`",
        (edit,),
        layer,
        group=f"operand {edit.start.line}:{edit.start.column}",
        likely=likely,
    )


def _forms(shape: Shape) -> Iterator[tuple[str, Shape, float]]:
    """Ways to write a tensor otherwise, the resulting shape, and how likely each is
    meant."""
    rank = len(shape)
    if rank >= 2:
        yield ".transpose(-2, -1)", (*shape[:-2], shape[-1], shape[-2]), 1.7
    if rank >= 3:
        yield ".flatten(1)", (shape[0], _product(shape[1:])), 1.6
        yield ".transpose(1, 2)", (shape[0], shape[2], shape[1], *shape[3:]), 1.3
        yield ".transpose(0, 1)", (shape[1], shape[0], *shape[2:]), 1.2
        yield ".mean(dim=1)", (shape[0], *shape[2:]), 0.3
    if rank == 4:
        yield ".flatten(2)", (*shape[:2], shape[2] * shape[3]), 1.3
        yield (
            ".flatten(2).transpose(1, 2)",
            (shape[0], shape[2] * shape[3], shape[1]),
            1.3,
        )
        yield ".permute(0, 2, 3, 1)", (shape[0], shape[2], shape[3], shape[1]), 1.2
        yield ".permute(0, 3, 1, 2)", (shape[0], shape[3], shape[1], shape[2]), 1.2
    for at in range(1, rank):
        if shape[at] == 1:
            yield f".squeeze({at})", (*shape[:at], *shape[at + 1 :]), 1.1
    for at in (-1, 1, 0):
        place = at % (rank + 1)
        yield (
            f".unsqueeze({at})",
            (*shape[:place], 1, *shape[place:]),
            1.0 if rank > 1 else 0.6,
        )
    if rank == 2:
        yield "[:, :, None, None]", (*shape, 1, 1), 1.3


def _product(sizes: Shape) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


def cropped(walked: Walked, call: Call) -> Iterator[Candidate]:
    """A mask or table larger than what it is laid over: `mask[..., : x.size(-2), :
    x.size(-1)]`."""
    known = operands(walked, call)
    for one, other in (
        ((known[0], known[1]), (known[1], known[0])) if len(known) == 2 else ()
    ):
        sides = range(1, min(len(one.shape), len(other.shape)) + 1)
        larger = [
            side for side in sides if one.shape[-side] not in (1, other.shape[-side])
        ]
        spatial = max(
            2, len(one.shape) - 2, len(other.shape) - 2
        )  # heads and channels are not cut
        features = len(one.shape) == len(other.shape) == 3 and larger == [1]
        if features or any(side > spatial for side in larger):
            continue
        if not larger or any(one.shape[-side] < other.shape[-side] for side in larger):
            continue
        if not isinstance(other.node, (ast.Name, ast.Attribute)) or len(larger) > 2:
            continue
        cuts = [
            f": {other.text}.size(-{side})" if side in larger else ":"
            for side in range(max(larger), 0, -1)
        ]
        text = f"{one.text}[..., {', '.join(cuts)}]"
        yield wrapped(one, text, call.layer, 1.8)


def resized(walked: Walked, call: Call, even: bool) -> Iterator[Candidate]:
    """Feature maps of other heights and widths: interpolate, crop or pad the first one
    to the other.

    `even`: the input can be halved again and again; then it is likelier that a window
    is wrong on the way."""
    known = _odd_one_first(operands(walked, call))
    if (
        len(known) != 2
        or len(known[0].shape) != len(known[1].shape)
        or len(known[0].shape) not in (3, 4, 5)
    ):
        return
    first, other = known
    prefix = functional_prefix(first.source)
    rank = len(first.shape)
    if not isinstance(other.node, (ast.Name, ast.Attribute)):
        first, other = other, first
    if not isinstance(other.node, (ast.Name, ast.Attribute)):
        return
    if prefix is not None:
        text = f"{prefix}interpolate({first.source.segment(first.node)}, size={other.text}.shape[2:])"
        yield wrapped(first, text, call.layer, 0.2 if even else 1.0)
        gaps = [
            want - have
            for have, want in zip(first.shape[2:], other.shape[2:], strict=True)
        ]
        if all(0 <= gap <= 3 for gap in gaps) and isinstance(
            first.node, (ast.Name, ast.Call)
        ):
            amounts = ", ".join(f"0, {gap}" for gap in reversed(gaps))
            padded = f"{prefix}pad({first.source.segment(first.node)}, ({amounts}))"
            yield wrapped(first, padded, call.layer, 0.1 if even else 0.5)
    smaller = all(a <= b for a, b in zip(first.shape[2:], other.shape[2:], strict=True))
    if smaller and isinstance(first.node, (ast.Name, ast.Attribute)) and rank in (3, 4):
        cuts = ", ".join(f": {first.text}.shape[{at}]" for at in range(2, rank))
        yield wrapped(
            other, f"{other.text}[..., {cuts}]", call.layer, 0.15 if even else 0.8
        )


def _odd_one_first(known: list[Operand]) -> list[Operand]:
    """Of several maps of which one differs, that one and one of the others."""
    if len(known) <= 2:
        return known
    sizes = [operand.shape[2:] for operand in known]
    odd = [operand for operand in known if sizes.count(operand.shape[2:]) == 1]
    others = [operand for operand in known if sizes.count(operand.shape[2:]) > 1]
    return [odd[0], others[0]] if len(odd) == 1 and others else known
