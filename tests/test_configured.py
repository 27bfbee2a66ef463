"""`[tool.shapelint]` as a project has it: targets, files left out, what fails, and what
is said of mistakes in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import run_shapelint

Write = Callable[..., Path]
NET = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(x)


def batch():
    return torch.rand(2, 8)
"""
TRAIN = "import torch\nmodel = torch.hub.load('a', 'b')\nmodel.eval\n"
PROJECT = """
[tool.shapelint]
ignore = ["SHP301"]

[[tool.shapelint.targets]]
target = "models/net.py:Net"
inputs = "1,8"
expect = "1,10"

[[tool.shapelint.targets]]
target = "models/net.py:Net(3)"
input-factory = "models/net.py:batch"
mode = "eval"
expect = ["2,3:float32"]
"""


@pytest.fixture
def project(write: Write, tmp_path: Path) -> Path:
    write(NET, "models/net.py")
    write(TRAIN, "scripts/train.py")
    write(PROJECT, "pyproject.toml")
    return tmp_path


def lines(out: str) -> list[str]:
    return [
        line.partition(" ")[0] + " " + line.partition("[")[2][:6]
        for line in out.splitlines()
        if "[SHP" in line
    ]


def test_alone_it_checks_the_targets_and_reads_the_training_code(project: Path) -> None:
    done = run_shapelint("check", "--output-format", "concise", cwd=project)
    assert (done.code, lines(done.out)) == (1, ["scripts/train.py:3:1: SHP405"])
    assert "in 3 targets" in done.out
    (project / "models/net.py").write_text(NET.replace("(8, classes)", "(9, classes)"))
    done = run_shapelint("check", "--output-format", "concise", cwd=project / "models")
    assert lines(done.out) == [
        "net.py:8:29: SHP101",
        "net.py:8:29: SHP101",
        "../scripts/train.py:3:1: SHP405",
    ] or [line.rpartition(" ")[2] for line in lines(done.out)] == [
        "SHP101",
        "SHP101",
        "SHP405",
    ]


def test_what_must_come_out_is_held_against_what_does(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        PROJECT.replace('"1,10"', '"1,11"').replace("2,3:float32", "2,3:float64")
    )
    done = run_shapelint("check", "--output-format", "concise", cwd=project)
    assert [line[-6:] for line in lines(done.out)] == ["SHP118", "SHP118", "SHP405"]
    assert "the model returns f32[1,10] but f32[1,11] is expected" in done.out
    assert "the model returns f32[2,3] but f64[2,3] is expected" in done.out


def test_a_target_named_on_the_command_line_is_fed_as_configured(project: Path) -> None:
    assert run_shapelint("check", "models/net.py:Net", cwd=project).code == 0
    assert run_shapelint("check", "net.py:Net(3)", cwd=project / "models").code == 0
    assert (
        run_shapelint("check", "models/net.py:Net", "--isolated", cwd=project).code == 2
    )
    assert (
        run_shapelint("check", "models/net.py:Net", "--input", "1,9", cwd=project).code
        == 1
    )


def test_files_left_out_and_rules_off_in_files(project: Path) -> None:
    config = project / "pyproject.toml"
    for line in (
        'exclude = ["scripts"]', 'exclude = ["scripts/*.py"]', 'exclude = ["train.py"]',
        'per-file-ignores = { "scripts/*" = ["SHP405"] }', 'per-file-ignores = { "train.py" = ["mode-method-not-called"] }',
    ):  # fmt: skip
        config.write_text(
            PROJECT.replace("[tool.shapelint]", f"[tool.shapelint]\n{line}")
        )
        assert run_shapelint("check", cwd=project).code == 0, line
    config.write_text(
        PROJECT.replace(
            "[tool.shapelint]",
            '[tool.shapelint]\nper-file-ignores = { "models/*" = ["SHP4"] }',
        )
    )
    assert run_shapelint("check", cwd=project).code == 1


def test_the_severity_that_fails(project: Path) -> None:
    assert (
        run_shapelint(
            "check", "scripts/train.py", "--fail-on", "error", cwd=project
        ).code
        == 0
    )
    (project / "pyproject.toml").write_text("[tool.shapelint]\nfail-on = 'error'\n")
    assert run_shapelint("check", "scripts/train.py", cwd=project).code == 0
    assert (
        run_shapelint(
            "check", "scripts/train.py", "--fail-on", "warning", cwd=project
        ).code
        == 1
    )


def test_rules_for_one_target_and_more_rules(project: Path) -> None:
    broken = NET.replace("(8, classes)", "(9, classes)")
    (project / "models/net.py").write_text(broken)
    config = project / "pyproject.toml"
    config.write_text(PROJECT.replace('expect = "1,10"', 'ignore = ["SHP101"]'))
    done = run_shapelint(
        "check",
        "models/net.py:Net",
        "models/net.py:Net(3)",
        "--output-format",
        "concise",
        cwd=project,
    )
    assert done.out.count("SHP101") == 1
    config.write_text(
        '[tool.shapelint]\nselect = ["SHP9"]\nextend-select = ["SHP101"]\n'
    )
    assert (
        run_shapelint("check", "models/net.py:Net", "--input", "1,8", cwd=project).code
        == 1
    )


def test_another_file_and_what_is_in_force(project: Path, write: Write) -> None:
    write(
        "fail-on = 'error'\n[[targets]]\ntarget = 'net.py:Net'\ninputs = ['1,8']\n",
        "models/shapelint.toml",
    )
    done = run_shapelint("check", "--show-settings", cwd=project / "models")
    assert done.code == 0
    assert 'fail-on = "error"' in done.out
    assert 'target = "net.py:Net"' in done.out
    assert f"# from {project / 'models' / 'shapelint.toml'}" in done.out
    assert (
        run_shapelint("check", "--config", "models/shapelint.toml", cwd=project).code
        == 0
    )
    assert (
        "no configuration"
        in run_shapelint("check", "--isolated", "--show-settings", cwd=project).out
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[tool.shapelint.targets]]\ninputs = '1,8'\n", "names no `target`"),
        (
            "[[tool.shapelint.targets]]\ntarget = 'a.py:A'\ninput = '1,8'\n",
            "did you mean `inputs`",
        ),
        (
            "[[tool.shapelint.targets]]\ntarget = 'a.py:A'\ninputs = '1'\ninput-factory = 'a.py:b'\n",
            "has both",
        ),
        (
            "[[tool.shapelint.targets]]\ntarget = 'a.py:A'\nmode = 'evil'\n",
            "one of train, eval, both",
        ),
        ("[tool.shapelint]\ntargets = 'a.py:A'\n", "an array of tables"),
        (
            "[tool.shapelint]\nper-file-ignores = { 'a.py' = 'SHP1' }\n",
            "a table of lists of strings",
        ),
        (
            "[tool.shapelint]\nper-file-ignores = { 'a.py' = ['SHP1O1'] }\n",
            "no rule `SHP1O1`",
        ),
        ("[tool.shapelint]\nfail-on = 'never'\n", "one of error, warning, info"),
        ("[tool.shapelint]\nfail-at = 'error'\n", "did you mean `fail-on`"),
    ],
)
def test_mistakes_in_it_are_said_in_a_line(
    text: str, said: str, write: Write, tmp_path: Path
) -> None:
    write(text, "pyproject.toml")
    done = run_shapelint("check", cwd=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_without_configured_targets_it_says_that_no_model_was_walked(
    write: Write, tmp_path: Path
) -> None:
    write(NET, "net.py")
    done = run_shapelint("check", cwd=tmp_path)
    assert done.code == 0
    assert (
        done.err
        == "no [[tool.shapelint.targets]]: training code is read, and no model walked; `shapelint init` finds models\n"
    )


def test_words_that_do_not_go_together(tmp_path: Path) -> None:
    assert (
        "no target to feed it to"
        in run_shapelint("check", "--input", "1,8", cwd=tmp_path).err
    )
    assert (
        "no file `gone.toml`"
        in run_shapelint("check", "--config", "gone.toml", cwd=tmp_path).err
    )
    assert (
        "cannot be combined"
        in run_shapelint("check", "a.py", "--fix", "--add-ignores", cwd=tmp_path).err
    )
    assert (
        "needs `--baseline FILE`"
        in run_shapelint("check", "a.py", "--update-baseline", cwd=tmp_path).err
    )
