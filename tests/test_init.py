"""`shapelint init`: which models it finds, with which inputs they run, and what it
writes where."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shapelint.asked.config import load_config
from shapelint.reading.model_classes import find_models
from shapelint.sources.file_search import find_files
from tests.conftest import FIXTURES, Result, run_shapelint

Write = Callable[..., Path]

NET = """
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, width=8):
            super().__init__()
            self.conv = nn.Conv2d(width, width, 3, padding=1)

        def forward(self, x):
            return self.conv(x).relu()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3, padding=1)
            self.body = nn.Sequential(Block(), nn.AdaptiveAvgPool2d(4))
            self.head = nn.Linear(8 * 4 * 4, 10)

        def forward(self, x):
            return self.head(self.body(self.stem(x)).flatten(1))
"""
TABLE = """[[tool.shapelint.targets]]
target = "net.py:Net"
inputs = ["1,3,224,224"]
"""


def init(folder: Path, *words: str) -> Result:
    return run_shapelint("init", *words, cwd=folder)


def test_it_shows_what_it_would_write_and_writes_nothing_unasked(
    write: Write, tmp_path: Path
) -> None:
    write(NET)
    write("[project]\nname = 'x'\n", "pyproject.toml")
    done = init(tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "net.py:Net  runs with 1,3,224,224, gives f32[1,10]\n\n"
        f"to be added to pyproject.toml:\n\n{TABLE}\n"
        "not written; `shapelint init --yes` writes it\n"
    )
    assert (tmp_path / "pyproject.toml").read_text() == "[project]\nname = 'x'\n"


def test_what_it_writes_is_what_check_then_checks(write: Write, tmp_path: Path) -> None:
    write(NET)
    before = "[project]\nname = 'x'\n\n[tool.shapelint]\nselect = ['SHP1']  # mine\n"
    write(before, "pyproject.toml")
    assert init(tmp_path, "--yes").code == 0
    text = (tmp_path / "pyproject.toml").read_text()
    assert text == f"{before}\n{TABLE}"
    done = run_shapelint("check", cwd=tmp_path)
    assert done.code == 0
    assert "# net.py:Net" in done.out
    (tmp_path / "net.py").write_text(
        (tmp_path / "net.py").read_text().replace("8 * 4 * 4", "8 * 7 * 7")
    )
    assert "SHP101" in run_shapelint("check", cwd=tmp_path).out
    again = init(tmp_path, "--yes")
    assert (
        again.out == "net.py:Net  is there already\nnothing to add to pyproject.toml\n"
    )
    assert (tmp_path / "pyproject.toml").read_text() == text


def test_without_a_pyproject_it_is_a_shapelint_toml_and_paths_are_from_its_folder(
    write: Write, tmp_path: Path
) -> None:
    write(NET, "models/net.py")
    write("", ".git/HEAD")
    assert init(tmp_path, "models", "-y").code == 0
    assert (tmp_path / "shapelint.toml").read_text() == (
        '[[targets]]\ntarget = "models/net.py:Net"\ninputs = ["1,3,224,224"]\n'
    )
    below = init(tmp_path / "models")
    assert below.out.splitlines()[0] == "net.py:Net  is there already"


def test_line_endings_of_the_file_stay(write: Write, tmp_path: Path) -> None:
    write(NET)
    (tmp_path / "pyproject.toml").write_bytes(b"[project]\r\nname = 'x'")
    assert init(tmp_path, "--yes").code == 0
    text = (tmp_path / "pyproject.toml").read_bytes()
    assert text.startswith(
        b"[project]\r\nname = 'x'\r\n\r\n[[tool.shapelint.targets]]\r\ntarget"
    )
    assert text.count(b"\n") == text.count(b"\r\n")
    assert (
        load_config(given=str(tmp_path / "pyproject.toml")).targets[0].target
        == "net.py:Net"
    )


def test_where_tables_cannot_be_added_nothing_is_written(
    write: Write, tmp_path: Path
) -> None:
    write(NET)
    text = "[tool.shapelint]\ntargets = [{target = 'other.py:Other'}]\n"
    write(text, "pyproject.toml")
    done = init(tmp_path, "--yes")
    assert done.code == 2
    assert done.err.startswith(
        "error: cannot add to `pyproject.toml`; edit it by hand: cannot read"
    )
    assert TABLE in done.out
    assert (tmp_path / "pyproject.toml").read_text() == text


@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own")
@pytest.mark.parametrize(
    ("answer", "is_written"), [("y", True), ("n", False), ("", False)]
)
def test_at_a_terminal_it_asks(
    write: Write, tmp_path: Path, answer: str, is_written: bool
) -> None:
    import pty
    import subprocess
    import sys

    write(NET)
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    done = subprocess.run(
        [sys.executable, "-m", "shapelint", "init"],
        cwd=tmp_path, stdin=theirs, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(FIXTURES.parent)},
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    assert "write it into shapelint.toml? [y/N]" in done.stdout
    assert (tmp_path / "shapelint.toml").exists() == is_written


def test_what_cannot_be_tried_is_said_and_does_not_stop_the_others(
    write: Write, tmp_path: Path
) -> None:
    write(NET)
    write(
        "from torch import nn\nimport nowhere\n\nclass A(nn.Module):\n    def forward(self, x): return x\n",
        "a.py",
    )
    write(
        "from torch import nn\n\nclass B(nn.Module):\n    def __init__(self, width, *, depth): pass\n"
        "    def forward(self, x): return x\n\n"
        "class C(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a, self.b = nn.Linear(4, 5), nn.Linear(6, 7)\n\n"
        "    def forward(self, x): return self.b(self.a(x))\n\n"
        "class Empty(nn.ModuleList):\n    def forward(self, x): return sum(each(x) for each in self)\n",
        "b.py",
    )
    write("class Not Python\n", "broken.py")
    done = init(tmp_path)
    assert done.code == 0
    assert done.out.splitlines()[:5] == [
        "a.py:A      not tried: importing `a.py` raised ModuleNotFoundError: No module named 'nowhere'",
        "b.py:B      needs arguments: write `b.py:B(width=..., depth=...)`",
        "b.py:C      no input found that it runs with; `shapelint check b.py:C --input 1,4` says why",
        "b.py:Empty  no input found that it runs with; `shapelint check b.py:Empty --input 1,3,224,224` says why",
        "net.py:Net  runs with 1,3,224,224, gives f32[1,10]",
    ]


def test_arguments_are_those_that_the_project_itself_writes_out(
    write: Write, tmp_path: Path
) -> None:
    write(
        NET.replace(
            "def __init__(self):\n            super().__init__()\n            self.stem",
            "def __init__(self, classes, *, width):\n            super().__init__()\n            self.stem",
        ).replace("10)", "classes)")
    )
    write(
        "import models\nfrom net import Net\n\nn = 3\nfirst = Net(n, width=4)\nmodel = Net(7, width=4)\n",
        "train.py",
    )
    done = init(tmp_path, "--yes")
    assert (
        done.out.splitlines()[0]
        == "net.py:Net(7, width=4)  runs with 1,3,224,224, gives f32[1,7]"
    )
    assert (
        load_config(given=str(tmp_path / "shapelint.toml")).targets[0].target
        == "net.py:Net(7, width=4)"
    )
    assert init(tmp_path).out.startswith("net.py:Net(7, width=4)  is there already")


@pytest.mark.parametrize(
    ("work", "line"),
    [
        (
            "net = Net()\nfor _ in range(3):\n    net(torch.rand(1, 3, 8, 8)).sum().backward()\n",
            24,
        ),
        ("def main(): raise SystemExit\n\n\nmain()\n", 26),
        ("import trainer\ntrainer.fit(Net())\n", 24),
        (
            "if __name__ == '__main__':\n    Net()(torch.rand(1, 3, 8, 8)).sum().backward()\n",
            None,
        ),
        ("def train():\n    Net()(torch.rand(1, 3, 8, 8)).sum().backward()\n", None),
    ],
)
def test_a_file_that_would_train_is_not_imported(
    write: Write, work: str, line: int | None
) -> None:
    file = write(NET)
    file.write_text(f"{file.read_text()}\n{work}")
    (model,) = find_models(["net.py"])
    assert model.trains == line


def test_it_says_so_of_a_file_that_would_train(write: Write, tmp_path: Path) -> None:
    file = write(NET)
    file.write_text(f"{file.read_text()}\nprint('imported')\nNet()(1).backward()\n")
    done = init(tmp_path)
    assert done.code == 0
    assert done.out.splitlines()[0] == (
        'net.py:Net  not tried: line 24 trains when the file is imported; `if __name__ == "__main__":`?'
    )


def test_without_models_it_says_so(tmp_path: Path) -> None:
    done = init(tmp_path)
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == "error: no model class (nn.Module with a forward) in this folder\n"
    )
    assert init(tmp_path, "gone").err == "error: no such file or folder: `gone`\n"


def test_parts_tests_and_private_classes_are_no_models(
    write: Write, tmp_path: Path
) -> None:
    write(NET)
    write(NET.replace("Net", "InTests"), "tests/test_net.py")
    write(NET.replace("Net", "_Hidden").replace("Block", "_Part"), "hidden.py")
    write(
        "import lightning as L\nfrom net import Net, Block\n\nclass Lit(L.LightningModule):\n"
        "    def forward(self, x): return x\n\n"
        "class Bigger(Net):\n    pass\n",
        "lit.py",
    )
    found = [(model.file, model.name) for model in find_models(find_files("."))]
    assert found == [("lit.py", "Lit"), ("lit.py", "Bigger"), ("net.py", "Net")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("small_cnn.py:SmallCNN", ["1,3,64,64"]),
        ("lenet.py:LeNet", ["1,1,28,28"]),
        ("gpt.py:GPT", ["1,16:int64"]),
        (
            "mlp.py:MLP",
            ["2,784"],
            # its batch norm needs two, and `view(-1, 784)` would take more into the batch
        ),
        ("vae.py:VAE", ["1,784"]),
        ("siamese.py:Siamese", ["1,1,28,28", "1,1,28,28"]),
        (
            "two_inputs.py:ImageAndMeta",
            None,
        ),  # that `meta` has five numbers shows only in a sum
        ("dcgan.py:GAN", ["1,64,1,1"]),
        ("lstm_classifier.py:LSTMClassifier", []),  # it has a comment
        ("three_errors.py:ThreeErrors", None),
    ],
)
def test_inputs_are_such_that_eager_runs_with_them(
    name: str, expected: list[str] | None
) -> None:
    from shapelint.asked.request import Propose
    from shapelint.checking.propose import propose
    from tests.eager import raises

    report = propose(Propose(f"{FIXTURES / name}"), lambda step: None)
    if expected is None:
        assert report.status == "partial"
        file, _, model = name.partition(":")
        assert (
            raises((FIXTURES / file).read_text(), tuple(report.proposed), model) != ""
        )
        return
    assert (report.status, report.proposed) == ("checked", expected)
    if expected:
        file, _, model = name.partition(":")
        assert raises((FIXTURES / file).read_text(), tuple(expected), model) == ""
