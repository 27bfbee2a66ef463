"""SHP110."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint import ops
from shapelint.changes.layer_inputs import cast_operand
from shapelint.changes.layer_numbers import number_candidates
from shapelint.changes.other_inputs import integer_input, resize_inputs
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.walked_calls import (
    count_noun,
    find_constructor_call,
    find_failed_calls,
    finding_at_layer,
    name_layer,
    span_of_argument,
)

# How the dtypes of floats and complex numbers begin
NO_INTEGERS = ("f", "bf", "c")


class EmbeddingInputInvalid(Rule):
    """
    ## What it does
    Finds an `Embedding` that receives floats as indices, and one whose table is too
    short for indices that the model makes itself, such as positions from
    `torch.arange`.

    ## Why is this bad?
    The forward raises. A position table that is shorter than the sequence raises only
    at the first long input.

    ## Fix
    Pass integers (`ids.long()`), and give the table one row for each index.
    """

    code = "SHP110"
    name = "embedding-input-invalid"
    # floats as indices are a wrong dtype too; here it is known to which to cast
    supersedes = ("SHP114", "SHP119")
    bad = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(100, 16)
        self.positions = nn.Embedding(32, 16)

    def forward(self, ids):
        return self.tokens(ids) + self.positions(torch.arange(ids.size(1), device=ids.device))
""",
        ("2,48:int64",),
        raises="IndexError: index out of range in self",
    )
    good = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(100, 16)
        self.positions = nn.Embedding(48, 16)

    def forward(self, ids):
        return self.tokens(ids) + self.positions(torch.arange(ids.size(1), device=ids.device))
""",
        ("2,48:int64",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in find_failed_calls(
            walked, *ops.in_family(Family.EMBEDDING)
        ):
            index, table = failure.arg(0, "input"), failure.arg(1, "weight")
            if index is None or table is None or not table.shape:
                continue
            if index.dtype.startswith(NO_INTEGERS):
                yield self._floats(walked, trace, call, index.dtype)
            elif failure.error_type == "IndexError":
                # the values are not known; of positions the longest dimension counts
                wanted = max(index.shape, default=1)
                yield self._too_short(walked, trace, call, table.shape[0], wanted)

    def _floats(self, walked: Walked, trace: Trace, call: Call, dtype: str) -> Finding:
        draft = self.mismatch(
            f"{name_layer(call)} takes integer indices but gets {dtype}",
            "i64",
            dtype,
            f"integers expected, {dtype} found",
        )
        candidates = [
            *integer_input(walked, call),
            *cast_operand(walked, call, 0, ".long()"),
        ]
        return finding_at_layer(walked, trace, call, draft, candidates)

    def _too_short(
        self, walked: Walked, trace: Trace, call: Call, rows: int, wanted: int
    ) -> Finding:
        has, asked = count_noun(rows, "row"), count_noun(wanted, "position")
        draft = self.mismatch(
            f"{name_layer(call)} has {has} but {asked} are looked up",
            str(rows),
            str(wanted),
            f"indices up to {wanted - 1} need {count_noun(wanted, 'row')}",
        )
        made = find_constructor_call(walked, call)
        argument = (0, "num_embeddings")
        candidates = [
            *number_candidates(call, made, argument, wanted, (wanted,), rows),
            *resize_inputs(walked, [(wanted, rows)]),
        ]
        span = span_of_argument(made, *argument)
        return finding_at_layer(walked, trace, call, draft, candidates, span)
