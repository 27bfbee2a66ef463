"""Masks that index a batch: `hidden[mask]` where the mask has one row, the batch second,
or a dimension too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint import ops
from shapelint.changes.text_at_place import write_layout
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Failure, Trace
from shapelint.facts.tensors import Shape, TensorFact, facts_in
from shapelint.facts.walked_target import Walked
from shapelint.ops.attention_shapes import read_attended_sizes
from shapelint.ops.record import Family
from shapelint.syntax.calls import call_at, operation_at
from shapelint.syntax.trees import ParsedFile

_PADDING_MASKS = (
    *("key_padding_mask", "src_key_padding_mask"),
    *("tgt_key_padding_mask", "memory_key_padding_mask"),
)

_INDEXING = ("getitem", "setitem")


def fit_mask(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """The mask of an indexed tensor with a row for each sample."""
    del trace
    failure = call.failure
    if failure is None:
        return
    if ops.is_of(call.op, Family.ATTENTION) and call.is_module and call.inputs:
        yield from _fit_padding_mask(walked, call, failure)
    if failure.op not in _INDEXING or len(failure.args) < 2:
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
        yield _append(source, node.slice, f"{text}{form}", call.layer)


def _append(source: ParsedFile, node: ast.expr, text: str, layer: str) -> Candidate:
    says = "the mask has no row for each sample"
    return write_layout(source, node, text, layer, f"mask {text}", says)


def _fit_padding_mask(
    walked: Walked, call: Call, failure: Failure
) -> Iterator[Candidate]:
    """A mask of (positions, batch) turned, and one of a single row repeated, where a
    layer with attention takes (batch, positions)."""
    called = call_at(call.site, walked.texts)
    mask = next(facts_in(failure.kwargs.get("key_padding_mask")), None)
    if called is None or mask is None or len(mask.shape) != 2:
        return
    query, key = (*call.inputs, call.inputs[0])[:2]
    wanted = read_attended_sizes(call, query, key).key_padding_mask
    written = called.keyword(*_PADDING_MASKS)
    if written is None or mask.shape == wanted:
        return
    text = _operand_text(called.source, written)
    if mask.shape == wanted[::-1]:
        yield _append(called.source, written, f"{text}.transpose(0, 1)", call.layer)
    elif mask.shape == (1, wanted[1]) and called.node.args:
        batch = 0 if call.attributes.get("batch_first") else 1
        of = _operand_text(called.source, called.node.args[0])
        repeated = f"{text}.expand({of}.shape[{batch}], -1)"
        yield _append(called.source, written, repeated, call.layer)


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
