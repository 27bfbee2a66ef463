"""Any model: control flow on data, huge weights, things the fake walk stumbles over;
and nothing left changed."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from shapelint.facts.kinds import Mode
from shapelint.tracing.costs import Budget
from shapelint.tracing.walk import Walker, WalkSettings
from tests.conftest import codes, errors, run_shapelint

Lint = Callable[..., Any]

WALKS = {
    "item as a size": "n = int(x.abs().sum().item() * 0) + 2; return x[:, :n]",
    "tolist": "return x[:, : len(x[0].tolist())]",
    "numpy": "return torch.from_numpy(x.detach().numpy())",
    "nonzero": "i = (x > 0.5).nonzero(); return x.flatten()[: len(i)]",
    "boolean mask": "return x[x > 0].sum()",
    "loop on data": "y = x\n        while y.abs().max() > 0.01:\n            y = y / 2\n        return y",
    "validity check": "assert torch.isfinite(x).all()\n        return x",
    "check that raises": "if (x < 0).any(): raise ValueError('negative')\n        return x",
    "in": "return x if 3.0 in x else -x",
    "equal": "return x if torch.equal(x, x) else -x",
    "made in forward": "return x + torch.zeros(x.shape[0], 1) + torch.arange(x.shape[1])",
    "dict and list": "return {'a': [x, x + 1], 'b': (x,)}",
    "try and except": "try:\n            y = x.t().view(-1)\n        except RuntimeError:\n            y = x.t().reshape(-1)\n        return y",
    "in place": "x = x.clone(); x += 1; x[:, 0] = 0; x.mul_(2); return x",
    "unique": "return torch.unique((x * 10).long())",
    "sort and gather": "v, i = x.sort(dim=1); return torch.gather(x, 1, i)",
    "einsum": "return torch.einsum('ij,kj->ik', x, x)",
    "vmap": "return torch.vmap(lambda row: row * 2)(x)",
    "autograd inside": "x = x.clone().requires_grad_(); return torch.autograd.grad((x ** 2).sum(), x)[0]",
    "checkpoint": "from torch.utils.checkpoint import checkpoint\n        return checkpoint(lambda t: t * 2, x, use_reentrant=False)",
    "complex": "return torch.fft.rfft(x).abs()",
    "no grad": "with torch.no_grad():\n            return x * 2",
    "device words": "return x.to('cuda') + torch.zeros(1, device='cuda').cpu()",
    "script": "return torch.jit.script(_double)(x) if False else _double(x)",
    "deepcopy": "import copy\n        return copy.deepcopy(x)",
    "lengths": "m = torch.tensor([2, 4]); return x[:, : m.max().item()]",
}

HEAD = "import torch\nfrom torch import nn\n\ndef _double(x):\n    return x * 2\n\nclass Net(nn.Module):\n"


@pytest.mark.parametrize("real", [True, False], ids=["values", "shapes"])
@pytest.mark.parametrize("what", WALKS)
def test_any_model(what: str, real: bool, write: Lint) -> None:
    source = f"{HEAD}    def forward(self, x):\n        {WALKS[what]}\n"
    namespace: dict[str, Any] = {"__name__": "net"}
    exec(compile(source, str(write(source)), "exec"), namespace)
    model = namespace["Net"]()
    budget = (
        (lambda: Budget(1e9, 1e9, 1e9)) if real else (lambda: Budget(0.0, 0.0, 0.0))
    )
    settings = WalkSettings(budget=budget)
    walker = Walker(model, lambda: ((torch.rand(2, 8),), {}), settings=settings)
    trace = walker.walk(Mode.EVAL)
    assert trace.raised is None, trace.raised
    assert trace.used_fake is not real or what in ("lengths", "dict and list")
    assert list(trace.failures) == []
    assert trace.graph is not None
    trace.graph.lint()


def test_values_are_exact_where_affordable(lint: Lint) -> None:
    report = lint(
        HEAD
        + "    def forward(self, x):\n        n = int((x.sum() * 0 + 5).item()); return x.new_zeros(n, 3)\n",
        "2,8",
    )
    assert str(report.output) == "f32[5,3]"
    assert codes(report) == ["SHP901"]


def test_known_values_are_not_assumed(lint: Lint) -> None:
    report = lint(
        HEAD
        + "    def forward(self, x):\n        n = torch.arange(4).max().item(); return x[:, :n]\n",
        "2,8",
    )
    assert codes(report) == []
    assert str(report.output) == "f32[2,3]"


def test_a_check_that_raises_for_the_data_is_answered_the_other_way(lint: Lint) -> None:
    report = lint(
        HEAD
        + "    def forward(self, x):\n        if x.max() < 5:\n            raise ValueError('scale it')\n        return x\n",
        "2,8",
    )
    assert errors(report) == []
    assert codes(report) == ["SHP901"]
    assert "assumed to be False" in report.diagnostics[0].message


def test_shapes_do_raise(lint: Lint) -> None:
    report = lint(
        HEAD
        + "    def forward(self, x):\n        assert x.shape[1] == 3, 'three channels'\n        return x\n",
        "2,8",
    )
    assert errors(report) == ["SHP119"]
    assert "AssertionError: three channels" in report.diagnostics[0].message


BIG = """
import copy, torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8192, 64, 32768, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 4)
        self.embed = nn.Embedding(100_000, 8192)
        nn.init.trunc_normal_(self.embed.weight, std=0.02)
        w = self.embed.weight
        while (w.abs() > 1).any():
            with torch.no_grad():
                w.normal_()
        self.again = copy.deepcopy(self.embed)
        self.half().float()
        self.to("cuda")
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)
        self.drop = [x.item() for x in torch.linspace(0, 0.1, 4)]
    def forward(self, ids):
        x = self.encoder(self.embed(ids) + self.again(ids))
        keep = x.mean(-1) > 0
        while (x > 0).any():
            x = x - 1
        if x.max().item() > 3:
            x = x / 2
        return x[keep].sum(), x @ self.embed.weight.t()
"""


def test_a_model_that_does_not_fit_is_built_and_walked(lint: Lint) -> None:
    report = lint(BIG, "1,16:int64")
    assert errors(report) == []
    assert str(report.output) == "(f32[], f32[1,16,100000])"
    assert report.totals.params > 4e9
    assert "walked with shapes where values would not fit" in report.notes


def test_errors_of_a_model_that_does_not_fit(lint: Lint) -> None:
    source = BIG.replace(
        "return x[keep].sum(), x @ self.embed.weight.t()",
        "return x @ self.embed.weight",
    )
    report = lint(source, "1,16:int64", fixes=False)
    assert "SHP106" in codes(report) or "SHP903" in codes(report)


class Stateful(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.frozen = nn.BatchNorm2d(4).eval()
        self.spectral = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
        self.calls = 0
        self.seen: list[int] = []
        self.register_buffer("count", torch.zeros(()))

    def counted(self) -> None:
        assert isinstance(self.count, torch.Tensor)
        self.count += 1

    def forward(self, x: torch.Tensor) -> Any:
        self.calls += 1
        self.seen.append(x.shape[0])
        self.counted()
        self.cache = x
        self.register_buffer("late", x)
        with torch.no_grad():
            self.conv.weight.add_(1)
            self.norm.weight.data.mul_(2)
        x = self.frozen(self.drop(self.norm(self.conv(x))))
        random.random()
        return self.spectral(x.mean((2, 3))) + torch.rand(1)


def state(model: Stateful) -> Any:
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    flags = {name: module.training for name, module in model.named_modules()}
    hooks = {name: len(module._forward_hooks) for name, module in model.named_modules()}
    attributes = {name: sorted(vars(module)) for name, module in model.named_modules()}
    return tensors, (
        flags,
        hooks,
        attributes,
        model.calls,
        list(model.seen),
        sorted(model._buffers),
    )


def test_model_and_generators_are_as_they_were() -> None:
    model = Stateful()
    model.conv.weight.grad = torch.ones_like(model.conv.weight)
    model.conv.register_forward_hook(lambda *_: None)
    tensors, rest = state(model)
    original_call, original_init = nn.Module.__call__, nn.Module.__init__
    rng, python_rng = torch.get_rng_state(), random.getstate()
    walker = Walker(model, lambda: ((torch.rand(2, 3, 8, 8),), {}))
    for mode in (Mode.TRAIN, Mode.EVAL, Mode.TRAIN):
        assert walker.walk(mode).raised is None
    after_tensors, after = state(model)
    assert after == rest
    assert {
        name
        for name, before in tensors.items()
        if not torch.equal(before, after_tensors[name])
    } == set()
    assert torch.equal(torch.get_rng_state(), rng)
    assert random.getstate() == python_rng
    assert (nn.Module.__call__, nn.Module.__init__) == (original_call, original_init)
    assert model.conv.weight.grad is not None


def test_a_small_model_does_not_pay_for_fake_tensors() -> None:
    source = (
        "import sys; sys.argv = ['x']\n"
        "from tests.conftest import check_target\n"
        "check_target('fixtures/small_cnn.py:SmallCNN', '1,3,32,32')\n"
        "print([name for name in ('sympy', 'torch._dynamo') if name in sys.modules])"
    )
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == "[]"


def test_commands_without_a_model_do_without_torch() -> None:
    import subprocess

    for words in (
        ["--help"],
        ["rule", "--all"],
        ["--version"],
        ["check", "gone.py:Net"],
        ["check", "--help"],
    ):
        source = (
            f"import sys; sys.argv = ['shapelint', *{words!r}]\n"
            "from shapelint.cli import main\n"
            "try: main()\nexcept SystemExit: pass\n"
            "assert 'torch' not in sys.modules and 'tabulate' not in sys.modules"
        )
        subprocess.run(
            [sys.executable, "-c", source],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )


def test_the_parent_of_a_check_never_imports_torch() -> None:
    import subprocess

    source = (
        "import sys; sys.argv = ['shapelint', 'check', 'fixtures/small_cnn.py', '--input', '1,3,32,32']\n"
        "from shapelint.cli import main\n"
        "try: main()\nexcept SystemExit as done: print('code', done.code)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.endswith("1 error\n1 fixable with `--fix`\ncode 1\nFalse\n")


def test_lack_of_memory_is_a_gap_not_a_crash(write: Lint, tmp_path: Any) -> None:
    write(
        HEAD
        + "    def forward(self, x):\n        hoard = bytearray(2**40)\n        return x\n"
    )
    done = run_shapelint(
        "check", "net.py:Net", "--input", "1,8", "--timeout", "60", cwd=tmp_path
    )
    assert done.code == 1
    assert (
        "warning[SHP903]: the walk ended here, out of memory: MemoryError" in done.out
    )
    assert "Traceback" not in done.out + done.err


def test_the_same_model_gives_the_same_answer_each_time(lint: Lint) -> None:
    source = HEAD + (
        "    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(8, 1)\n"
        "    def forward(self, x):\n        n = int(self.fc(x).abs().sum().item() * 1000)\n        return x.new_zeros(n)\n"
    )
    before = torch.get_rng_state()
    assert len({lint(source, "2,8").output for _ in range(4)}) == 1
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_of_a_checked_model_stays_in_memory(lint: Lint) -> None:
    """Autograd's graph is held from C++, where no collector looks: each model that was
    tried would stay."""
    lint(
        "import torch\nfrom torch import nn\n\n\nclass Kept(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(8, 5)\n        self.out = nn.Linear(6, 2)\n\n    def forward(self, x):\n"
        "        return self.out(torch.sigmoid(self.fc(x)))\n",
        "2,8",
        target="Kept",
    )
    gc.collect()
    assert [item for item in gc.get_objects() if type(item).__name__ == "Kept"] == []


@pytest.mark.parametrize(
    ("layer", "inputs", "output"),
    [
        ("nn.AdaptiveAvgPool2d(60_000)", "1,1,4,4", "f32[1,1,60000,60000]"),
        ("nn.Upsample(scale_factor=20_000)", "1,1,4,4", "f32[1,1,80000,80000]"),
        ("nn.ReflectionPad1d(9)", "1,1000,10", "f32[1,1000,28]"),
    ],
)
def test_layers_that_make_maps_too_large_for_memory_are_walked(
    layer: str, inputs: str, output: str, lint: Callable[..., Any]
) -> None:
    source = (
        f"from torch import nn\n\n\ndef net():\n    return nn.Sequential({layer})\n"
    )
    assert str(lint(source, inputs, target="net").output) == output
