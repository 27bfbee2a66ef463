"""The right line and column: helper functions, loops, partials, other files,
libraries."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

Write = Callable[..., Any]

needs_columns = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="code objects hold columns from 3.11 on"
)

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nfrom functools import partial\n"


def marked(report: Any, write: Write, index: int = 0) -> str:
    span = report.diagnostics[index].span
    with open(span.file) as file:
        line = file.read().splitlines()[span.line - 1]
    text: str = line[span.column - 1 : span.end_column - 1]
    return text


NETS = {
    "nested Sequential": (
        "nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(9, 4))))",
        "9",
    ),
    "keyword": ("nn.Linear(out_features=4, in_features=9)", "9"),
    "comprehension": ("nn.Sequential(*[nn.Linear(n, 4) for n in (9,)])", "n"),
    "partial": (
        "partial(nn.Linear, out_features=4)(9)",
        "partial(nn.Linear, out_features=4)(9)",
    ),
    "lambda": ("(lambda n: nn.Linear(n, 4))(9)", "n"),
    "star": ("nn.Linear(*(9, 4))", "nn.Linear(*(9, 4))"),
    "helper": ("helper(9)", "9"),
    "subclass": ("Own(9, 4)", "9"),
    "subclass with its own constructor": ("Other(4, 9)", "Other(4, 9)"),
    "loop": ("[nn.Linear(n, 4) for n in (8, 9)][-1]", "n"),
    "getattr": ("getattr(nn, 'Linear')(9, 4)", "getattr(nn, 'Linear')(9, 4)"),
}


@needs_columns
@pytest.mark.parametrize("what", NETS)
def test_span_is_the_users_own_expression(
    what: str, lint: Callable[..., Any], write: Write
) -> None:
    made, expected = NETS[what]
    source = (
        f"{HEAD}def helper(n):\n    return nn.Linear(n + 0, 4)\nclass Own(nn.Linear):\n    pass\n"
        "class Other(nn.Linear):\n    def __init__(self, a, b):\n        super().__init__(b, a)\n"
        f"class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = {made}\n"
        "    def forward(self, x):\n        return self.fc(x)\n"
    )
    report = lint(source, "2,8")
    assert [d.code for d in report.diagnostics] == ["SHP101"]
    assert marked(report, write) == expected


@needs_columns
def test_helper_in_another_file_and_the_call_that_handed_the_number_in(
    write: Write,
) -> None:
    from tests.conftest import check_target

    write(
        "from torch import nn\ndef block(cin, cout):\n    return nn.Sequential(nn.Conv2d(cin, cout, 3), nn.ReLU())\n",
        "blocks.py",
    )
    write(
        HEAD
        + "from blocks import block\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a = block(3, 8)\n        self.b = block(16, 4)\n    def forward(self, x):\n        return self.b(self.a(x))\n"
    )
    (finding,) = check_target("net.py:Net", "1,3,16,16").diagnostics
    assert finding.code == "SHP102"
    assert (finding.span.file.endswith("net.py"), finding.span.line) == (True, 10)
    first = finding.related[0].span
    assert (first.file.rpartition("/")[2], first.line) == ("blocks.py", 3)
    assert [fix.title for fix in finding.fixes] == ["`block(8, 4)`", "`block(3, 16)`"]


@needs_columns
def test_parameter_of_a_block_class(lint: Callable[..., Any]) -> None:
    source = (
        f"{HEAD}class Block(nn.Module):\n    def __init__(self, cin, cout):\n        super().__init__()\n"
        "        self.conv = nn.Conv2d(cin, cout, 3, padding=1)\n        self.norm = nn.BatchNorm2d(cout)\n"
        "    def forward(self, x):\n        return self.norm(self.conv(x))\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.one = Block(3, 8)\n        self.two = Block(cin=12, cout=4)\n"
        "    def forward(self, x):\n        return self.two(self.one(x))\n"
    )
    (finding,) = lint(source, "2,3,8,8").diagnostics
    assert "`Block(cin=8, cout=4)`" in [fix.title for fix in finding.fixes]


def test_functional_call_on_an_own_parameter(lint: Callable[..., Any]) -> None:
    source = (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.rand(4, 9))\n    def forward(self, x):\n        return F.linear(x, self.w)\n"
    )
    (finding,) = lint(source, "2,8").diagnostics
    assert (finding.code, finding.span.line, finding.related[0].span.line) == (
        "SHP101",
        8,
        10,
    )
    assert [fix.title for fix in finding.fixes] == ["`torch.rand(4, 8)`"]


def test_functional_call_on_a_layers_weight_points_at_the_layer(
    lint: Callable[..., Any],
) -> None:
    source = (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(9, 4)\n    def forward(self, x):\n        return F.linear(x, self.fc.weight)\n"
    )
    (finding,) = lint(source, "2,8").diagnostics
    assert (finding.span.line, finding.called_at.line) == (8, 10)


def test_a_library_model_is_reported_by_its_own_file(
    write: Write, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import check_target

    package = tmp_path / "site-packages" / "zoo_of_nets"
    write("", "site-packages/zoo_of_nets/__init__.py")
    write(
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(9, 4)\n    def forward(self, x):\n        return self.fc(x)\n",
        "site-packages/zoo_of_nets/nets.py",
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    (finding,) = check_target("zoo_of_nets.nets:Net", "2,8").diagnostics
    assert finding.span.file == str(package / "nets.py")
    write(
        "from zoo_of_nets.nets import Net as Theirs\ndef mine():\n    return Theirs()\n",
        "mine.py",
    )
    (finding,) = check_target("mine.py:mine", "2,8").diagnostics
    assert (finding.span.file.rpartition("/")[2], finding.span.line) == ("mine.py", 3)


def test_users_own_handling_of_an_error_is_respected(lint: Callable[..., Any]) -> None:
    source = (
        f"{HEAD}from contextlib import suppress\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a, self.b = nn.Linear(9, 4), nn.Linear(8, 4)\n    def forward(self, x):\n"
        "        with suppress(RuntimeError):\n            return self.a(x)\n"
        "        try:\n            y = self.a(x)\n        except RuntimeError:\n            y = self.b(x)\n        return y\n"
    )
    report = lint(source, "2,8")
    assert report.diagnostics == []
    assert str(report.output) == "f32[2,4]"


def test_without_columns_the_line_is_marked_and_fixes_still_hold(
    lint: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Python 3.10, whose code objects know lines only."""
    from dataclasses import replace

    from shapelint.tracing import frames as source

    original = source._site
    monkeypatch.setattr(
        source,
        "_site",
        lambda *words: replace(
            original(*words), column=None, end_line=None, end_column=None
        ),
    )
    text = (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(9, 4)\n    def forward(self, x):\n        return self.fc(x) + self.fc(x)\n"
    )
    (finding,) = lint(text, "2,8").diagnostics
    assert (finding.span.line, finding.called_at.line) == (8, 10)
    assert [fix.title for fix in finding.fixes] == ["`nn.Linear(8, 4)`"]


def test_an_exception_of_a_library_is_placed_in_its_file(
    write: Write, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import check_target

    write("", "site-packages/picky_nets/__init__.py")
    write(
        "from torch import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        raise ValueError('too wide')\n",
        "site-packages/picky_nets/nets.py",
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    write(
        "from picky_nets.nets import Net as Theirs\ndef mine():\n    return Theirs()\n",
        "mine.py",
    )
    (finding,) = check_target("mine.py:mine", "2,8").diagnostics
    assert (finding.code, finding.span.line) == ("SHP119", 4)
    assert finding.span.file.endswith("picky_nets/nets.py")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_and_line_ends(encoding: str, newline: str, write: Write) -> None:
    from tests.conftest import check_target

    file = write("", "net.py")
    cookie = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else "#\n"
    source = (
        f"{cookie}from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.ä, self.fc = 'ö', nn.Linear(9, 2)\n    def forward(self, x):\n        return self.fc(x)\n"
    )
    file.write_bytes(source.replace("\n", newline).encode(encoding))
    (finding,) = check_target("net.py:Net", "2,8").diagnostics
    assert (finding.span.line, finding.span.column) == (
        6,
        source.splitlines()[5].index("9") + 1,
    )
    assert [fix.title for fix in finding.fixes] == ["`nn.Linear(8, 2)`"]


@needs_columns
def test_layers_of_one_line_are_one_finding_with_a_fix_for_all(
    lint: Callable[..., Any],
) -> None:
    source = (
        f"{HEAD}def block(i, o):\n    return nn.Conv2d(i, o, 3, padding=1)\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layers = nn.ModuleList([block(c, c * 4) for c in (4, 8, 16)])\n        self.other = block(7, 4)\n"
        "    def forward(self, x):\n        for layer in self.layers:\n            x = torch.cat([x, x], 1)\n"
        "            x = layer(x)[:, : x.shape[1]]\n        return self.other(x)\n"
    )
    loop, other = lint(source, "1,4,8,8").diagnostics
    assert loop.notes[0] == "the same here: layers.1, layers.2"
    assert [fix.title for fix in loop.fixes] == ["`block(c * 2, c * 4)`"]
    assert source.splitlines()[loop.span.line - 1][loop.span.column - 1 :].startswith(
        "c, c * 4"
    )
    assert (other.layer, [fix.title for fix in other.fixes]) == (
        "other",
        ["`block(32, 4)`"],
    )
