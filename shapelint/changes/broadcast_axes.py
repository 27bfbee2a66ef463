"""An operand with fewer dimensions than the other, which are not where broadcasting looks
for them: a mask of keys without heads, positions without heads, weights without
channels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from shapelint import ops
from shapelint.changes.operands import Operand, find_operands
from shapelint.changes.text_at_place import write_layout
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked

Axes = tuple[int, ...]
"""For each dimension of an operand, the dimension of the larger one it belongs to."""


def align_axes(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """Put dimensions of one into an operand, so that its own are beside those that they
    equal."""
    if not ops.of(call.op).broadcasts:
        return
    known = find_operands(walked, call)
    if len(known) < 2:
        return
    tables = find_tables(trace, call)
    larger = max(known, key=lambda item: (len(item.shape), item.shape not in tables))
    for operand in known:
        if 2 <= len(operand.shape) < len(larger.shape):
            is_table = operand.shape in tables
            is_mask = _is_mask(call, operand)
            axes = align(operand.shape, larger.shape, is_mask, not is_table)
            if axes is not None:
                form = write_axes(axes, len(larger.shape))
                yield _append(operand, form, call.layer)
        elif operand.shape in tables and operand is not larger:
            for form in _turns_of_table(operand.shape, larger.shape):
                yield _append(operand, form, call.layer)


def find_tables(trace: Trace, call: Call) -> set[Shape]:
    """The shapes of those operands of a call that no model input leads to: their rows are
    positions or features, never samples."""
    producers = [*call.producers, *([-1] * len(call.inputs))]
    return {
        fact.shape
        for fact, index in zip(call.inputs, producers, strict=False)
        if fact.name or (index >= 0 and not _comes_from_input(trace, index))
    }


def _comes_from_input(trace: Trace, index: int) -> bool:
    queue, seen = [index], {index}
    for current in queue:  # grows while it is read
        call = trace.calls[current]
        if call.from_input or any(
            producer < 0 and not fact.name
            for producer, fact in zip(call.producers, call.inputs, strict=False)
        ):
            return True
        new = [each for each in call.producers if each >= 0 and each not in seen]
        seen.update(new)
        queue += new
    return False


def align(
    shape: Shape, larger: Shape, is_mask: bool, may_have_samples: bool = True
) -> Axes | None:
    """Where the dimensions of a shape belong in a larger one, in their order; None where
    that is not clear."""
    ranks = range(len(larger))
    fitting = [
        axes
        for axes in combinations(ranks, len(shape))
        if all(size in (1, larger[at]) for size, at in zip(shape, axes, strict=True))
    ]
    # samples stay beside samples; what has none stays apart from them
    has_samples = may_have_samples and any(axes[0] == 0 for axes in fitting)
    kept = [axes for axes in fitting if (axes[0] == 0) == has_samples]
    if len(kept) == 1:
        return kept[0]
    # of scores between positions, a mask is about those that are looked at
    is_of_scores = len(larger) > 2 and larger[-1] == larger[-2]
    return kept[-1] if kept and is_mask and is_of_scores else None


def _is_mask(call: Call, operand: Operand) -> bool:
    """Whether an operand says which values count: by its dtype."""
    failure = call.failure
    facts = failure.tensors if failure is not None else []
    return any(
        fact.shape == operand.shape
        and fact.dtype.startswith("b")
        and fact.dtype != "bf16"
        for fact in facts
    )


def _turns_of_table(shape: Shape, larger: Shape) -> Iterator[str]:
    """The transposes of a table after which it broadcasts, the same for every sample."""
    rank = len(shape)
    for one, other in combinations(range(rank), 2):
        # height and width of a map: then the image may lie on its side
        if rank == 4 and (one, other) == (2, 3):
            continue
        sizes = list(shape)
        sizes[one], sizes[other] = sizes[other], sizes[one]
        pairs = zip(sizes, larger, strict=False)
        if sizes[0] == 1 and all(size in (1, wanted) for size, wanted in pairs):
            yield f".transpose({one}, {other})"


def _append(operand: Operand, form: str, layer: str) -> Candidate:
    text = f"{operand.text}{form}"
    says = f"`{form}` puts its dimensions where they belong"
    group = f"axes {form}"
    return write_layout(operand.source, operand.node, text, layer, group, says)


def write_axes(axes: Axes, rank: int) -> str:
    """The text that puts in the dimensions between others: `.unsqueeze(1)`, or
    `[:, None, None, :]` where there are several. Those in front come by themselves."""
    new = [at for at in range(axes[0], rank) if at not in axes]
    if len(new) == 1:
        at = new[0] - axes[0]
        return f".unsqueeze({at})" if new[0] < rank - 1 else ".unsqueeze(-1)"
    parts = [":" if at in axes else "None" for at in range(axes[0], rank)]
    return f"[{', '.join(parts)}]"
