"""Targets: what they mean, and the five different ways in which they can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.asked.target import parse_target
from shapelint.facts.errors import UsageError
from tests.conftest import check_target, codes, run_shapelint

Write = Callable[..., Path]

NET = """
from torch import nn
class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.fc = nn.Linear(8, width)
    def forward(self, x):
        return self.fc(x)
def factory(width=2):
    return Net(width)
made = Net(3)
"""


def output(target: str, *inputs: str) -> str | None:
    report = check_target(target, *(inputs or ("1,8",)))
    assert codes(report) == []
    return str(report.output)


@pytest.mark.parametrize(
    ("expression", "width"),
    [
        (":Net", 4),
        ("::Net", 4),
        (":Net(width=7)", 7),
        (":factory()", 2),
        (":factory", 2),
        (":factory(5)", 5),
        (":made", 3),
    ],
)
def test_expressions(write: Write, expression: str, width: int) -> None:
    write(NET)
    assert output(f"net.py{expression}") == f"f32[1,{width}]"


def test_a_module_by_its_dotted_name(write: Write) -> None:
    write("", "lib/__init__.py")
    write(NET, "lib/nets.py")
    assert output("lib.nets:Net(6)") == "f32[1,6]"


def test_the_only_class_of_a_file(write: Write) -> None:
    write(NET.replace("made = Net(3)", ""))
    assert output("net.py") == "f32[1,4]"


def test_several_models_are_listed(write: Write) -> None:
    write(NET + "class Other(Net): pass\n")
    report = check_target("net.py", "1,8")
    assert report.status == "failed"
    assert "3 models" in report.diagnostics[0].message
    assert report.diagnostics[0].notes == (
        "one of `net.py:Net`, `net.py:made`, `net.py:Other`",
    )


def test_sibling_imports_as_for_python_file(write: Write) -> None:
    write(
        "from torch import nn\ndef layer(n):\n    return nn.Linear(8, n)\n",
        "models/parts.py",
    )
    write(
        NET.replace("nn.Linear(8, width)", "layer(width)").replace(
            "from torch", "from parts import layer\nfrom torch"
        ),
        "models/net.py",
    )
    assert output("models/net.py:Net") == "f32[1,4]"


@pytest.mark.parametrize("marked", [True, False], ids=["package", "namespace"])
def test_relative_imports_as_for_python_m(write: Write, marked: bool) -> None:
    write("WIDTH = 8\n", "app/config.py")
    write(
        NET.replace("from torch", "from ..config import WIDTH\nfrom torch").replace(
            "8, width", "WIDTH, width"
        ),
        "app/nets/net.py",
    )
    if marked:
        write("", "app/__init__.py")
        write("", "app/nets/__init__.py")
    assert output("app/nets/net.py:Net") == "f32[1,4]"


def test_imports_inside_forward_find_the_users_modules(write: Write) -> None:
    write("SCALE = 2\n", "late.py")
    write(
        NET.replace(
            "return self.fc(x)", "import late\n        return self.fc(x) * late.SCALE"
        )
    )
    assert output("net.py:Net") == "f32[1,4]"


def test_a_file_named_like_a_module_of_the_standard_library(write: Write) -> None:
    write(NET, "json.py")
    assert output("json.py:Net") == "f32[1,4]"


def test_nothing_stays_imported(write: Write) -> None:
    import sys

    write("X = 1\n", "leftover.py")
    write(NET.replace("from torch", "import leftover\nfrom torch"))
    path, names = list(sys.path), set(sys.modules)
    output("net.py:Net")
    assert sys.path == path
    assert "leftover" not in sys.modules
    assert {
        name for name in set(sys.modules) - names if name in ("net", "leftover")
    } == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nett.py:Net", "no such file: `nett.py` .did you mean `net.py`"),
        ("lib", "not a target"),
        ("lib.py:Net(", "no such file"),
        ("net.py:Net(", "not a Python expression"),
        ("net.py:", "names no class"),
        ("net:Net:x", "not a Python expression"),
        (".", "is a directory"),
        ("net", "did you mean `net.py:ClassName`"),
        ("gone/net.py:Net", "there is no directory `gone`"),
    ],
)
def test_bad_words_are_answered_without_torch(
    write: Write, text: str, words: str
) -> None:
    write(NET)
    with pytest.raises(UsageError, match=words):
        parse_target(text)


FAILURES = [
    ("", "net.py:Nett", "`net.py` has no `Nett` (did you mean `Net`?)", None),
    (
        "import nonexistent_thing\n",
        "net.py:Net",
        "importing `net.py` raised ModuleNotFoundError",
        1,
    ),
    ("x = 1 / 0\n", "net.py:Net", "importing `net.py` raised ZeroDivisionError", 1),
    ("def f(:\n", "net.py:Net", "importing `net.py` failed: invalid syntax", 1),
    ("raise SystemExit(1)\n", "net.py:Net", "importing `net.py` raised SystemExit", 1),
    (
        "class Needs:\n    pass\n",
        "net.py:Needs",
        "`Needs()` gives a Needs, not an nn.Module",
        None,
    ),
    ("three = 3\n", "net.py:three", "`three` is a int, not an nn.Module", None),
    (
        "def needs(a, b=1): return Net()\n",
        "net.py:needs",
        "`needs` needs arguments: `needs(a, b=1)`",
        1,
    ),
    (
        "",
        "net.py:Net(depth=1)",
        "`Net(depth=1)` does not fit its signature, `Net(width=4)`",
        5,
    ),
    (
        "def bad():\n    return Net(min(-1, 2))\n",
        "net.py:bad",
        "constructing `bad` raised RuntimeError",
        7,
    ),
]


@pytest.mark.parametrize(
    ("before", "target", "message", "line"),
    FAILURES,
    ids=[case[2][:40] for case in FAILURES],
)
def test_each_failure_has_its_own_answer(
    write: Write, before: str, target: str, message: str, line: int | None
) -> None:
    write(before + NET)
    report = check_target(target, "1,8")
    assert codes(report) == ["SHP902"]
    assert message in report.diagnostics[0].message
    assert report.status == "failed"
    span: Any = report.diagnostics[0].span
    if line is not None and "bad" not in target and "depth" not in target:
        assert span.line == line
    elif line is not None:
        assert span is not None


def test_without_input_it_says_how_to_give_one(write: Write) -> None:
    write(NET)
    report = check_target("net.py:Net")
    assert (
        "add `--input 1,8` or a comment `# shapelint: input=1,8`"
        in report.diagnostics[0].message
    )


def test_inputs_of_the_model_itself(write: Write) -> None:
    write(
        NET.replace(
            "self.fc = nn",
            "import torch\n        self.example_input_array = torch.rand(5, 8)\n        self.fc = nn",
        )
    )
    assert str(check_target("net.py:Net").output) == "f32[5,4]"


@pytest.mark.parametrize("place", ["above", "on", "inside"])
def test_comment_on_the_class(write: Write, place: str) -> None:
    comment = "# shapelint: input=3,8"
    changed = {
        "above": NET.replace("class Net", f"{comment}\nclass Net"),
        "on": NET.replace("(nn.Module):", f"(nn.Module):  {comment}"),
        "inside": NET.replace("(nn.Module):", f"(nn.Module):\n    {comment}"),
    }
    write(changed[place])
    assert str(check_target("net.py:Net").output) == "f32[3,4]"


def test_input_factory_gives_args_and_kwargs(write: Write) -> None:
    write(
        NET
        + "import torch\ndef both():\n    return (), {'x': torch.rand(6, 8)}\ndef one():\n    return torch.rand(2, 8)\nnot_callable = 3\n"
    )
    assert (
        str(check_target("net.py:Net", input_factory="net.py:both").output)
        == "f32[6,4]"
    )
    assert (
        str(check_target("net.py:Net", input_factory="net.py:one").output) == "f32[2,4]"
    )
    for name, words in (("not_callable", "not a function"), ("gone", "has no `gone`")):
        report = check_target("net.py:Net", input_factory=f"net.py:{name}")
        assert words in report.diagnostics[0].message


def test_exit_code_two_and_the_other_targets_go_on(
    write: Write, tmp_path: Path
) -> None:
    write(NET)
    write("import os\nos._exit(7)\n", "dies.py")
    done = run_shapelint(
        "check",
        "dies.py:Net",
        "net.py:Net",
        "gone.py:Net",
        "--input",
        "1,8",
        "--output-format",
        "concise",
        cwd=tmp_path,
    )
    assert done.code == 2
    assert (
        "dies.py:Net: error[SHP902] the process that ran the model ended with exit code 7"
        in done.out
    )
    assert "no such file: `gone.py`" in done.out
    assert "2 of 3 could not be checked" in done.out


def test_a_model_that_never_ends_is_stopped(write: Write, tmp_path: Path) -> None:
    write(NET.replace("return self.fc(x)", "\n        while True: pass"))
    done = run_shapelint(
        "check", "net.py:Net", "--input", "1,8", "--timeout", "8", cwd=tmp_path
    )
    assert done.code == 2
    assert "not finished after 8 s" in done.out


def test_what_user_code_prints_is_not_taken_for_the_report(
    write: Write, tmp_path: Path
) -> None:
    import json

    write(
        "print('{}')\nimport sys\nsys.stdout.write('x')\n"
        + NET.replace("return self", "print('hi'); return self")
    )
    done = run_shapelint(
        "check", "net.py:Net", "--input", "1,8", "--output-format", "json", cwd=tmp_path
    )
    assert json.loads(done.out)["targets"][0]["output"] == "f32[1,4]"
