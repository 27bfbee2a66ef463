"""SHP109."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint.changes.layer_inputs import layer_input_forms
from shapelint.changes.layer_numbers import number_candidates
from shapelint.changes.other_inputs import sized_inputs
from shapelint.facts.diagnostics import Draft
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, TensorFact, Trace, Walked, facts_in
from shapelint.syntax.walked_calls import (
    at_call,
    failed_calls,
    located,
    made_by,
    shape_text,
    subject,
)

OPS = (
    "multi_head_attention_forward",
    "module:MultiheadAttention",
    "scaled_dot_product_attention",
)


@dataclass(frozen=True)
class _Mismatch:
    message: str
    expected: str
    found: str
    features: tuple[int, int] | None = None


class AttentionShapeMismatch(Rule):
    """
    ## What it does
    Finds `MultiheadAttention`, the Transformer layers and
    `scaled_dot_product_attention` that are fed another width than they were made for,
    masks of another size than the sequences, heads that do not divide the width, and
    tables of positions that are shorter than the sequence or run along another axis of
    it.

    ## Why is this bad?
    The forward raises, or already the constructor; a table that is too short raises at
    the first long input.

    ## Fix
    `embed_dim` as the width that arrives, heads that divide it, `attn_mask` of (target,
    source), `key_padding_mask` of (batch, source), a table with a row for each
    position.

    ## References
    - torch.nn.MultiheadAttention, "Shape"
    """

    code = "SHP109"
    name = "attention-shape-mismatch"
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
        for trace, call in failed_calls(walked, *OPS):
            mismatch = _mismatch(call)
            if mismatch is not None:
                yield self._layer(walked, trace, call, mismatch)
        for trace, call in failed_calls(walked, "add"):
            table = _table(trace, call)
            if table is not None:
                yield self._positions(walked, trace, call, *table)

    def _layer(
        self, walked: Walked, trace: Trace, call: Call, mismatch: _Mismatch
    ) -> Finding:
        diagnostic = self._worded(mismatch)
        made = made_by(walked, call)
        found: list[Candidate] = []
        span = None
        if mismatch.features is not None:
            takes, gets = mismatch.features
            written = made.argument(0, "embed_dim") if made is not None else None
            span = (
                made.span(written) if made is not None and written is not None else None
            )
            found += layer_input_forms(walked, call, takes)
            found += number_candidates(
                call, made, (0, "embed_dim"), gets, (gets,), takes
            )
        if call.is_module:
            return Finding(
                located(diagnostic, walked, trace, call, span),
                trace.mode,
                call.index,
                tuple(found),
            )
        return Finding(
            at_call(diagnostic, walked, trace, call),
            trace.mode,
            call.index,
            tuple(found),
        )

    def _positions(
        self, walked: Walked, trace: Trace, call: Call, table: TensorFact, x: TensorFact
    ) -> Finding:
        along = next(
            at
            for at in range(1, len(table.shape))
            if table.shape[-at - 1] != x.shape[-at - 1]
        )
        holds, wanted = table.shape[-along - 1], x.shape[-along - 1]
        mismatch = _Mismatch(
            f"a table of {holds} positions is added to a sequence of {wanted}",
            f"{wanted} positions",
            f"{holds}",
        )
        inputs = tuple(sized_inputs(walked, [(wanted, holds)]))
        return Finding(
            at_call(self._worded(mismatch), walked, trace, call),
            trace.mode,
            call.index,
            inputs,
        )

    def _worded(self, mismatch: _Mismatch) -> Draft:
        label = f"{mismatch.expected} expected, {mismatch.found} found"
        diagnostic = self.diagnostic(mismatch.message)
        return replace(
            diagnostic, label=label, expected=mismatch.expected, found=mismatch.found
        )


def _mismatch(call: Call) -> _Mismatch | None:
    failure = call.failure
    assert failure is not None
    if failure.op == "scaled_dot_product_attention":
        return _products(call)
    query, key, value = (*call.inputs, None, None, None)[:3]
    width = call.attributes.get("embed_dim")
    if query is None or not isinstance(width, int) or not call.is_module:
        return None
    name = f"`{call.op}`"
    if len(query.shape) not in (2, 3):
        text = f"{name} takes 2 or 3 dimensions but gets {len(query.shape)}, {shape_text(query.shape)}"
        return _Mismatch(text, "2 or 3", str(len(query.shape)))
    widths = (
        ("query", query, width),
        ("key", key, call.attributes.get("kdim") or width),
    )
    for role, fact, wanted in (
        *widths,
        ("value", value, call.attributes.get("vdim") or width),
    ):
        if (
            fact is not None
            and len(fact.shape) in (2, 3)
            and fact.shape[-1] != wanted
            and not _is_mask(fact)
        ):
            found = fact.shape[-1]
            return _Mismatch(
                f"{name} takes {wanted} features but its {role} has {found}",
                str(wanted),
                str(found),
                (wanted, found),
            )
    return _masks(call, query, key or query) or _together(call, query, key, value)


def _is_mask(fact: TensorFact) -> bool:
    return fact.dtype == "b8"


def _masks(call: Call, query: TensorFact, key: TensorFact) -> _Mismatch | None:
    failure = call.failure
    assert failure is not None
    first = bool(call.attributes.get("batch_first"))
    batched = len(query.shape) == 3
    batch = query.shape[0 if first else 1] if batched else 1
    target = query.shape[1 if first else 0] if batched else query.shape[0]
    source = (
        key.shape[1 if first else 0]
        if batched and len(key.shape) == 3
        else key.shape[0]
    )
    heads = call.attributes.get("num_heads", 1)
    mask = next(iter(facts_in(failure.kwargs.get("attn_mask"))), None)
    padding = next(iter(facts_in(failure.kwargs.get("key_padding_mask"))), None)
    if mask is not None and mask.shape not in (
        (target, source),
        (batch * heads, target, source),
    ):
        wanted = shape_text((target, source))
        text = f"`{call.op}` takes an attn_mask of {wanted} but gets {shape_text(mask.shape)}"
        return _Mismatch(text, wanted, shape_text(mask.shape))
    if padding is not None and padding.shape != (batch, source):
        wanted = shape_text((batch, source))
        text = f"`{call.op}` takes a key_padding_mask of {wanted} but gets {shape_text(padding.shape)}"
        return _Mismatch(text, wanted, shape_text(padding.shape))
    return None


def _together(
    call: Call, query: TensorFact, key: TensorFact | None, value: TensorFact | None
) -> _Mismatch | None:
    if key is None or value is None:
        return None
    texts = [shape_text(fact.shape) for fact in (query, key, value)]
    message = f"`{call.op}` cannot attend from {texts[0]} to keys {texts[1]} and values {texts[2]}"
    return _Mismatch(message, texts[1], texts[2])


def _products(call: Call) -> _Mismatch | None:
    failure = call.failure
    assert failure is not None
    facts = [
        failure.arg(0, "query"),
        failure.arg(1, "key"),
        failure.arg(2, "value"),
        failure.arg(3, "attn_mask"),
    ]
    if not all(isinstance(fact, TensorFact) for fact in facts[:3]):
        return None
    query, key, value, mask = facts
    texts = [shape_text(fact.shape) for fact in (query, key, value)]
    if (
        isinstance(mask, TensorFact)
        and query.shape[-1] == key.shape[-1]
        and key.shape[-2] == value.shape[-2]
    ):
        wanted = shape_text((query.shape[-2], key.shape[-2]))
        message = f"{subject(call)} takes a mask that broadcasts to (..., {wanted[1:]} but gets {shape_text(mask.shape)}"
        return _Mismatch(message, wanted, shape_text(mask.shape))
    message = f"{subject(call)} cannot attend from {texts[0]} to keys {texts[1]} and values {texts[2]}"
    return _Mismatch(message, texts[0], texts[1])


def _table(trace: Trace, call: Call) -> tuple[TensorFact, TensorFact] | None:
    """A parameter or buffer of as many features, added to a sequence of another
    length."""
    failure = call.failure
    assert failure is not None
    if len(failure.tensors) != 2 or len(call.inputs) != 2:
        return None
    for position, fact in enumerate(call.inputs):
        other = call.inputs[1 - position]
        if (
            len(fact.shape) < 2
            or len(other.shape) < 3
            or fact.shape[-1] != other.shape[-1]
        ):
            continue
        if any(
            have not in (want, 1)
            for have, want in zip(fact.shape[-3:-2], other.shape[-3:-2], strict=False)
        ):
            continue
        if (
            _own(trace, call, position)
            and fact.shape[-2] != other.shape[-2]
            and fact.shape[-2] != 1
        ):
            return fact, other
    return None


def _own(trace: Trace, call: Call, position: int) -> bool:
    """Whether an argument is a weight or buffer of the model, at most sliced."""
    if call.inputs[position].name:
        return True
    producer = trace.producer(call, position)
    steps = 0
    while (
        producer is not None
        and producer.op in ("getitem", "to", "unsqueeze", "detach", "narrow")
        and steps < 4
    ):
        if producer.inputs and producer.inputs[0].name:
            return True
        producer, steps = trace.producer(producer), steps + 1
    return False
