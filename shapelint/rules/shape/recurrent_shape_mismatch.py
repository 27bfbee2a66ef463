"""SHP108."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.layer_inputs import add_keyword, rewrite_layer_input
from shapelint.changes.layer_numbers import number_candidates
from shapelint.facts.findings import Candidate, ChangeKind, Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.ops.recurrent_shapes import ranks_taken, state_shape
from shapelint.syntax.walked_calls import (
    count_noun,
    find_constructor_call,
    find_failed_calls,
    finding_at_layer,
    shape_text,
    span_of_argument,
)

FLOATS = ("f", "bf")


class RecurrentShapeMismatch(Rule):
    """
    ## What it does
    Finds `RNN`, `GRU`, `LSTM` and their cells whose input has the wrong number of
    features or dimensions, or whose hidden state has the wrong shape.

    ## Why is this bad?
    The forward raises. Without `batch_first=True` the first dimension is time, so a
    hidden state made for the batch has the wrong size. With `bidirectional=True` there
    are twice as many states.

    ## Fix
    Set `input_size` to the number of features that arrive. With `batch_first=True`,
    pass (batch, time, features); pass a hidden state of (num_layers * directions,
    batch, hidden_size).

    ## References
    - torch.nn.LSTM, "Inputs"
    """

    code = "SHP108"
    name = "recurrent-shape-mismatch"
    # a recurrent layer multiplies matrices inside, whose sizes are not the user's
    supersedes = ("SHP101", "SHP113", "SHP119")
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 32)
        self.lstm = nn.LSTM(64, 48, batch_first=True)

    def forward(self, ids):
        out, _ = self.lstm(self.embedding(ids))
        return out[:, -1]
""",
        ("2,12:int64",),
        raises="RuntimeError: input.size(-1) must be equal to input_size. Expected 64, got 32",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 32)
        self.lstm = nn.LSTM(32, 48, batch_first=True)

    def forward(self, ids):
        out, _ = self.lstm(self.embedding(ids))
        return out[:, -1]
""",
        ("2,12:int64",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, _ in find_failed_calls(
            walked, *ops.list_failing_ops(Family.RECURRENT)
        ):
            x = call.inputs[0] if call.inputs else None
            is_made_by_torch = "input_size" in call.attributes
            # integers are a wrong dtype, which another rule reports
            if x is None or not is_made_by_torch or not x.dtype.startswith(FLOATS):
                continue
            takes, ranks = call.attributes["input_size"], ranks_taken(call)
            if len(x.shape) not in ranks:
                yield self._wrong_rank(walked, trace, call, x.shape, ranks)
            elif x.shape[-1] != takes:
                yield self._wrong_features(walked, trace, call, x.shape, takes)
            else:
                yield from self._wrong_state(walked, trace, call, x.shape)

    def _wrong_rank(
        self,
        walked: Walked,
        trace: Trace,
        call: Call,
        shape: Shape,
        ranks: tuple[int, int],
    ) -> Finding:
        wanted, found = f"{ranks[0]} or {ranks[1]}", str(len(shape))
        draft = self.mismatch(
            f"`{call.op}` takes {wanted} dimensions but gets {found}: {shape_text(shape)}",
            wanted,
            found,
            f"{wanted} dimensions expected, {found} found",
        )
        candidates = _batch_first(walked, call)
        return finding_at_layer(walked, trace, call, draft, candidates)

    def _wrong_features(
        self, walked: Walked, trace: Trace, call: Call, shape: Shape, takes: int
    ) -> Finding:
        found = shape[-1]
        wanted = count_noun(takes, "feature")
        draft = self.mismatch(
            f"`{call.op}` takes {wanted} but gets {found}",
            str(takes),
            str(found),
            f"{takes} expected, {found} found in {shape_text(shape)}",
        )
        made = find_constructor_call(walked, call)
        argument = (0, "input_size")
        candidates = [
            *rewrite_layer_input(walked, call, takes),
            *number_candidates(call, made, argument, found, (found,), takes),
        ]
        span = span_of_argument(made, *argument)
        return finding_at_layer(walked, trace, call, draft, candidates, span)

    def _wrong_state(
        self, walked: Walked, trace: Trace, call: Call, shape: Shape
    ) -> Iterator[Finding]:
        """Report the first hidden or cell state that does not fit the input."""
        wanted = state_shape(call, shape)
        states = [fact.shape for fact in call.inputs[1:3]]
        wrong = next((state for state in states if state != wanted), None)
        if wrong is None:
            return
        expected, found = shape_text(wanted), shape_text(wrong)
        draft = self.mismatch(
            f"`{call.op}` takes a hidden state of {expected} but gets {found}",
            expected,
            found,
        )
        candidates = _batch_first(walked, call)
        if len(wrong) == 3 and wrong[1] == shape[0]:
            # the state has the batch where it belongs, and the input has it in front
            candidates = map(_as_layout, candidates)
        yield finding_at_layer(walked, trace, call, draft, candidates)


def _as_layout(candidate: Candidate) -> Candidate:
    return replace(candidate, likely=weights.LAYOUT, kind=ChangeKind.LAYOUT)


def _batch_first(walked: Walked, call: Call) -> Iterator[Candidate]:
    """Add `batch_first=True`. Without it, the first dimension is time."""
    made = find_constructor_call(walked, call)
    if made is not None:
        yield from add_keyword(made, "batch_first", "True", call.layer)
