"""Sizes read from another dimension of a tensor: `x.shape[1]` for `x.shape[0]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes import weights
from shapelint.changes.mismatches import Mismatch, mismatches_of
from shapelint.changes.other_values import constant
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.numbers import Read, are_same, ends_of, with_other_read
from shapelint.facts.walked_target import Walked
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile, parse_file


def read_everywhere(
    walked: Walked, trace: Trace, candidate: Candidate
) -> Iterator[Candidate]:
    """The same dimension read wherever that mends another failed call: people copy the
    line for the cosine to that for the sine."""
    alike = [
        other
        for call in trace.failures
        for mismatch in mismatches_of(call)
        for other in in_reads(walked, call, mismatch)
        if other.title == candidate.title
    ]
    edits = (*candidate.edits, *(edit for other in alike for edit in other.edits))
    together = tuple(dict.fromkeys(edits))
    if len(together) > 1:
        count = len(together) - 1
        where = f"{count} other place{'s' if count > 1 else ''}"
        yield replace(
            candidate,
            title=f"{candidate.title} and the same in {where}",
            edits=together,
            group=f"{candidate.group} everywhere",
        )


def in_reads(walked: Walked, call: Call, mismatch: Mismatch) -> Iterator[Candidate]:
    """Each `x.shape[0]` for which both sides come out equal with another dimension."""
    ends = [*ends_of(mismatch.takes), *ends_of(mismatch.arrives)]
    for end in dict.fromkeys(ends):
        if not isinstance(end, Read):
            continue
        source = parse_file(end.file, walked.texts)
        index = find_index(source, end) if source is not None else None
        if source is None or index is None:
            continue
        for at, size in enumerate(end.sizes):
            if at == end.at:
                continue
            # equal by meaning: a batch of 8 is no width of 8
            arrives = with_other_read(mismatch.arrives, end, size)
            takes = with_other_read(mismatch.takes, end, size)
            if not are_same(arrives, takes):
                continue
            text = str(at)
            likely = weights.SOLVED_READ
            shown = source.parents.get(index)
            whole = source.segment(shown) if isinstance(shown, ast.expr) else ""
            old = source.segment(index)
            head, _, tail = whole.rpartition(old)
            yield Candidate(
                f"`{head}{text}{tail}`",
                (replacement(source, index, text),),
                call.layer,
                group=f"read {end.line}:{end.column}",
                likely=likely,
                says=f"`{text}` fits",
                kind=ChangeKind.SOLVED,
            )


def find_index(source: ParsedFile, end: Read) -> ast.expr | None:
    """The index with which a size is read: the 0 of `x.shape[0]` or of `x.size(0)`."""
    for node in ast.walk(source.tree):
        if not isinstance(node, (ast.Attribute, ast.Call)):
            continue
        if (node.lineno, node.col_offset + 1) != (end.line, end.column):
            continue
        if isinstance(node, ast.Call):
            is_size = isinstance(node.func, ast.Attribute) and node.func.attr == "size"
            if is_size and len(node.args) == 1 and _is_at(node.args[0], end):
                return node.args[0]
            continue
        parent = source.parents.get(node)
        if node.attr != "shape" or not isinstance(parent, ast.Subscript):
            continue
        index: ast.expr = parent.slice
        if _is_at(index, end):
            return index
    return None


def _is_at(index: ast.expr, end: Read) -> bool:
    value = constant(index)
    return value is not None and value % len(end.sizes) == end.at
