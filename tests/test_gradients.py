"""SHP117 against the backward of eager PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import eager
from tests.conftest import codes, errors

Lint = Callable[..., Any]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def net(made: str, *lines: str) -> str:
    body = "".join(f"        {line}\n" for line in lines)
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.fc = {made}\n        self.w = nn.Parameter(torch.ones(8))\n    def forward(self, x):\n{body}"
    )


FC = "nn.Linear(8, 8)"
BROKEN = {
    "augmented": net(FC, "y = torch.exp(self.fc(x))", "y += 1", "return y"),
    "method": net(FC, "y = torch.sigmoid(self.fc(x))", "y.mul_(2)", "return y"),
    "item": net(FC, "y = torch.tanh(self.fc(x))", "y[:, 0] = 0", "return y"),
    "twice a ReLU": net(
        "nn.Sequential(nn.Linear(8, 8), nn.ReLU(inplace=True), nn.ReLU(True))",
        "return self.fc(x)",
    ),
    "residual": net(
        FC, "y = self.fc(x)", "z = F.relu(y)", "z += y", "return z * z.sigmoid_()"
    ),
    "loop": net(
        FC,
        "y = self.fc(x)",
        "for _ in range(2):",
        "    s = y.sigmoid()",
        "    y = y * s",
        "    s -= 1",
        "return y",
    ),
    "weight": net(FC, "self.w += 1", "return self.fc(x) * self.w"),
    "view": net(FC, "a, b = self.fc(x).unbind(1)[:2]", "a += b", "return a"),
}
FINE = {
    "inplace after conv": net(
        "nn.Sequential(nn.Linear(8, 8), nn.ReLU(inplace=True))", "return self.fc(x)"
    ),
    "sum is not saved": net(FC, "y = self.fc(x) + 1", "y += 1", "return y"),
    "own result": net(
        FC, "y = torch.zeros_like(x)", "y[:, 1:] = self.fc(x)[:, 1:]", "return y"
    ),
    "shared norm": net("nn.BatchNorm1d(8)", "return self.fc(self.fc(x))"),
    "under no_grad": net(
        FC,
        "y = self.fc(x)",
        "with torch.no_grad():",
        "    z = torch.exp(y)",
        "    z += 1",
        "return y",
    ),
    "not needed": net(FC, "y = self.fc(x)", "z = torch.exp(y)", "z += 1", "return y"),
    "torch.func": net(
        FC,
        "g = torch.func.grad(lambda z: (self.fc(z) ** 2).sum())(x)",
        "y = torch.func.vmap(lambda row: self.fc(row).sum())(x)",
        "j = torch.func.jacrev(lambda z: self.fc(z))(x[0])",
        "return self.fc(x) + g + y[:, None] + j[0]",
    ),
    "checkpoints": net(
        FC,
        "from torch.utils.checkpoint import checkpoint",
        "with torch.autograd.graph.save_on_cpu():",
        "    y = checkpoint(self.fc, x, use_reentrant=False)",
        "return torch.exp(y) + 1",
    ),
    "gradient of its own": net(
        FC,
        "x = x.detach().requires_grad_(True)",
        "y = torch.exp(self.fc(x))",
        "return y + torch.autograd.grad(y.sum(), x, create_graph=True)[0]",
    ),
    "saved copy": net(
        FC, "y = torch.exp(self.fc(x))", "z = y.clone()", "z += 1", "return y + z"
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_the_backward(what: str, lint: Lint, tmp_path: Path) -> None:
    source = BROKEN[what]
    assert eager.raises(source, ("2,8",), backward=True)
    report = lint(source, "2,8")
    assert set(errors(report)) == {"SHP117"}
    for finding in report.diagnostics:
        assert finding.span is not None
        for fix in finding.fixes:
            if len(report.diagnostics) == 1:
                assert not eager.raises(
                    eager.edited(tmp_path, fix), ("2,8",), backward=True
                ), fix.title


@pytest.mark.parametrize("what", FINE)
def test_what_does_not(what: str, lint: Lint) -> None:
    assert not eager.raises(FINE[what], ("2,8",), backward=True)
    assert codes(lint(FINE[what], "2,8")) == []


def test_the_write_is_named_and_the_place_where_it_was_saved(lint: Lint) -> None:
    (finding,) = lint(BROKEN["augmented"], "2,8").diagnostics
    assert (
        finding.message == "`+` overwrites the (2, 8) that `exp` needs for its gradient"
    )
    assert (finding.span.line, [related.span.line for related in finding.related]) == (
        11,
        [10],
    )
    assert [fix.title for fix in finding.fixes] == ["`y = y + 1`"]
    assert [fix.safety for fix in finding.fixes] == ["safe"]


def test_models_that_do_not_fit_are_asked_too(lint: Lint) -> None:
    source = net(
        FC,
        "y = torch.sigmoid(self.fc(x)).expand(100_000, 50_000, 8) * 2",
        "z = y.exp()",
        "z += 1",
        "return z",
    )
    assert errors(lint(source, "50_000,8".replace("_", ""))) == ["SHP117"]
