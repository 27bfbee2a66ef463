"""SHP108."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint.changes.layer_inputs import keyword_added, layer_input_forms
from shapelint.changes.layer_numbers import number_candidates
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Shape, TensorFact, Trace, Walked
from shapelint.syntax.walked_calls import failed_calls, located, made_by, shape_text

OPS = (
    *(
        "module:LSTM",
        "module:GRU",
        "module:RNN",
        "module:LSTMCell",
        "module:GRUCell",
        "module:RNNCell",
    ),
    *(
        "lstm",
        "gru",
        "rnn_tanh",
        "rnn_relu",
        "lstm_cell",
        "gru_cell",
        "rnn_tanh_cell",
        "rnn_relu_cell",
    ),
)


@dataclass(frozen=True)
class _Mismatch:
    message: str
    label: str
    expected: str
    found: str
    features: tuple[int, int] | None = None


class RecurrentShapeMismatch(Rule):
    """
    ## What it does
    Finds `RNN`, `GRU`, `LSTM` and their cells that are fed another number of features,
    of dimensions, or a hidden state that does not belong to them.

    ## Why is this bad?
    The forward raises. Without `batch_first=True` the first dimension is time, and a
    hidden state made for the batch has the wrong size; with `bidirectional=True` there
    are twice as many states.

    ## Fix
    `input_size` as the features that arrive, (batch, time, features) with
    `batch_first=True`, a hidden state of (num_layers * directions, batch, hidden_size).

    ## References
    - torch.nn.LSTM, "Inputs"
    """

    code = "SHP108"
    name = "recurrent-shape-mismatch"
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
        for trace, call in failed_calls(walked, *OPS):
            mismatch = _mismatch(call)
            if mismatch is not None:
                yield self._finding(walked, trace, call, mismatch)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, mismatch: _Mismatch
    ) -> Finding:
        made = made_by(walked, call)
        written = made.argument(0, "input_size") if made is not None else None
        span = (
            made.span(written)
            if made is not None and written is not None and mismatch.features
            else None
        )
        diagnostic = replace(
            self.diagnostic(mismatch.message),
            label=mismatch.label,
            expected=mismatch.expected,
            found=mismatch.found,
        )
        found: list[Candidate] = []
        if mismatch.features is not None:
            takes, gets = mismatch.features
            found += layer_input_forms(walked, call, takes)
            found += number_candidates(
                call, made, (0, "input_size"), gets, (gets,), takes
            )
        elif made is not None:
            found += keyword_added(made, "batch_first", "True", call.layer)
        return Finding(
            located(diagnostic, walked, trace, call, span),
            trace.mode,
            call.index,
            tuple(found),
        )


def _mismatch(call: Call) -> _Mismatch | None:
    layer = call.attributes
    x = call.inputs[0] if call.inputs else None
    if x is None or "input_size" not in layer or not x.dtype.startswith(("f", "bf")):
        return None
    takes = layer["input_size"]
    ranks = (1, 2) if call.op.endswith("Cell") else (2, 3)
    if len(x.shape) not in ranks:
        wanted = " or ".join(map(str, ranks))
        return _Mismatch(
            f"`{call.op}` takes {wanted} dimensions but gets {len(x.shape)}, {shape_text(x.shape)}",
            f"{wanted} dimensions expected, {len(x.shape)} found",
            wanted,
            str(len(x.shape)),
        )
    if x.shape[-1] != takes:
        return _Mismatch(
            f"`{call.op}` takes {takes} features but gets {x.shape[-1]}",
            f"{takes} expected, {x.shape[-1]} found in {shape_text(x.shape)}",
            str(takes),
            str(x.shape[-1]),
            (takes, x.shape[-1]),
        )
    return _state(call, x, call.inputs[1:])


def _state(call: Call, x: TensorFact, states: list[TensorFact]) -> _Mismatch | None:
    wanted = _wanted_state(call, x.shape)
    for fact in states[:2]:
        if fact.shape != wanted:
            return _Mismatch(
                f"`{call.op}` takes a hidden state of {shape_text(wanted)} but gets {shape_text(fact.shape)}",
                f"{shape_text(wanted)} expected, {shape_text(fact.shape)} found",
                shape_text(wanted),
                shape_text(fact.shape),
            )
    return None


def _wanted_state(call: Call, shape: Shape) -> Shape:
    layer = call.attributes
    if call.op.endswith("Cell"):
        return (*shape[:-1], layer["hidden_size"])
    count = layer["num_layers"] * (2 if layer["bidirectional"] else 1)
    batch = () if len(shape) == 2 else (shape[0 if layer["batch_first"] else 1],)
    return (count, *batch, layer["proj_size"] or layer["hidden_size"])
