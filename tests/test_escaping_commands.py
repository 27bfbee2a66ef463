"""What the commands print beside reports, and whole runs: nothing of the user's names
and words acts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shapelint.apply.written_files import SourceFile, difference
from shapelint.asked.formats import CHECK_FORMATS
from shapelint.cli import main
from shapelint.cli.fixing import say_diff
from shapelint.cli.progress import Progress
from tests.conftest import ROOT, run_shapelint
from tests.hostile import HOSTILE, acting, check_text, commands


@pytest.fixture(params=list(HOSTILE))
def hostile(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.chdir(tmp_path)
    return HOSTILE[request.param]


def test_a_diff_does_not_act(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "\x1b[2J.py"
    file.write_text(
        '"""\n ::error::pwned\n##[error]pwned\n\x1b[2J\f\u202e\n"""\nx = 1\n',
        encoding="utf-8",
    )
    before = SourceFile.of(str(file))
    text = difference(
        {str(file): before.text.replace("x = 1", "x = 2")}, {str(file): before}
    )
    assert "No newline" not in text  # a form feed ends no line
    say_diff(text, 1)
    said = capsys.readouterr().out
    assert (acting(said), commands(said)) == ([], [])
    assert said.startswith("--- \\x1b[2J.py\n")
    assert "-x = 1\n+x = 2\n" in said


def test_progress_does_not_act(
    hostile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(1, verbose=True) as progress:
        progress.step(hostile, "importing torch")
        progress.step(hostile, "done")
    check_text(capsys.readouterr().err, "text", hostile)


@pytest.mark.parametrize(
    "words",
    [
        ("{}",),
        ("{}.py:Net",),
        ("check", "--{}"),
        ("check", "{}.py:Net", "--input", "1,3"),
        ("check", "{}.py:(", "--input", "1,3"),
        ("check", "--select", "{}"),
        ("check", "--config", "{}"),
        ("check", "--output-format", "{}"),
        ("check", "--baseline", "{}", "train.py"),
        ("rule", "{}"),
        ("init", "{}"),
    ],
)
def test_errors_that_name_the_users_words_do_not_act(
    words: tuple[str, ...], hostile: str
) -> None:
    if words[-1].endswith("1,3"):
        words = (*words, "--mode", "no mode")
    name = hostile.replace("\ud83d", "half")  # nor a command line
    done = CliRunner().invoke(main, [word.replace("{}", name) for word in words])
    assert done.exit_code == 2
    check_text(done.output, "text", hostile)


def test_settings_do_not_act_and_are_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = '"a\\u001b\\u007f\\u202e##[x]"'
    (tmp_path / "shapelint.toml").write_text(f"exclude = [{name}]\n")
    done = CliRunner().invoke(main, ["check", "--show-settings"])
    check_text(done.output, "text", "")
    (line,) = [line for line in done.output.splitlines() if line.startswith("exclude")]
    (tmp_path / "shapelint.toml").write_text(f"{line}\n")
    assert CliRunner().invoke(main, ["check", "--show-settings"]).output == done.output


# -- as a user runs it
# ------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="such names are none there")
@pytest.mark.parametrize(
    "name",
    [
        b"::error file=x::y.py",
        b"\xff\x1b[2J\n::error::.py",
        "\u202e##[error]x.py".encode(),
    ],
)
def test_files_with_such_names(name: bytes, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(name)).write_text("x = (\n")
    kinds = [kind for kind in CHECK_FORMATS if kind not in ("concise", "html")]
    words = [
        word for kind in kinds for word in ("--output-format", f"{kind}={kind}.txt")
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "shapelint",
            "check",
            "-v",
            name,
            "--output-format",
            "concise",
            *words,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 2
    for out in (done.stdout, done.stderr):
        check_text(out.decode("utf-8"), "text", "")
    for kind in kinds:
        text = (tmp_path / f"{kind}.txt").read_bytes().decode("utf-8")
        check_text(text, kind, os.fsdecode(name))
    (told,) = commands((tmp_path / "github.txt").read_text(encoding="utf-8"))
    assert told[0] == "error"


def test_a_model_with_such_names(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\n"
        "Odd = type('\\x1b[2J##[error]', (nn.Linear,), {})\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.add_module('::error::a\\n::error::\\x9b', Odd(8, 8))\n"
        "        self.head = nn.Linear(9, 2)\n"
        "    def forward(self, x):\n"
        "        for layer in self.children():  # \u202e ##[error]\n"
        "            x = layer(x)\n"
        "        return {'\\udcff\\u2028': x}\n",
        encoding="utf-8",
    )
    words = [
        word
        for kind in ("github", "json")
        for word in ("--output-format", f"{kind}={kind}.txt")
    ]
    done = run_shapelint(
        "check",
        "net.py:Net",
        "--input",
        "1,8",
        "--output-format",
        "full",
        *words,
        cwd=tmp_path,
    )
    assert done.code == 1
    check_text(done.out + done.err, "full", "")
    check_text(
        (tmp_path / "json.txt").read_text(encoding="utf-8"),
        "json",
        "::error::a\n::error::\x9b",
    )
    assert {
        name
        for name, _ in commands((tmp_path / "github.txt").read_text(encoding="utf-8"))
    } == {"error"}
    done = run_shapelint(
        "report", "net.py:Net", "--input", "1,8", "--tree", cwd=tmp_path
    )
    assert done.code == 1
    check_text(done.out + done.err, "tree", "")


@pytest.mark.skipif(sys.platform != "linux", reason="such names are none there")
def test_init_writes_what_toml_can_hold(tmp_path: Path) -> None:
    source = (
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Linear(8, 2)\n    def forward(self, x):\n        return self.head(x)\n"
    )
    for name in ("😀.py", os.fsdecode(b"b\xff.py")):
        (tmp_path / name).write_text(source)
    done = run_shapelint("init", "--yes", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "b\\udcff.py:Net  not added" in done.out
    assert 'target = "😀.py:Net"' in (tmp_path / "shapelint.toml").read_text(
        encoding="utf-8"
    )
