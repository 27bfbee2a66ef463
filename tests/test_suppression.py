"""Comments that suppress findings, those that suppress nothing, baselines, and comments
put in by shapelint."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result, run_shapelint

Write = Callable[..., Path]
NET = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(
            9,{inside}
            2,
        ){after}

    def forward(self, x):
        x = self.conv(x).mean((2, 3)){other}
        {above}
        return self.fc(x){call}
"""


def net(**places: str) -> str:
    names = ("inside", "after", "above", "call", "other")
    return NET.format(
        **{name: places.get(name, "pass" if name == "above" else "") for name in names}
    )


def codes(report: Any) -> list[str]:
    return [item.code for item in report.diagnostics]


def check(tmp_path: Path, *words: str) -> Result:
    return run_shapelint(
        "check", "net.py:Net", "--input", "1,3,8,8", "--no-report", *words, cwd=tmp_path
    )


@pytest.mark.parametrize(
    "places",
    [
        {"inside": "  # shapelint: ignore[SHP101] the checkpoint has it"},
        {"after": "  # shapelint: ignore[SHP101]"},
        {"after": "  # shapelint: ignore"},
        {"after": "  # shapelint: ignore[SHP301, linear-input-mismatch]"},
        {"after": "  # shapelint: ignore[SHP1]"},
        {"after": "  # noqa: E501, SHP101"},
        {"after": "  # noqa"},
        {"call": "  # shapelint: ignore[SHP101]"},
        {"above": "# shapelint: ignore[SHP101]"},
        {"other": "  # shapelint: file-ignore[SHP101]"},
    ],
)
def test_a_comment_on_the_statement_or_above_it_suppresses(
    places: dict[str, str], lint: Callable[..., Any]
) -> None:
    assert "SHP101" in codes(lint(net(), "1,3,8,8", fixes=False))
    assert "SHP101" not in codes(lint(net(**places), "1,3,8,8"))


@pytest.mark.parametrize(
    "places",
    [
        {"after": "  # shapelint: ignore[SHP102]"},
        {"after": "  # noqa: E501"},
        {"other": "  # shapelint: ignore[SHP101]"},
        {"after": "  # ignore[SHP101]"},
    ],
)
def test_other_comments_do_not(
    places: dict[str, str], lint: Callable[..., Any]
) -> None:
    assert "SHP101" in codes(lint(net(**places), "1,3,8,8"))


def test_a_comment_in_a_string_is_none(write: Write, tmp_path: Path) -> None:
    write(net(above="'# shapelint: file-ignore'"))
    assert "error[SHP101]" in check(tmp_path).out


def test_what_suppresses_nothing_is_told_and_taken_away(
    write: Write, tmp_path: Path
) -> None:
    path = write(
        net(
            after="  # shapelint: ignore[SHP101, SHP102]",
            other="  # shapelint: ignore[SHP104] why",
        )
    )
    done = check(tmp_path, "--output-format", "concise")
    assert done.code == 1
    assert "net.py:11:12: warning[SHP900] this suppresses nothing: SHP102" in done.out
    assert "net.py:14:40: warning[SHP900] this suppresses nothing" in done.out
    assert check(tmp_path, "--fix").code == 0
    assert path.read_text() == net(after="  # shapelint: ignore[SHP101]")


def test_only_what_was_looked_at_can_be_said_to_be_unused(
    write: Write, tmp_path: Path
) -> None:
    other = "\n\nclass Other(nn.Module):  # shapelint: ignore[SHP101]\n    pass\n"
    write(
        net(call="  # shapelint: ignore[SHP406]", after="  # shapelint: ignore[SHP101]")
        + other
    )
    assert "SHP900" not in check(tmp_path).out
    assert "SHP900" not in check(tmp_path, "--select", "SHP9").out


def test_a_rule_that_does_not_exist_is_said(write: Write, tmp_path: Path) -> None:
    write(net(after="  # shapelint: ignore[SHP101, SHP999]"))
    done = check(tmp_path, "--output-format", "concise")
    assert (
        "warning[SHP900] this suppresses nothing: SHP999, which is not a rule"
        in done.out
    )


def test_training_code_too(write: Write, tmp_path: Path) -> None:
    write(
        "model.eval  # shapelint: ignore[SHP405] shown\nmodel.train()  # shapelint: ignore[SHP405]\n",
        "train.py",
    )
    done = run_shapelint(
        "check", "train.py", "--output-format", "concise", cwd=tmp_path
    )
    assert [
        line.partition(" ")[0] for line in done.out.splitlines() if "SHP" in line
    ] == ["train.py:2:16:"]


def test_a_baseline_hides_what_was_there(write: Write, tmp_path: Path) -> None:
    write(net())
    missing = check(tmp_path, "--baseline", "known.json")
    assert missing.code == 2
    assert "`--update-baseline`" in missing.err
    assert check(tmp_path, "--baseline", "known.json", "--update-baseline").code == 0
    assert [
        item["code"]
        for item in json.loads((tmp_path / "known.json").read_text())[
            "findings"
        ].values()
    ] == ["SHP101"]
    write("# moved\n\n" + net())
    done = check(tmp_path, "--baseline", "known.json")
    assert done.code == 0
    assert "1 in the baseline" in done.out
    write(net().replace("3, 8, 3", "4, 8, 3"))
    done = check(tmp_path, "--baseline", "known.json")
    assert done.code == 1
    assert "SHP102" in done.out
    assert "SHP101" not in done.out
    (tmp_path / "known.json").write_text("{")
    assert "is no baseline" in check(tmp_path, "--baseline", "known.json").err


def test_ignores_are_added_where_they_work(write: Write, tmp_path: Path) -> None:
    path = write(net(inside="  # nine"))
    train = write(
        "import torch\nmodel.eval\ntext = '''\n''', model.train\n", "train.py"
    )
    words = ("net.py:Net", "train.py", "--input", "1,3,8,8", "--no-report")
    before = ast.dump(ast.parse(path.read_text()))
    done = run_shapelint("check", *words, "--add-ignores", cwd=tmp_path)
    assert done.code == 0
    assert "2 ignores added" in done.out
    assert "9,  # nine  # shapelint: ignore[SHP101]\n" in path.read_text()
    assert "model.eval  # shapelint: ignore[SHP405]\n" in train.read_text()
    assert ast.dump(ast.parse(path.read_text())) == before
    assert run_shapelint("check", *words, cwd=tmp_path).code == 0
