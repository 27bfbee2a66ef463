"""SHP115: the meta device stands for an accelerator; eager refuses to mix it with the
CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import eager
from tests.conftest import codes

Lint = Callable[..., Any]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def net(*lines: str) -> str:
    body = "".join(f"        {line}\n" for line in lines)
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(8, 8)\n        self.register_buffer('scale', torch.ones(8))\n"
        f"    def forward(self, x):\n{body}"
    )


STRAY = {
    "sum": net("return self.fc(x) + torch.zeros(8)"),
    "reversed": net("shift = torch.ones(x.shape)", "return shift + self.fc(x)"),
    "computed": net(
        "steps = torch.arange(8).float().view(1, 8) / 8",
        "return self.fc(x) * steps.exp()",
    ),
    "layer": net("return self.fc(torch.ones(2, 8))"),
    "joined": net("return torch.cat([x, torch.zeros(2, 1)], dim=1)"),
    "buffer": net("return self.fc(x) + self.scale * torch.linspace(0, 1, 8)"),
    "mask": net(
        "mask = torch.tril(torch.ones(2, 8)) == 0",
        "return self.fc(x).masked_fill(mask, 0.0)",
    ),
    "in words": net("return self.fc(x) + torch.zeros(8, device='cpu')"),
    "filled": net(
        "mask = torch.empty(8)", "mask.fill_(1)", "return self.fc(x) * mask.mul_(2)"
    ),
    "of a list": net("return self.fc(x) * torch.tensor([1.0] * 8)"),
}
FINE = {
    "device given": net("return self.fc(x) + torch.zeros(8, device=x.device)"),
    "of the weight": net(
        "return self.fc(x) + torch.zeros(8, device=self.fc.weight.device)"
    ),
    "like": net("return self.fc(x) + torch.zeros_like(x)"),
    "new": net("return self.fc(x) + x.new_zeros(8)"),
    "moved": net("return self.fc(x) + torch.arange(8).to(x.device)"),
    "moved to another": net("return self.fc(x) + torch.arange(8).to(x)"),
    "type as": net("return self.fc(x) + torch.arange(8).type_as(x)"),
    "single value": net("return self.fc(x) * torch.tensor(2.0) + torch.arange(3)[1]"),
    "number": net("return self.fc(x) * torch.arange(8).sum().item()"),
    "index": net("return self.fc(x)[:, torch.randperm(8)]"),
    "buffer": net("return self.fc(x) * self.scale"),
    "asked for on the cpu": net("values = x.cpu().detach()", "return self.fc(x)"),
    "on the cpu throughout": net(
        "n = (torch.ones(3) + torch.zeros(3)).sum()", "return self.fc(x) * n"
    ),
    "cuda when it is there": net(
        "device = 'cuda' if torch.cuda.is_available() else x.device",
        "return self.fc(x) + torch.zeros(8, device=device)",
    ),
}


def on_meta(source: str) -> str:
    """What eager raises on the meta device."""
    try:
        eager.build(source, "Net").to("meta")(torch.rand(2, 8, device="meta"))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("what", STRAY)
def test_what_stays_on_the_cpu(what: str, lint: Lint, tmp_path: Path) -> None:
    assert "device" in on_meta(STRAY[what]) or "meta" in on_meta(STRAY[what])
    assert not eager.raises(STRAY[what], ("2,8",))
    (finding,) = lint(STRAY[what], "2,8").diagnostics
    assert (finding.code, finding.severity.value) == ("SHP115", "warning")
    for fix in finding.fixes:
        assert not on_meta(eager.edited(tmp_path, fix)), fix.title
        assert fix.safety == "safe"
    assert finding.fixes


@pytest.mark.parametrize("what", FINE)
def test_what_moves_with_the_model(what: str, lint: Lint) -> None:
    if what not in (
        "number",
        "on the cpu throughout",
        "index",
        "asked for on the cpu",
    ):  # meta tensors have no values
        assert not on_meta(FINE[what])
    assert codes(lint(FINE[what], "2,8")) == []


def test_lengths_may_be_left_on_the_cpu_on_purpose(lint: Lint) -> None:
    source = (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.rnn = nn.LSTM(8, 8, batch_first=True)\n    def forward(self, x, lengths):\n"
        "        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)\n"
        "        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)\n"
        "        return out[torch.arange(3)[: out.shape[1], None] < lengths]\n"
    )
    assert "SHP115" not in codes(lint(source, "2,3,8", "2:int64"))
