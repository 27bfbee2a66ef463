"""What a mode does, seen by walking in both: SHP401, SHP407, SHP408 and SHP409, held
against eager PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import eager
from tests.conftest import codes

Lint = Callable[..., Any]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"


def net(
    forward: str, init: str = "self.fc = nn.Linear(8, 8)", methods: str = ""
) -> str:
    made = "".join(f"        {line}\n" for line in init.splitlines())
    body = "".join(f"        {line}\n" for line in forward.splitlines())
    more = "".join(f"    {line}\n" if line else "\n" for line in methods.splitlines())
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{made}\n"
        f"{more}\n    def forward(self, x):\n{body}"
    )


ATTENTION = "q = self.fc(x)[:, None]\nreturn F.scaled_dot_product_attention(q, q, q, dropout_p={})"
STATISTICS = "self.register_buffer('m', torch.zeros(8))\nself.register_buffer('v', torch.ones(8))"
DROPS = {
    "functional": net("return F.dropout(self.fc(x), 0.5)"),
    "functional, always on": net("return F.dropout(self.fc(x), 0.5, training=True)"),
    "attention": net(ATTENTION.format("0.3")),
    "alpha": net("return F.alpha_dropout(self.fc(x), 0.2, True)"),
    "feature alpha": net(
        "return F.feature_alpha_dropout(self.fc(x)[:, :, None], 0.5, True)"
    ),
    "dropout1d": net("return F.dropout1d(self.fc(x)[:, :, None], 0.5)"),
    "a module made in forward": net("return nn.Dropout(0.5)(self.fc(x))"),
    "a module in a plain list": net(
        "return self.parts[0](x)", "self.parts = [nn.Dropout(0.5)]"
    ),
}
KEEPS = {
    "training=self.training": net(
        "return F.dropout(self.fc(x), 0.5, training=self.training)"
    ),
    "a module": net("return self.drop(x)", "self.drop = nn.Dropout(0.5)"),
    "p is 0": net("return F.dropout(self.fc(x), 0.0)"),
    "attention that asks": net(ATTENTION.format("0.3 if self.training else 0.0")),
    "only in train mode": net("return F.dropout(x, 0.5) if self.training else x"),
    "training=False": net("return F.dropout(self.fc(x), 0.5, False)"),
}
BATCH_STATISTICS = {
    "functional": net(
        "return F.batch_norm(x, self.m, self.v, training=True)", STATISTICS
    ),
    "functional without statistics": net(
        "return F.batch_norm(x, None, None, training=True)"
    ),
    "keeps none": net(
        "return self.n(x)", "self.n = nn.BatchNorm1d(8, track_running_stats=False)"
    ),
    "keeps none, by position": net(
        "return self.n(x)", "self.n = nn.BatchNorm1d(8, 1e-5, 0.1, True, False)"
    ),
    "made in forward": net("return nn.BatchNorm1d(8)(x)"),
    "in a plain list": net(
        "return self.parts[0](x)", "self.parts = [nn.BatchNorm1d(8)]"
    ),
}
OWN_STATISTICS = {
    "training=self.training": net(
        "return F.batch_norm(x, self.m, self.v, training=self.training)", STATISTICS
    ),
    "a module": net("return self.n(x)", "self.n = nn.BatchNorm1d(8)"),
    "training=False": net(
        "return F.batch_norm(x, self.m, self.v, training=False)", STATISTICS
    ),
    "instance norm": net(
        "return self.n(x[:, None])[:, 0]", "self.n = nn.InstanceNorm1d(1)"
    ),
    "layer norm": net("return self.n(x)", "self.n = nn.LayerNorm(8)"),
    "frozen in train mode too": net(
        "return self.n(x)",
        "self.n = nn.BatchNorm1d(8)",
        "def train(self, mode=True):\n    super().train(mode)\n    self.n.eval()\n    return self",
    ),
}
INSIDE = "self.drop = nn.Dropout(0.5)"
OVERRIDES = {
    "no mode": "def train(self):\n    super().train()\n    return self",
    "a training loop": "def train(self, loader, epochs):\n    for x in loader:\n        self(x)",
    "a loop over one thing": "def train(self, loader):\n    for x in loader:\n        self(x)",
    "layers not reached": "def train(self, mode=True):\n    self.training = mode\n    return self",
    "nothing given back": "def train(self, mode=True):\n    super().train(mode)",
    "eval with arguments": "def eval(self, loader):\n    return [self(x) for x in loader]",
    "eval gives nothing back": "def eval(self):\n    super().eval()",
}
RIGHT_OVERRIDES = {
    "a frozen part": "def train(self, mode=True):\n    super().train(mode)\n    self.drop.eval()\n    return self",
    "another name for the mode": "def train(self, is_training: bool = True):\n    return super().train(is_training)",
    "any arguments": "def train(self, *args, **kwargs):\n    return super().train(*args, **kwargs)",
    "each child by hand": (
        "def train(self, mode=True):\n    self.training = mode\n    for child in self.children():\n"
        "        child.train(mode)\n    return self"
    ),
    "eval that pins": "def eval(self):\n    super().eval()\n    return self",
    "a method of another name": "def train_epoch(self, loader):\n    for x in loader:\n        self(x)",
}


def same_in_company(source: str) -> bool:
    """Whether eval gives one sample the same result whatever else is in its batch."""
    model = eager.build(source, "Net").eval()
    one, others = torch.rand(1, 8), torch.rand(5, 8)
    return torch.allclose(
        model(torch.cat([one, others]))[0],
        model(torch.cat([one, others * 9]))[0],
        atol=1e-6,
    )


def repeats(source: str) -> bool:
    """Whether eval gives the same result twice."""
    torch.manual_seed(0)
    model, x = eager.build(source, "Net").eval(), torch.rand(4, 8) + 1
    return bool(all(torch.equal(model(x), model(x)) for _ in range(4)))


@pytest.mark.parametrize("what", DROPS)
def test_dropout_that_stays_on(what: str, lint: Lint) -> None:
    assert not repeats(DROPS[what])
    assert "SHP401" in codes(lint(DROPS[what], "4,8"))


@pytest.mark.parametrize("what", KEEPS)
def test_dropout_that_is_switched(what: str, lint: Lint) -> None:
    assert repeats(KEEPS[what])
    assert codes(lint(KEEPS[what], "4,8")) == []


@pytest.mark.parametrize("what", BATCH_STATISTICS)
def test_norms_that_hang_on_the_batch(what: str, lint: Lint, tmp_path: Path) -> None:
    assert not same_in_company(BATCH_STATISTICS[what])
    report = lint(BATCH_STATISTICS[what], "4,8")
    assert "SHP407" in codes(report)
    finding = next(item for item in report.diagnostics if item.code == "SHP407")
    for fix in finding.fixes:
        assert same_in_company(eager.edited(tmp_path, fix))


@pytest.mark.parametrize("what", OWN_STATISTICS)
def test_norms_that_keep_their_own_statistics(what: str, lint: Lint) -> None:
    assert same_in_company(OWN_STATISTICS[what])
    assert codes(lint(OWN_STATISTICS[what], "4,8")) == []


def is_switched(source: str) -> bool:
    """Whether `train()` and `eval()` reach the dropout inside, and give the model
    back."""
    model: Any = eager.build(source, "Net")
    try:
        reached = model.eval() is model and not model.drop.training
        return bool(
            reached and model.train() is model and not model.eval().drop.training
        )
    except Exception:
        return False


@pytest.mark.parametrize("what", OVERRIDES)
def test_an_override_that_does_not_do_the_work(
    what: str, lint: Lint, tmp_path: Path
) -> None:
    source = net("return self.drop(x)", INSIDE, OVERRIDES[what])
    assert not is_switched(source)
    report = lint(source, "4,8")
    assert "SHP408" in codes(report)
    assert "SHP119" not in codes(report)
    finding = next(item for item in report.diagnostics if item.code == "SHP408")
    assert (
        source.splitlines()[finding.span.line - 1].strip()
        == OVERRIDES[what].splitlines()[0]
    )
    for fix in finding.fixes:
        assert is_switched(eager.edited(tmp_path, fix))


@pytest.mark.parametrize("what", RIGHT_OVERRIDES)
def test_an_override_that_does_the_work(what: str, lint: Lint) -> None:
    source = net("return self.drop(x)", INSIDE, RIGHT_OVERRIDES[what])
    assert is_switched(source)
    assert codes(lint(source, "4,8")) == []


DIFFERS = {
    "one more result": net("return (self.fc(x), x) if self.training else self.fc(x)"),
    "a dictionary": net("return {'out': self.fc(x)} if self.training else self.fc(x)"),
    "another shape": net("y = self.fc(x)\nreturn y if self.training else y[:, :4]"),
    "probabilities only": net(
        "y = self.fc(x)\nreturn y if self.training else y.argmax(1)"
    ),
    "another type": net("y = self.fc(x)\nreturn y if self.training else y.double()"),
    "a list": net("y = self.fc(x)\nreturn [y, y] if self.training else [y]"),
}
AGREES = {
    "softmax in eval mode": net(
        "y = self.fc(x)\nreturn y if self.training else y.softmax(1)"
    ),
    "always a pair": net("return self.fc(x), x"),
    "a loss that is None": net("return self.fc(x), None"),
    "dropout": net("return F.dropout(self.fc(x), 0.5, self.training)"),
    "a branch of the same shape": net("return self.fc(x) if self.training else x"),
    "one result": net("return self.fc(x)"),
}


def spell_shapes(source: str) -> list[str]:
    from shapelint.tracing.value_facts import spell_shapes as text

    model = eager.build(source, "Net")
    return [text(model.train(mode)(torch.rand(4, 8))) for mode in (True, False)]


@pytest.mark.parametrize("what", DIFFERS)
def test_results_of_another_structure_are_said(what: str, lint: Lint) -> None:
    train, evaluated = spell_shapes(DIFFERS[what])
    assert train != evaluated
    (finding,) = lint(DIFFERS[what], "4,8").diagnostics
    assert (finding.code, finding.severity.value) == ("SHP409", "info")
    assert f"{train} in train mode and {evaluated} in eval mode" in finding.message


@pytest.mark.parametrize("what", AGREES)
def test_results_of_the_same_structure_are_not(what: str, lint: Lint) -> None:
    train, evaluated = spell_shapes(AGREES[what])
    assert train == evaluated
    assert codes(lint(AGREES[what], "4,8")) == []


SINGLE_VALUE = {
    "after a Linear": ("1,8", net("return self.n(x)", "self.n = nn.BatchNorm1d(8)")),
    "on a map of one pixel": (
        "1,8,1,1",
        net("return self.n(x)", "self.n = nn.BatchNorm2d(8)"),
    ),
    "after global pooling": (
        "1,8,4,4",
        net(
            "return self.n(self.p(x))",
            "self.p = nn.AdaptiveAvgPool2d(1)\nself.n = nn.BatchNorm2d(8)",
        ),
    ),
    "volumes": ("1,8,1,1,1", net("return self.n(x)", "self.n = nn.BatchNorm3d(8)")),
    "functional": (
        "1,8",
        net(
            "return F.batch_norm(x, self.m, self.v, training=self.training)", STATISTICS
        ),
    ),
    "instance norm": (
        "2,8,1,1",
        net("return self.n(x)", "self.n = nn.InstanceNorm2d(8)"),
    ),
    "lazy": ("1,8", net("return self.n(x)", "self.n = nn.LazyBatchNorm1d()")),
}
SEVERAL_VALUES = {
    "a batch of two": ("2,8", net("return self.n(x)", "self.n = nn.BatchNorm1d(8)")),
    "one sample with pixels": (
        "1,8,2,2",
        net("return self.n(x)", "self.n = nn.BatchNorm2d(8)"),
    ),
    "pinned to eval mode": (
        "1,8",
        net(
            "return self.n(x)",
            "self.n = nn.BatchNorm1d(8)",
            "def train(self, mode=True):\n    super().train(mode)\n    self.n.eval()\n    return self",
        ),
    ),
    "group norm": ("1,8", net("return self.n(x)", "self.n = nn.GroupNorm(2, 8)")),
    "layer norm": ("1,8", net("return self.n(x)", "self.n = nn.LayerNorm(8)")),
    "one sample with a sequence": (
        "1,8,5",
        net("return self.n(x)", "self.n = nn.BatchNorm1d(8)"),
    ),
}


@pytest.mark.parametrize("what", SINGLE_VALUE)
def test_norms_over_a_single_value(what: str, lint: Lint) -> None:
    inputs, source = SINGLE_VALUE[what]
    assert "Expected more than 1" in eager.raises(source, (inputs,))
    assert codes(lint(source, inputs)) == ["SHP402"]


@pytest.mark.parametrize("what", SEVERAL_VALUES)
def test_norms_over_several_values(what: str, lint: Lint) -> None:
    inputs, source = SEVERAL_VALUES[what]
    assert not eager.raises(source, (inputs,))
    assert codes(lint(source, inputs)) == []
