"""One file never ends a command: what cannot be read is named, the others are read, and
exit code 1 is for findings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shapelint.asked.request import Read
from shapelint.process import readers
from shapelint.process.check_source import check_source
from shapelint.reading import script
from shapelint.rules import catalogue
from shapelint.sources import read_source
from tests.conftest import run_shapelint

ALL = tuple(catalogue().rules)


def notebook(source: str) -> bytes:
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": source,
    }
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    ).encode()


UNREADABLE = {
    "hex.py": (b"# coding: hex\n", "no text in the encoding `hex`"),
    "rot13.py": (b"# coding: rot13\n", "no text in the encoding `rot13`"),
    "undefined.py": (b"# coding: undefined\n", "no text in the encoding `undefined`"),
    "zip.py": (b"# coding: zip\n", "no text in the encoding `zip`"),
    "unknown.py": (b"# coding: nonsense\n", "unknown encoding: nonsense"),
    "latin.py": (b"x = '\xff'\n", "no text in UTF-8"),
    "utf16.py": ("x = 1\n".encode("utf-16"), "no text in UTF-8"),
    "short.py": (b"# coding: utf-16\nx", "cannot be read"),
    "nul.py": (b"x = 1\0\n", "null bytes"),
    "brackets.py": (b"x = " + b"(" * 500 + b")" * 500, "too many nested parentheses"),
    "minus.py": (b"x = " + b"-" * 100_000 + b"1", "nested more deeply"),
    "digits.py": (b"x = " + b"1" * 5000, "no Python"),
    "no_python.py": (b"def (:", "no Python"),
    "half.ipynb": (notebook("x = '\ud800'"), "no text in UTF-8"),
    "list.ipynb": (b"[" * 100_000, "not a notebook"),
    "empty.ipynb": (b"", "not a notebook"),
}
READABLE = {
    "sum.py": "x = " + " + ".join(["1"] * 5_000),
    "dots.py": "x = a" + ".b" * 5_000,
    "elif.py": "import torch\nmodel = torch.load('x')\nif x == 0:\n    pass\n"
    + "".join(f"elif x == {n}:\n    y = {n}\n" for n in range(1, 2_000)),
    "nested.py": "model = torch.load('x')\n"
    + "".join(" " * n + "if x:\n" for n in range(90))
    + " " * 90
    + "model.eval()\n",
    "calls.py": "x = " + "f(" * 150 + ")" * 150,
}
FAULTY = "import torch\nmodel = torch.load('x')\nmodel.eval\n"


def said(target: str) -> tuple[str, list[str]]:
    """The status of what is read, and the findings."""
    outcome = check_source(Read(target, selected=ALL))
    assert outcome.fault is None
    return outcome.report.status, [
        f"{item.code} {item.message}" for item in outcome.report.diagnostics
    ]


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_says_why(name: str, tmp_path: Path) -> None:
    content, reason = UNREADABLE[name]
    (tmp_path / name).write_bytes(content)
    status, found = said(str(tmp_path / name))
    assert status == "failed"
    assert len(found) == 1
    assert found[0].startswith("SHP902")
    assert reason in found[0]


@pytest.mark.parametrize("name", READABLE)
def test_what_is_long_or_deep_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(READABLE[name])
    assert said(str(tmp_path / name)) == ("checked", [])


def links_and_pipes(folder: Path) -> dict[str, str]:
    """What is no regular file, with what is said of it."""
    os.mkfifo(folder / "pipe.py")
    (folder / "zero.py").symlink_to("/dev/zero")
    (folder / "dangling.py").symlink_to("nowhere.py")
    (folder / "circle.py").symlink_to("circle.py")
    return {
        "pipe.py": "no regular file",
        "zero.py": "no regular file",
        "dangling.py": "No such",
        "circle.py": "links",
    }


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and devices")
@pytest.mark.parametrize("more", [0, 60])
def test_the_others_are_read(more: int, tmp_path: Path) -> None:
    """In one process, and in several."""
    expected = {
        name: reason for name, (_, reason) in UNREADABLE.items()
    } | links_and_pipes(tmp_path)
    for name, (content, _) in UNREADABLE.items():
        (tmp_path / name).write_bytes(content)
    for number in range(more):
        (tmp_path / f"more{number}.py").write_text("x = 1")
    (tmp_path / "train.py").write_text(FAULTY)
    done = run_shapelint("check", ".", "--output-format", "json", cwd=tmp_path)
    assert done.code == 2
    assert done.err == ""
    found = json.loads(done.out)["diagnostics"]
    for name, reason in expected.items():
        own = [item["message"] for item in found if f"`{name}`" in item["message"]]
        assert len(own) == 1, name
        assert reason in own[0]
    assert [item["location"]["file"] for item in found if item["code"] == "SHP405"] == [
        "train.py"
    ]


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and devices")
def test_init_goes_on(tmp_path: Path) -> None:
    links_and_pipes(tmp_path)
    for name, (content, _) in UNREADABLE.items():
        (tmp_path / name).write_bytes(content)
    for name, text in READABLE.items():
        (tmp_path / name).write_text(text)
    net = "from torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n"
    (tmp_path / "net.py").write_text(net)
    done = run_shapelint("init", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "net.py:Net" in done.out


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and devices")
@pytest.mark.parametrize("name", ["pipe.py", "zero.py", "dangling.py", "circle.py"])
def test_as_a_target_it_is_refused(name: str, tmp_path: Path) -> None:
    links_and_pipes(tmp_path)
    for words in ((name,), (f"{name}:Net", "--input", "1,8")):
        done = run_shapelint("check", *words, cwd=tmp_path)
        assert done.code == 2
        assert done.err.startswith(f"error: `{name}` is ")
        assert len(done.err.splitlines()) == 1


def test_a_model_in_a_long_file_is_walked(tmp_path: Path) -> None:
    long = "from torch import nn\n\nx = 3\nif x == 0:\n    pass\n"
    long += "".join(
        f"elif x == {number}:\n    y = {number}\n" for number in range(1, 900)
    )
    net = "class Net(nn.Module):\n    def forward(self, x):\n        return x + 1\n"
    (tmp_path / "net.py").write_text(long + net)
    done = run_shapelint("check", "net.py:Net", "--input", "1,8", cwd=tmp_path)
    assert done.code == 0, done


def test_a_fault_of_ours_is_no_finding_and_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(file: str, *more: Any) -> Any:
        if file.endswith("bad.py"):
            raise KeyError("ours")
        return script.read_script(file, *more)

    monkeypatch.setattr(read_source, "read_script", broken)
    (tmp_path / "bad.py").write_text("x = 1")
    (tmp_path / "train.py").write_text(FAULTY)
    outcome = check_source(Read(str(tmp_path), selected=ALL))
    assert "KeyError: 'ours'" in (outcome.fault or "")
    assert {item.code for item in outcome.report.diagnostics} == {"SHP405", "SHP902"}
    from shapelint.cli.exit_codes import exit_code

    assert exit_code([outcome], False) == 2


def test_a_reader_that_dies_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever kills the process that reads a file, only that file is not read."""

    def dying(module: str, **pipes: Any) -> Any:
        boot = (
            f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}\n"
            "import os\nfrom shapelint.sources import read_source\nread = read_source.read_script\n"
            "read_source.read_script = lambda file, *more: os.abort() if file.endswith('bad.py') else read(file, *more)\n"
            "from shapelint.process.reader import main\nmain()\n"
        )
        return subprocess.Popen([sys.executable, "-c", boot], **pipes)

    monkeypatch.setattr(readers, "start_isolated", dying)
    for number in range(50):
        (tmp_path / f"m{number}.py").write_text(FAULTY)
    (tmp_path / "bad.py").write_text("x = 1")
    report = check_source(Read(str(tmp_path), selected=ALL)).report
    assert sum(item.code == "SHP405" for item in report.diagnostics) == 50
    died = [item.message for item in report.diagnostics if item.code == "SHP902"]
    assert died == [
        f"`{tmp_path / 'bad.py'}` cannot be read: the process that read it has died"
    ]


@pytest.mark.parametrize(
    "files", [{"bad.py": "x = (1"}, {"bad.py": "x = (1", "train.py": FAULTY}]
)
def test_exit_code_1_is_for_findings(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert run_shapelint("check", ".", cwd=tmp_path).code == 2
    assert run_shapelint("check", ".", "--exit-zero", cwd=tmp_path).code == 2


def test_a_fault_of_a_command_is_exit_code_2() -> None:
    code = (
        "import shapelint.asked.config\ndef load_config(**_): raise KeyError('ours')\nshapelint.asked.config.load_config = load_config\n"
        "from shapelint.cli import main\nmain(['check', '.'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "this is a fault of shapelint (shapelint 0.1.0, torch 2." in done.stderr
    assert "KeyError: 'ours'" in done.stderr
