"""SHP110."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.layer_inputs import cast
from shapelint.changes.layer_numbers import number_candidates
from shapelint.changes.other_inputs import integer_input, sized_inputs
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.syntax.walked_calls import failed_calls, located, made_by


class EmbeddingInputInvalid(Rule):
    """
    ## What it does
    Finds an `Embedding` that is given floats for indices, and one whose table is too
    short for indices that the model makes itself, as positions from `torch.arange`.

    ## Why is this bad?
    The forward raises. A table of positions that is shorter than the sequence raises at
    the first long input only.

    ## Fix
    Integers (`ids.long()`), and a table with a row for each index.
    """

    code = "SHP110"
    name = "embedding-input-invalid"
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
        for trace, call in failed_calls(walked, "embedding", "embedding_bag"):
            failure = call.failure
            assert failure is not None
            index, table = failure.arg(0, "input"), failure.arg(1, "weight")
            if index is None or table is None or not table.shape:
                continue
            if index.dtype.startswith(("f", "bf", "c")):
                yield self._floats(walked, trace, call, index.dtype)
            elif failure.error_type == "IndexError":
                yield self._too_short(
                    walked, trace, call, table.shape[0], max(index.shape, default=1)
                )

    def _floats(self, walked: Walked, trace: Trace, call: Call, dtype: str) -> Finding:
        name = call.op if call.is_module else "F." + call.op
        diagnostic = replace(
            self.diagnostic(f"`{name}` takes integer indices but gets {dtype}"),
            label=f"integers expected, {dtype} found",
            expected="i64",
            found=dtype,
        )
        candidates = [*integer_input(walked, call), *cast(walked, call, 0, ".long()")]
        return Finding(
            located(diagnostic, walked, trace, call),
            trace.mode,
            call.index,
            tuple(candidates),
        )

    def _too_short(
        self, walked: Walked, trace: Trace, call: Call, rows: int, wanted: int
    ) -> Finding:
        name = call.op if call.is_module else "F." + call.op
        diagnostic = replace(
            self.diagnostic(
                f"`{name}` has {rows} rows, too few for the {wanted} positions it is asked for"
            ),
            label=f"{rows} rows, indices up to {wanted - 1}",
            expected=str(rows),
            found=str(wanted),
        )
        made = made_by(walked, call)
        written = made.argument(0, "num_embeddings") if made is not None else None
        span = made.span(written) if made is not None and written is not None else None
        found: list[Candidate] = number_candidates(
            call, made, (0, "num_embeddings"), wanted, (wanted,), rows
        )
        found += sized_inputs(walked, [(wanted, rows)])
        return Finding(
            located(diagnostic, walked, trace, call, span),
            trace.mode,
            call.index,
            tuple(found),
        )
