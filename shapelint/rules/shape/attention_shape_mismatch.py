"""SHP109."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes.layer_inputs import rewrite_layer_input
from shapelint.changes.layer_numbers import number_candidates
from shapelint.changes.other_inputs import resize_inputs
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Trace
from shapelint.facts.kinds import Route
from shapelint.facts.tensors import TensorFact, facts_in
from shapelint.facts.walked_target import Walked
from shapelint.ops.attention_shapes import RANKS, read_attended_sizes, widths_taken
from shapelint.ops.own_tables import find_position_table
from shapelint.ops.record import Family
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import (
    count_noun,
    find_constructor_call,
    find_failed_calls,
    finding_at,
    finding_at_call,
    finding_at_layer,
    shape_text,
    span_of_argument,
)

ARGUMENTS = ("query", "key", "value", "attn_mask")
"""The arguments of `scaled_dot_product_attention`, in order."""


@dataclass(frozen=True)
class _Mismatch:
    """What attention requires and what it gets. `widths`: if the width is wrong, the
    width it was made for and the one that arrives."""

    message: str
    expected: str
    found: str
    widths: tuple[int, int] | None = None


class AttentionShapeMismatch(Rule):
    """
    ## What it does
    Finds `MultiheadAttention`, Transformer layers and `scaled_dot_product_attention`
    whose input does not have the width they were made for, masks whose size does not
    match the sequences, heads that do not divide the width, and position tables that
    are shorter than the sequence or run along another dimension.

    ## Why is this bad?
    The forward or even the constructor raises. A position table that is too short
    raises only at the first long input.

    ## Fix
    Set `embed_dim` to the width that arrives, and choose a number of heads that divides
    it. Pass `attn_mask` as (target, source) and `key_padding_mask` as (batch, source).
    Give the position table one row for each position.

    ## References
    - torch.nn.MultiheadAttention, "Shape"
    """

    code = "SHP109"
    name = "attention-shape-mismatch"
    # attention calls linear, norm and matmul inside: a wrong width shows as each of these
    supersedes = ("SHP101", "SHP103", "SHP104", "SHP106", "SHP113", "SHP119")
    constructors = ("MultiheadAttention", "Transformer")
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(96, num_heads=5, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]
""",
        ("2,10,96",),
        raises="AssertionError: embed_dim must be divisible by num_heads",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(96, num_heads=4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]
""",
        ("2,10,96",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in find_failed_calls(
            walked, *ops.list_failing_ops(Family.ATTENTION)
        ):
            mismatch = _find_mismatch(call, failure)
            if mismatch is not None:
                yield self._finding(walked, trace, call, mismatch)
        for trace, call, failure in find_failed_calls(walked, "add"):
            if len(failure.tensors) == 2:
                yield from self._compare_positions(walked, trace, call)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, mismatch: _Mismatch
    ) -> Finding:
        draft = self.mismatch(mismatch.message, mismatch.expected, mismatch.found)
        if mismatch.widths is None:
            return finding_at(walked, trace, call, draft, ())
        made = find_constructor_call(walked, call)
        takes, found = mismatch.widths
        argument = (0, "embed_dim")
        candidates = [
            *rewrite_layer_input(walked, call, takes),
            *number_candidates(call, made, argument, found, (found,), takes),
        ]
        span = span_of_argument(made, *argument)
        return finding_at_layer(walked, trace, call, draft, candidates, span)

    def _compare_positions(
        self, walked: Walked, trace: Trace, call: Call
    ) -> Iterator[Finding]:
        pair = find_position_table(trace, call)
        if pair is None:
            return
        table, sequence = pair
        # both are (..., tokens, features), whatever `batch_first` says
        rows, tokens = table.shape[-2], sequence.shape[-2]
        message = (
            f"position table has {count_noun(rows, 'row')} but the sequence has "
            f"{count_noun(tokens, 'token')}"
        )
        draft = self.mismatch(message, count_noun(tokens, "row"), str(rows))
        candidates = resize_inputs(walked, [(tokens, rows)])
        yield finding_at_call(walked, trace, call, draft, candidates)


def _find_mismatch(call: Call, failure: Failure) -> _Mismatch | None:
    if failure.op == "scaled_dot_product_attention":
        return _compare_products(call, failure)
    is_made_by_torch = isinstance(call.attributes.get("embed_dim"), int)
    if not call.is_module or not is_made_by_torch or not call.inputs:
        return None
    return (
        _compare_rank(call)
        or _compare_widths(call)
        or _compare_masks(call, failure)
        or _compare_together(call, failure)
    )


def _compare_rank(call: Call) -> _Mismatch | None:
    shape = call.inputs[0].shape
    if len(shape) in RANKS:
        return None
    message = f"{subject(call)} takes 2 or 3 dimensions but gets {len(shape)}"
    return _Mismatch(f"{message}: {shape_text(shape)}", "2 or 3", str(len(shape)))


def _compare_widths(call: Call) -> _Mismatch | None:
    for role, fact, takes in widths_taken(call):
        # a mask may come before the value among the tensors of a call
        if len(fact.shape) not in RANKS or fact.dtype == "b8":
            continue
        found = fact.shape[-1]
        if found != takes:
            wanted = count_noun(takes, "feature")
            message = f"{subject(call)} takes {wanted} but its {role} has {found}"
            return _Mismatch(message, str(takes), str(found), (takes, found))
    return None


def _compare_masks(call: Call, failure: Failure) -> _Mismatch | None:
    query, key = (*call.inputs, call.inputs[0])[:2]
    sizes = read_attended_sizes(call, query, key)
    for name, accepted in (
        ("attn_mask", sizes.attn_masks),
        ("key_padding_mask", (sizes.key_padding_mask,)),
    ):
        mask = next(facts_in(failure.kwargs.get(name)), None)
        if mask is not None and mask.shape not in accepted:
            takes, found = shape_text(accepted[0]), shape_text(mask.shape)
            message = f"{subject(call)} takes an `{name}` of {takes} but gets {found}"
            return _Mismatch(message, takes, found)
    return None


def _compare_together(call: Call, failure: Failure) -> _Mismatch | None:
    # a kernel that refuses what the parts take does so for its masks
    if len(call.inputs) < 3 or failure.route is Route.FUSED:
        return None
    three = [fact.shape for fact in call.inputs[:3]]
    if three[0] == three[1] == three[2]:
        return None  # whatever it is, it is not the three
    query, key, value = map(shape_text, three)
    return _Mismatch(_describe_three(call, query, key, value), key, value)


def _compare_products(call: Call, failure: Failure) -> _Mismatch | None:
    facts = [failure.arg(at, name) for at, name in enumerate(ARGUMENTS)]
    query, key, value, mask = facts
    if not all(isinstance(fact, TensorFact) for fact in (query, key, value)):
        return None
    # then it is the mask that cannot be laid over the scores
    fits_without_mask = (
        query.shape[-1] == key.shape[-1] and key.shape[-2] == value.shape[-2]
    )
    if isinstance(mask, TensorFact) and fits_without_mask:
        rows, columns, found = query.shape[-2], key.shape[-2], shape_text(mask.shape)
        wanted = f"a mask that broadcasts to (..., {rows}, {columns})"
        message = f"{subject(call)} takes {wanted} but gets {found}"
        return _Mismatch(message, shape_text((rows, columns)), found)
    texts = [shape_text(fact.shape) for fact in (query, key, value)]
    return _Mismatch(_describe_three(call, *texts), texts[0], texts[1])


def _describe_three(call: Call, query: str, key: str, value: str) -> str:
    three = f"a query of {query}, a key of {key} and a value of {value}"
    return f"{subject(call)} cannot combine {three}"
