"""Cause, not symptom: what people really write, where the finding points, and that its
first fix runs in eager."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import eager
from tests.conftest import codes, errors

Lint = Callable[..., Any]
HEAD = "import math\nimport torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"


@dataclass(frozen=True)
class Case:
    """A model with one mistake: what it must be called, the text its finding points at,
    its first fix."""

    source: str
    inputs: tuple[str, ...]
    code: str
    points_at: str
    first: str


def module(init: str, forward: str, signature: str = "x") -> str:
    lines = [f"        {line}\n" for line in init.splitlines()]
    body = [f"        {line}\n" for line in forward.splitlines()]
    return (
        f"class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{''.join(lines)}\n"
        f"    def forward(self, {signature}):\n{''.join(body)}"
    )


TABLE = """class Positions(nn.Module):
    def __init__(self, width, max_len=50):
        super().__init__()
        table = torch.zeros(max_len, width)
        self.register_buffer("table", table.unsqueeze(0))

    def forward(self, x):
        return x + self.table[:, : x.size(1)]


"""
RESIDUAL = """class Net(nn.Module):
    def __init__(self, cin=16, cout=32, stride=2):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, stride=stride, padding=1)
        self.norm = nn.BatchNorm2d(cout)
        self.short = nn.Conv2d(cin, cout, 1)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)) + self.short(x))
"""
VIEW = module(
    "self.conv = nn.Conv2d(3, 64, 3)\nself.fc = nn.Linear(64 * 8 * 8, 10)",
    "x = F.max_pool2d(F.relu(self.conv(x)), 2)\nx = x.view(-1, 64 * 8 * 8)\nreturn self.fc(x)",
)
CASES = {
    "view and layer": Case(
        VIEW,
        ("1,3,16,16",),
        "SHP107",
        "x.view(-1, 64 * 8 * 8)",
        "`x.view(-1, 64 * 7 * 7)` and `nn.Linear(64 * 7 * 7, 10)`",
    ),
    "shortcut without a stride": Case(
        RESIDUAL,
        ("2,16,8,8",),
        "SHP104",
        "nn.Conv2d(cin, cout, 1)",
        "`nn.Conv2d(..., stride=stride)`",
    ),
    "table of positions": Case(
        TABLE
        + module(
            "self.pos = Positions(16)\nself.fc = nn.Linear(16, 2)",
            "return self.fc(self.pos(x))",
        ),
        ("2,80,16",),
        "SHP109",
        "50",
        "`max_len=80`",
    ),
    "channels after an embedding": Case(
        module(
            "self.emb = nn.Embedding(100, 32)\nself.conv = nn.Conv1d(32, 64, 3)",
            "return self.conv(self.emb(x))",
        ),
        ("2,20:int64",),
        "SHP102",
        "self.emb(x)",
        "`self.emb(x).transpose(1, 2)`",
    ),
    "both directions": Case(
        module(
            "self.rnn = nn.LSTM(40, 128, bidirectional=True, batch_first=True)\nself.fc = nn.Linear(128, 10)",
            "return self.fc(self.rnn(x)[0][:, -1])",
        ),
        ("2,12,40",),
        "SHP101",
        "128",
        "`nn.Linear(256, 10)`",
    ),
    "time comes first": Case(
        module(
            "self.rnn = nn.GRU(40, 64, 2)",
            "return self.rnn(x, torch.zeros(2, x.size(0), 64, device=x.device))[0]",
        ),
        ("4,12,40",),
        "SHP108",
        "nn.GRU(40, 64, 2)",
        "`nn.GRU(..., batch_first=True)`",
    ),
    "U-Net at an odd size": Case(
        module(
            "self.down = nn.Conv2d(4, 8, 3, padding=1)\nself.up = nn.ConvTranspose2d(8, 4, 2, stride=2)",
            "y = self.down(F.max_pool2d(x, 2))\nu = self.up(y)\nreturn torch.cat([u, x], 1)",
        ),
        ("1,4,33,33",),
        "SHP105",
        "torch.cat([u, x], 1)",
        "`--input 1,4,34,34`, as multiples of 2 work: 32, 34",
    ),
    "target with a channel": Case(
        module(
            "self.net = nn.Conv2d(3, 5, 1)\nself.loss = nn.CrossEntropyLoss()",
            "return self.loss(self.net(x), y)",
            "x, y",
        ),
        ("2,3,8,8", "2,1,8,8:int64"),
        "SHP116",
        "self.loss(self.net(x), y)",
        "`y.squeeze(1)`",
    ),
    "heads": Case(
        module(
            "self.att = nn.MultiheadAttention(96, 5, batch_first=True)",
            "return self.att(x, x, x)[0]",
        ),
        ("2,10,96",),
        "SHP109",
        "5",
        "`nn.MultiheadAttention(96, 4, batch_first=True)`",
    ),
    "flatten forgotten": Case(
        module(
            "self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(144, 2))",
            "return self.net(x)",
        ),
        ("1,3,8,8",),
        "SHP101",
        "144",
        "`nn.Flatten()` before `nn.Linear(144, 2)`",
    ),
    "mask of floats": Case(
        module(
            "self.fc = nn.Linear(4, 4)",
            "return torch.where(mask, self.fc(x), x)",
            "x, mask",
        ),
        ("2,4", "2,4"),
        "SHP114",
        "torch.where(mask, self.fc(x), x)",
        "`mask.bool()`",
    ),
    "floats looked up": Case(
        module("self.emb = nn.Embedding(10, 4)", "return self.emb(x.round())"),
        ("2,3",),
        "SHP110",
        "x.round()",
        "`x.round().long()`",
    ),
    "its own assertion": Case(
        "class Net(nn.Module):\n    def __init__(self, context=64):\n        super().__init__()\n"
        "        self.context = context\n        self.emb = nn.Embedding(100, 8)\n\n    def forward(self, ids):\n"
        "        if ids.shape[1] > self.context:\n            raise ValueError('too long')\n        return self.emb(ids)\n",
        ("1,99:int64",),
        "SHP119",
        "raise ValueError('too long')",
        "`--input 1,64:int64`, the size it fits",
    ),
    "pixel shuffle": Case(
        module(
            "self.conv = nn.Conv2d(3, 10, 3)\nself.up = nn.PixelShuffle(2)",
            "return self.up(self.conv(x))",
        ),
        ("1,3,8,8",),
        "SHP107",
        "10",
        "`nn.Conv2d(3, 8, 3)`",
    ),
}
CASES |= {
    "split": Case(
        module(
            "self.fc = nn.Linear(16, 30)",
            "q, k, v = self.fc(x).split([12, 12, 12], dim=-1)\nreturn q * k + v",
        ),
        ("2,16",),
        "SHP107",
        "30",
        "`nn.Linear(16, 36)`",
    ),
    "einsum with a weight of its own": Case(
        module(
            "self.w = nn.Parameter(torch.rand(16, 8))",
            "return torch.einsum('bnd,de->bne', x, self.w)",
        ),
        ("2,5,12",),
        "SHP106",
        "16",
        "`torch.rand(12, 8)`",
    ),
    "sizes left out of expand": Case(
        module(
            "self.cls = nn.Parameter(torch.zeros(1, 1, 32))",
            "return torch.cat([self.cls.expand(x.shape[0], -1), x], 1)",
        ),
        ("2,5,32",),
        "SHP107",
        "self.cls.expand(x.shape[0], -1)",
        "`self.cls.expand(x.shape[0], -1, -1)`",
    ),
    "LayerNorm after a convolution": Case(
        module(
            "self.conv = nn.Conv2d(3, 16, 3)\nself.norm = nn.LayerNorm(16)",
            "return self.norm(self.conv(x))",
        ),
        ("1,3,8,8",),
        "SHP103",
        "self.norm(self.conv(x))",
        "`self.norm(self.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)`",
    ),
    "mask larger than the sequence": Case(
        module(
            "self.register_buffer('mask', torch.tril(torch.ones(16, 16)))",
            "a = x @ x.transpose(-2, -1)\nreturn a.masked_fill(self.mask == 0, -1e9).softmax(-1) @ x",
        ),
        ("2,12,32",),
        "SHP104",
        "a.masked_fill(self.mask == 0, -1e9)",
        "`(self.mask == 0)[..., : a.size(-2), : a.size(-1)]`",
    ),
    "mask smaller than the sequence": Case(
        module(
            "self.register_buffer('mask', torch.tril(torch.ones(16, 16)))",
            "a = x @ x.transpose(-2, -1)\nreturn a.masked_fill(self.mask == 0, -1e9).softmax(-1) @ x",
        ),
        ("2,20,32",),
        "SHP104",
        "16",
        "`torch.ones(20, 20)`",
    ),
    "view of what was permuted": Case(
        module(
            "self.fc = nn.Linear(48, 2)",
            "return self.fc(x.permute(0, 2, 3, 1).view(x.size(0), -1))",
        ),
        ("2,3,4,4",),
        "SHP107",
        "x.permute(0, 2, 3, 1).view(x.size(0), -1)",
        "`.reshape(...)` instead of `.view(...)`",
    ),
    "too small an image": Case(
        module(
            "self.net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(4), nn.Conv2d(8, 8, 3), nn.MaxPool2d(4))",
            "return self.net(x)",
        ),
        ("1,3,16,16",),
        "SHP111",
        "nn.MaxPool2d(4)",
        "`--input 1,3,28,28`, 26 or more",
    ),
}
CASES |= {
    "heads of its own": Case(
        "class Net(nn.Module):\n    def __init__(self, width=32, heads=5):\n        super().__init__()\n"
        "        self.heads = heads\n        self.q = nn.Linear(width, width)\n\n    def forward(self, x):\n"
        "        b, t, c = x.shape\n        return self.q(x).view(b, t, self.heads, c // self.heads).transpose(1, 2)\n",
        ("2,7,32",),
        "SHP107",
        "5",
        "`heads=4`",
    ),
    "floats as classes": Case(
        module(
            "self.fc = nn.Linear(8, 5)", "return F.cross_entropy(self.fc(x), y)", "x, y"
        ),
        ("2,8", "2"),
        "SHP116",
        "F.cross_entropy(self.fc(x), y)",
        "`y.long()`",
    ),
    "more padding than image": Case(
        module(
            "self.net = nn.Sequential(nn.ReflectionPad2d(8), nn.Conv2d(3, 4, 3))",
            "return self.net(x)",
        ),
        ("1,3,4,4",),
        "SHP119",
        "nn.ReflectionPad2d(8)",
        "`--input 1,3,9,9`, 9 or more",
    ),
}
BLOCK = """class Block(nn.Module):
    def __init__(self, wide_in, wide_out):
        super().__init__()
        make = nn.Conv2d
        self.conv = make(wide_in, wide_out, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv(x))


"""
CASES |= {
    "a layer of another rank": Case(
        module(
            "self.net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool1d(2), nn.Conv2d(8, 4, 3))",
            "return self.net(x)",
        ),
        ("2,3,16,16",),
        "SHP113",
        "nn.MaxPool1d(2)",
        "`nn.MaxPool2d`",
    ),
    "made under another name": Case(
        BLOCK
        + module(
            "self.a = Block(3, 30)\nself.b = Block(32, 16)", "return self.b(self.a(x))"
        ),
        ("2,3,8,8",),
        "SHP102",
        "32",
        "`Block(30, 16)`",
    ),
    "a layer that was copied": Case(
        module(
            "layer = nn.TransformerEncoderLayer(48, 4, 64, batch_first=True)\n"
            "self.emb = nn.Embedding(50, 32)\nself.enc = nn.TransformerEncoder(layer, 2)\nself.fc = nn.Linear(32, 4)",
            "return self.fc(self.enc(self.emb(x)))",
        ),
        ("2,7:int64",),
        "SHP109",
        "nn.TransformerEncoderLayer(48, 4, 64, batch_first=True)",
        "`nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)`",
    ),
    "a flatten that begins elsewhere": Case(
        module(
            "self.conv = nn.Conv2d(3, 4, 3)\nself.fc = nn.Linear(4 * 6 * 6, 2)",
            "return self.fc(torch.flatten(self.conv(x), 2))",
        ),
        ("2,3,8,8",),
        "SHP101",
        "2",
        "`torch.flatten(self.conv(x), 1)`",
    ),
    "a method called below where it begins": Case(
        module(
            "self.fc = nn.Linear(24, 2)",
            "y = torch.stack(\n    (x.sin(),\n     x.cos()), dim=2).flatten(2)\nreturn self.fc(y)",
        ),
        ("2,4,3",),
        "SHP101",
        "2",
        "`torch.stack( (x.sin(), x.cos()), dim=2).flatten(1)`",
    ),
    "turned by no turn": Case(
        module(
            "self.emb = nn.Embedding(50, 16)\nself.conv = nn.Conv1d(16, 8, 3)",
            "return self.conv(self.emb(x).transpose(2, -1))",
        ),
        ("2,7:int64",),
        "SHP102",
        "2",
        "`self.emb(x).transpose(1, -1)`",
    ),
    "joined along the batch": Case(
        module(
            "self.fc = nn.Linear(16, 2)", "return self.fc(torch.cat([x, x * 2], dim=0))"
        ),
        ("2,8",),
        "SHP101",
        "0",
        "`torch.cat([x, x * 2], dim=1)`",
    ),
}
INPUTS = {
    "grey for colour": (
        "3,3,3",
        ("1,1,16,16",),
        "SHP102",
        "`--input 1,3,16,16`, 3 channels",
    ),
    "no batch": (
        "3,3,3",
        ("3,16,16",),
        "SHP101",
        "`--input 1,3,16,16`, a batch dimension in front",
    ),
    "channels last": (
        "3,3,3",
        ("1,16,16,3",),
        "SHP112",
        "`--input 1,3,16,16`, channels first",
    ),
    "channels last, no batch": (
        "3,3,3",
        ("16,16,3",),
        "SHP112",
        "`--input 1,3,16,16`, a batch, then channels first",
    ),
}
CNN = module(
    "self.conv = nn.Conv2d(3, 4, 3)\nself.fc = nn.Linear(4 * 7 * 7, 2)",
    "x = F.max_pool2d(F.relu(self.conv(x)), 2)\nreturn self.fc(torch.flatten(x, 1))",
)


@pytest.mark.parametrize("what", CASES)
def test_what_people_write(what: str, lint: Lint, tmp_path: Path) -> None:
    case = CASES[what]
    source = HEAD + case.source
    assert eager.raises(source, case.inputs)
    report = lint(source, *case.inputs)
    (finding,) = [item for item in report.diagnostics if item.severity.value == "error"]
    assert finding.code == case.code
    line = source.splitlines()[finding.span.line - 1]
    assert line[finding.span.column - 1 : finding.span.end_column - 1] == case.points_at
    fix = finding.fixes[0]
    assert fix.title == case.first
    if fix.edits:
        assert not eager.raises(eager.edited(tmp_path, fix), case.inputs)
    else:
        assert not eager.raises(source, tuple(fix.title.split("`")[1].split()[1::2]))


@pytest.mark.parametrize("what", INPUTS)
def test_a_wrong_input_is_one_finding_that_names_the_right_one(
    what: str, lint: Lint
) -> None:
    _, inputs, code, first = INPUTS[what]
    assert eager.raises(HEAD + CNN, inputs)
    (finding,) = [
        item
        for item in lint(HEAD + CNN, *inputs).diagnostics
        if item.severity.value == "error"
    ]
    assert (finding.code, finding.fixes[0].title) == (code, first)
    assert not eager.raises(HEAD + CNN, ("1,3,16,16",))


def test_two_bugs_are_two_findings_and_what_follows_is_none(lint: Lint) -> None:
    source = HEAD + module(
        "self.a = nn.Conv2d(3, 8, 3)\nself.n = nn.BatchNorm2d(16)\nself.b = nn.Conv2d(8, 8, 3)\n"
        "self.rnn = nn.GRU(9, 16, batch_first=True)\nself.fc = nn.Linear(16, 4)",
        "y = self.b(self.n(self.a(x)))\nout, _ = self.rnn(y.flatten(2).transpose(1, 2))\nreturn self.fc(out[:, -1])",
    )
    report = lint(source, "2,3,12,12")
    assert sorted(codes(report)) == ["SHP103", "SHP108"]
    assert str(report.output) == "f32[2,4]"


def test_an_assertion_about_shapes_does_not_hide_what_is_behind_it(lint: Lint) -> None:
    source = HEAD + module(
        "self.fc = nn.Linear(8, 4)\nself.out = nn.Linear(5, 2)",
        "y = self.fc(x)\nassert y.shape[1] == 6, 'six, please'\nreturn self.out(y)",
    )
    report = lint(source, "2,8")
    assert sorted(errors(report)) == ["SHP101", "SHP119"]
    assert report.status == "partial"


def test_a_constructor_that_refuses_does_not_hide_the_forward(lint: Lint) -> None:
    source = HEAD + module(
        "self.norm = nn.GroupNorm(5, 16)\nself.fc = nn.Linear(17, 2)",
        "return self.fc(self.norm(x).mean((2, 3)))",
    )
    report = lint(source, "2,16,4,4")
    assert sorted(errors(report)) == ["SHP101", "SHP103"]


def test_a_flatten_that_is_missing_and_another_mistake_are_two(lint: Lint) -> None:
    source = HEAD + module(
        "self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.Linear(4 * 8 * 8, 2))",
        "return self.net(x)",
    )
    report = lint(source, "1,3,16,16")
    assert errors(report) == ["SHP101", "SHP101"]
    labels = [
        finding.label
        for finding in report.diagnostics
        if finding.severity.value == "error"
    ]
    assert "a flatten is missing, and the number is another" in labels


def test_a_loss_that_would_only_be_broadcast_is_no_fix(lint: Lint) -> None:
    source = HEAD + module(
        "self.fc = nn.Linear(8, 3)", "return F.mse_loss(self.fc(x), y)", "x, y"
    )
    (finding,) = lint(source, "2,8", "2").diagnostics
    assert finding.code == "SHP116"
    assert "`nn.Linear(8, 2)`" not in [fix.title for fix in finding.fixes]


def test_two_bugs_on_one_line_both_with_their_place_and_a_fix_that_fits(
    lint: Lint, tmp_path: Path
) -> None:
    source = HEAD + module(
        "self.net = nn.Sequential(nn.Linear(8, 200), nn.Linear(20, 4), nn.Linear(5, 2))",
        "return self.net(x)",
    )
    report = lint(source, "3,8")
    found = [item for item in report.diagnostics if item.severity.value == "error"]
    line = source.splitlines()[found[0].span.line - 1]
    assert [
        line[item.span.column - 1 : item.span.end_column - 1] for item in found
    ] == ["20", "5"]
    edits = [item.fixes[0].edits for item in found]
    assert not eager.raises(
        eager.edited(tmp_path, *(item.fixes[0] for item in found)), ("3,8",)
    )
    assert all(edit.start.column > 1 for each in edits for edit in each)


def test_a_mistake_in_a_helper_is_one_finding_however_often_it_is_called(
    lint: Lint,
) -> None:
    helper = (
        "def block(cin, cout):\n    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.ReLU(inplace=True),\n"
        "        nn.ReLU(inplace=True), nn.Conv2d(cout, cout, 3, padding=1))\n\n\n"
    )
    source = (
        HEAD
        + helper
        + module(
            "self.a = block(3, 4)\nself.b = block(4, 4)", "return self.b(self.a(x))"
        )
    )
    assert eager.raises(source, ("1,3,8,8",), backward=True)
    (finding,) = [
        item
        for item in lint(source, "1,3,8,8").diagnostics
        if item.severity.value == "error"
    ]
    assert finding.code == "SHP117"
    assert "inplace=True" in source.splitlines()[finding.span.line - 1]


def test_a_constructor_that_takes_another_order_of_dimensions(
    lint: Lint, tmp_path: Path
) -> None:
    source = HEAD + module(
        "grid = torch.stack(torch.meshgrid(torch.arange(3), torch.arange(4), indexing='ij'))\n"
        "flat = torch.flatten(grid, 0)\nself.register_buffer('apart', flat[:, :, None] - flat[:, None, :])",
        "return x + self.apart.sum()",
    )
    (finding,) = lint(source, "2,3").diagnostics
    assert finding.code == "SHP902"
    assert finding.fixes[0].title == "`torch.flatten(grid, 1)`"
    assert not eager.raises(eager.edited(tmp_path, finding.fixes[0]), ("2,3",))


def test_what_rests_on_a_guess_is_not_a_second_finding(lint: Lint) -> None:
    source = HEAD + module(
        "self.fc = nn.Linear(7, 2)",
        "table = torch.tensor([[3, 1], [2, 5]])\nreturn self.fc(x.unfold(1, 9, 2) + x.sum())",
    )
    assert eager.raises(source, ("2,5",))
    assert len(errors(lint(source, "2,5"))) == 1


def test_a_window_larger_than_what_is_left_can_be_made_as_large(
    lint: Lint, tmp_path: Path
) -> None:
    source = HEAD + module(
        "self.net = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.AvgPool2d(9))",
        "return self.net(x)",
    )
    (finding,) = [
        item
        for item in lint(source, "2,3,16,16").diagnostics
        if item.severity.value == "error"
    ]
    (fix,) = [fix for fix in finding.fixes if fix.title == "`kernel_size=7`"]
    assert eager.raises(source, ("2,3,16,16",))
    assert not eager.raises(eager.edited(tmp_path, fix), ("2,3,16,16",))


BRANCHES = """class Inception(nn.Module):
    def __init__(self, cin, pool):
        super().__init__()
        self.one = nn.Conv2d(cin, 16, 1)
        self.three = nn.Conv2d(cin, 16, 3, padding=1)
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), nn.Conv2d(cin, pool, 1))

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.pool(x)], 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Inception(8, 8)
        self.b = Inception(40, 8)

    def forward(self, x):
        return self.b(self.a(x))
"""


def test_of_joined_branches_the_window_of_the_one_that_differs_is_named(
    lint: Lint,
) -> None:
    source = HEAD + BRANCHES
    assert eager.raises(source, ("1,8,16,16",))
    (finding,) = [
        item
        for item in lint(source, "1,8,16,16").diagnostics
        if item.severity.value == "error"
    ]
    assert finding.code == "SHP105"
    spans = [finding.span, *(each.span for each in finding.related)]
    assert any("MaxPool2d" in source.splitlines()[span.line - 1] for span in spans)


THRESHOLD = """class TLU(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.tau = nn.Parameter(-torch.ones(1, width, 1, 1))

    def forward(self, x):
        return torch.max(x, self.tau)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1)
        self.act = TLU(64)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.act(self.conv(x)).mean((2, 3)))
"""


def test_the_larger_of_two_tensors_broadcasts_and_does_not_hide_what_is_behind_it(
    lint: Lint,
) -> None:
    source = HEAD + THRESHOLD
    assert eager.raises(source, ("1,3,16,16",))
    assert eager.raises(source.replace("TLU(64)", "TLU(32)"), ("1,3,16,16",))
    found = [
        item
        for item in lint(source, "1,3,16,16").diagnostics
        if item.severity.value == "error"
    ]
    assert sorted(item.code for item in found) == ["SHP101", "SHP104"]
    assert any("TLU(32)" in fix.title for item in found for fix in item.fixes)


def test_after_an_input_without_its_dimensions_nothing_else_is_told(lint: Lint) -> None:
    source = HEAD + CNN
    assert eager.raises(source, ("3,32",))
    assert errors(lint(source, "3,32")) == ["SHP113"]
