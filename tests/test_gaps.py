"""Not walked is not wrong: what cannot be followed is named, or tried again with real
tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shapelint.facts.kinds import Mode
from tests.conftest import codes, errors

Lint = Callable[..., Any]

NEEDS_VALUES = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(256, 256, 3, padding=1)
        self.fc = nn.Linear(6, 2)
    def forward(self, x):
        for _ in range(4):
            x = self.conv(x)
        width = int((x.sum() * 0).nan_to_num().item()) + 6
        return self.fc(torch.ones(2, width) + torch.zeros(6))
"""


def test_a_model_that_needs_values_is_walked_again_with_real_ones(lint: Lint) -> None:
    report = lint(NEEDS_VALUES, "1,256,96,96", modes=(Mode.EVAL,))
    assert errors(report) == []
    assert report.status == "checked"
    assert str(report.output) == "f32[2,2]"
    assert "walked with real CPU tensors: shapes alone did not suffice" in report.notes


def test_too_large_for_that_it_is_a_gap_and_no_error(
    lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shapelint.checking.one_pass.FALLBACK_PARAMS", 1000)
    report = lint(NEEDS_VALUES, "1,256,96,96", modes=(Mode.EVAL,))
    assert errors(report) == []
    assert "SHP903" in codes(report)
    assert report.calls_unchecked > 0


def test_shape_errors_beyond_the_budget_are_errors_all_the_same(lint: Lint) -> None:
    source = NEEDS_VALUES.replace(
        "width = int((x.sum() * 0).nan_to_num().item()) + 6", "width = 7"
    )
    report = lint(source, "1,256,96,96", modes=(Mode.EVAL,), fixes=False)
    assert errors(report) == ["SHP104"]


def test_follow_up_of_a_first_error_is_not_reported(lint: Lint) -> None:
    source = """
    import torch
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 8, 3, padding=1)
            self.norm = nn.BatchNorm2d(16)
            self.b = nn.Conv2d(16, 8, 3, padding=1)
            self.c = nn.Conv2d(8, 4, 3, padding=1)
        def forward(self, x):
            x = self.norm(self.a(x))
            return self.c(self.b(x)) + torch.zeros(4, 1, 1)
    """
    report = lint(source, "2,3,8,8")
    assert errors(report) == ["SHP103"]
    assert [fix.title for fix in report.diagnostics[0].fixes] == [
        "`nn.Conv2d(3, 16, 3, padding=1)`"
    ]


def test_view_left_from_another_size_does_not_drag_the_linear_along(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1)
            self.fc = nn.Linear(8 * 20 * 20, 10)
        def forward(self, x):
            return self.fc(self.conv(x).view(-1, 8 * 20 * 20))
    """
    assert errors(lint(source, "2,3,16,16")) == ["SHP107"]


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_finding_of_one_mode_names_it(lint: Lint, mode: str) -> None:
    condition = "self.training" if mode == "train" else "not self.training"
    source = f"""
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(9, 2)
        def forward(self, x):
            return self.fc(x) if {condition} else x
    """
    (finding,) = lint(source, "2,8").diagnostics
    assert finding.modes == (mode,)
    assert finding.notes[-1] == f"only in {mode} mode"


def test_a_train_that_takes_no_mode_raises_as_in_eager(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def train(self):
            return self
        def forward(self, x):
            return x
    """
    (finding,) = lint(source, "2,8").diagnostics
    assert finding.code == "SHP119"
    assert finding.message.startswith("`model.eval()` raises TypeError")
    assert finding.span.line == 4


def test_an_index_out_of_range_is_about_our_data_not_the_model(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.kind = nn.Embedding(1, 4)
            self.fc = nn.Linear(5, 2)
        def forward(self, kind):
            return self.fc(self.kind(kind))
    """
    report = lint(source, "2,8:int64")
    assert [(d.code, d.severity.value) for d in report.diagnostics] == [
        ("SHP101", "error"),
        ("SHP903", "info"),
    ]


SMALL = """
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4), nn.MaxPool2d(4))
        self.fc = nn.Linear(8 * 2 * 2, 5)
    def forward(self, x):
        return self.fc(self.features(x).flatten(1))
"""


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ("1,32,32,3", "SHP112"),
        ("1,3,8,8", "SHP111"),
        ("32,32", "SHP113"),
        ("64", "SHP113"),
        ("1,1,32,32", "SHP102"),
    ],
)
def test_a_wrong_input_is_one_finding(lint: Lint, shape: str, code: str) -> None:
    assert errors(lint(SMALL, shape)) == [code]


def test_an_input_without_a_batch_is_said_to_be_one(lint: Lint) -> None:
    (finding,) = lint(SMALL, "3,32,32").diagnostics
    assert (
        finding.notes[0]
        == "the input (3, 32, 32) has no batch dimension; `Conv2d` takes it for one sample"
    )
    assert finding.fixes[0].title == "`--input 1,3,32,32`, a batch dimension in front"


def test_the_walk_goes_on_after_recurrent_layers_and_attention(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(9, 16, num_layers=2, batch_first=True, bidirectional=True)
            self.gru = nn.GRU(33, 16, batch_first=True)
            self.attention = nn.MultiheadAttention(24, 4, batch_first=True)
            self.plain = nn.MultiheadAttention(25, 5)
            self.fc = nn.Linear(26, 2)
        def forward(self, x):
            out, (h, c) = self.lstm(x)
            out, h = self.gru(out)
            out, weights = self.attention(out, out, out)
            out, nothing = self.plain(out, out, out, need_weights=False)
            assert nothing is None and weights.shape == (2, 5, 5), weights.shape
            return self.fc(out)
    """
    report = lint(source, "2,5,8")
    assert sorted(errors(report)) == ["SHP101", "SHP108", "SHP108", "SHP109", "SHP109"]
    assert str(report.output) == "f32[2,5,2]"


@pytest.mark.parametrize(
    ("kind", "state"), [("LSTM", "pair"), ("GRU", "one"), ("RNN", "one")]
)
@pytest.mark.parametrize("batched", [True, False])
def test_recovered_recurrent_shapes_are_torchs(
    kind: str, state: str, batched: bool
) -> None:
    import torch
    from torch import nn

    from shapelint.facts.graph import Failure
    from shapelint.facts.tensors import TensorFact
    from shapelint.ops.recovery import recover_shapes

    layer = getattr(nn, kind)(8, 6, num_layers=2, bidirectional=True)
    shape = (5, 3, 8) if batched else (5, 8)
    out, hidden = layer(torch.rand(shape))
    attributes = {
        key: getattr(layer, key)
        for key in ("bidirectional", "hidden_size", "batch_first", "num_layers")
    }
    wrong = TensorFact("f32", (*shape[:-1], 9))
    failure = Failure(
        f"module:{kind}", (wrong,), {}, "RuntimeError", "", attributes=attributes
    )
    expected = (
        tuple(tuple(t.shape) for t in hidden)
        if state == "pair"
        else tuple(hidden.shape)
    )
    assert recover_shapes(failure) == [(tuple(out.shape), expected)]
