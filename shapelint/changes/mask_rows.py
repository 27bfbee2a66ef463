"""Masks that index a batch: `hidden[mask]` where the mask has one row, the batch second,
or a dimension too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.text_at_place import group_of
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import operation_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile

_INDEXING = ("getitem", "setitem")


def fit_mask(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """The mask of an indexed tensor with a row for each sample."""
    del trace
    failure = call.failure
    if failure is None or failure.op not in _INDEXING or len(failure.args) < 2:
        return
    indexed, mask = failure.args[:2]
    if not isinstance(indexed, TensorFact) or not isinstance(mask, TensorFact):
        return
    found = _find_subscript(walked, call) if mask.dtype in ("b8", "bool") else None
    if found is None:
        return
    source, node = found
    text = _operand_text(source, node.slice)
    of = source.segment(node.value)
    for form in _forms(of, indexed.shape, mask.shape):
        edit = replacement(source, node.slice, f"{text}{form}")
        yield Candidate(
            f"`{text}{form}`",
            (edit,),
            call.layer,
            group=f"mask {form}@{group_of(edit)}",
            likely=weights.LAYOUT,
            says="the mask has no row for each sample",
            kind=ChangeKind.LAYOUT,
        )


def _find_subscript(
    walked: Walked, call: Call
) -> tuple[ParsedFile, ast.Subscript] | None:
    operation = operation_at(call.site, walked.texts)
    if operation is None or not isinstance(operation[1], ast.Subscript):
        return None
    return operation[0], operation[1]


def _operand_text(source: ParsedFile, node: ast.expr) -> str:
    text = source.segment(node)
    simple = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
    return text if isinstance(node, simple) else f"({text})"


def _forms(of: str, indexed: Shape, mask: Shape) -> Iterator[str]:
    """What to append to a mask, so that its shape is where an indexed one begins."""
    lead = indexed[: len(mask)]
    is_of_one = mask[:1] == (1,) and lead[1:] == mask[1:]
    if is_of_one and len(mask) == len(indexed):
        yield f".expand_as({of})"
    elif is_of_one:
        rest = ", ".join("-1" for _ in mask[1:])
        yield f".expand({of}.shape[0], {rest})" if rest else f".expand({of}.shape[0])"
    if len(mask) == 2 and lead == mask[::-1]:
        yield ".transpose(0, 1)"
    if len(mask) > 1 and mask[-1] == 1 and lead[:-1] == mask[:-1]:
        yield ".squeeze(-1)"
