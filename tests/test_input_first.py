"""Where the input is what is wrong: that is the first help, no edit is safe, and
`--fix` says so and edits nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.apply.rounds import find_applicable_fix
from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.plain import from_plain, to_plain
from tests import eager
from tests.conftest import FIXTURES, errors, run_shapelint

SMALL = (FIXTURES / "small_cnn.py").read_text()
RIGHT = "not fixed: the input is wrong; the model runs with `--input 1,3,64,64`\n"

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
INIT = "    def __init__(self):\n        super().__init__()\n"


def model(layers: str, arguments: str, *forward: str) -> str:
    """A file with one model: its layers by assignments of one line, and the lines of
    its forward."""
    made = "".join(f"        self.{each.strip()}\n" for each in layers.split(";"))
    return f"{HEAD}{INIT}{made}\n    def forward(self, {arguments}):\n" + "".join(
        f"        {each}\n" for each in forward
    )


SEQUENCE = model(
    "conv = nn.Conv1d(128, 64, 3, padding=1); head = nn.Linear(64, 5)",
    "x",
    "return self.head(self.conv(x.transpose(1, 2)).mean(2))",
)
UNPACKED = model(
    "fc = nn.Linear(128, 6)",
    "x",
    "b, t, c = x.shape",
    "return self.fc(x).view(b, t, 2, 3)",
)
RECURRENT = model(
    "rnn = nn.LSTM(128, 32, batch_first=True); fc = nn.Linear(32, 3)",
    "x",
    "out, _ = self.rnn(x)",
    "return self.fc(out[:, -1])",
)
WORDS = model(
    "emb = nn.Embedding(100, 32); fc = nn.Linear(32, 3)",
    "ids",
    "return self.fc(self.emb(ids).mean(1))",
)
IMAGES = model(
    "conv = nn.Conv2d(3, 8, 3); bn = nn.BatchNorm2d(8); fc = nn.Linear(8, 2)",
    "x",
    "return self.fc(self.bn(self.conv(x)).mean((2, 3)))",
)
GREY = model(
    "conv = nn.Conv2d(1, 8, 3, padding=1); fc = nn.Linear(8 * 28 * 28, 10)",
    "x",
    "return self.fc(self.conv(x).flatten(1))",
)
TWO = model(
    "a = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.Flatten(), nn.Linear(512, 10)); b = nn.Linear(6, 10)",
    "x, y",
    "return torch.cat([self.a(x), self.b(y)], dim=1)",
)
POSITIONS = model(
    "conv = nn.Conv2d(3, 8, 4, stride=4); places = nn.Parameter(torch.zeros(1, 8, 8, 16))",
    "x",
    "return self.conv(x) + self.places",
)

HALVED = model(
    "d = nn.Conv2d(3, 8, 3, stride=2, padding=1); u = nn.ConvTranspose2d(8, 3, 2, stride=2)",
    "x",
    "return torch.cat([self.u(self.d(x)), x], dim=1)",
)

KINDS = {
    "a size that is odd where it is halved": (HALVED, "1,3,33,33", "1,3,34,34"),
    "images and features exchanged": (TWO, "1,6 1,3,32,32", "1,3,32,32 1,6"),
    "image without batch": (IMAGES, "3,32,32", "1,3,32,32"),
    "sequence without batch": (SEQUENCE, "16,128", "1,16,128"),
    "sequence whose sizes are unpacked": (UNPACKED, "16,128", "1,16,128"),
    "recurrent without batch": (RECURRENT, "16,128", "1,16,128"),
    "ids without batch": (WORDS, "16:int64", "1,16:int64"),
    "floats for ids": (WORDS, "1,16", "1,16:int64"),
    "floats for ids without batch": (WORDS, "16", "1,16:int64"),
    "several without batch": (TWO, "3,32,32 6", "1,3,32,32 1,6"),
    "one of several without batch": (TWO, "3,32,32 1,6", "1,3,32,32 1,6"),
    "a dimension too many": (IMAGES, "1,1,3,32,32", "1,3,32,32"),
    "channels last": (IMAGES, "1,32,32,3", "1,3,32,32"),
    "channels last without batch": (IMAGES, "32,32,3", "1,3,32,32"),
    "colour for grey": (GREY, "1,3,28,28", "1,1,28,28"),
    "neither batch nor channel": (GREY, "28,28", "1,1,28,28"),
    "height and width exchanged": (POSITIONS, "1,3,64,32", "1,3,32,64"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_input_is_the_first_help_and_no_edit_is_safe(
    kind: str, lint: Callable[..., Any]
) -> None:
    source, given, right = KINDS[kind]
    assert eager.raises(source, tuple(given.split()))
    assert not eager.raises(source, tuple(right.split()))
    report = lint(source, *given.split())
    found = [item for item in report.diagnostics if item.severity.value == "error"]
    assert [item.fixes[0].inputs for item in found] == [tuple(right.split())]
    assert found[0].fixes[0].runs
    assert found[0].fixes[0].cost == "clean"
    assert find_applicable_fix(found[0], unsafe=False) is None
    assert (
        from_plain(Diagnostic, json.loads(json.dumps(to_plain(found[0])))) == found[0]
    )


WRONG_MODELS = {
    "features of another size": (SMALL, "SmallCNN", "1,3,32,32"),
    "features": (model("fc = nn.Linear(9, 4)", "x", "return self.fc(x)"), "Net", "2,8"),
    "a dimension of samples that have no time": (
        model(
            "a = nn.Linear(8, 4); b = nn.Linear(6, 4); fc = nn.Linear(8, 2)",
            "x, y",
            "return self.fc(torch.cat([self.a(x), self.b(y)], dim=2))",
        ),
        "Net",
        "16,8 16,6",
    ),
}


@pytest.mark.parametrize("kind", WRONG_MODELS)
def test_where_the_model_is_wrong_an_edit_stays_the_first_help(
    kind: str, lint: Callable[..., Any]
) -> None:
    source, name, given = WRONG_MODELS[kind]
    finding = next(
        item
        for item in lint(source, *given.split(), target=name).diagnostics
        if item.severity.value == "error"
    )
    assert finding.fixes[0].edits
    assert finding.right_input is None
    keeps = [fix for fix in finding.fixes if "keeps trained weights" in fix.cost]
    assert all(fix.safety == "safe" for fix in keeps)


def test_an_edit_behind_an_input_that_the_model_runs_with_is_not_safe(
    lint: Callable[..., Any],
) -> None:
    """With `flatten(x, 0)` the model would run, and make one sample of a batch."""
    flat = model("fc = nn.Linear(784, 10)", "x", "return self.fc(torch.flatten(x, 1))")
    assert not eager.raises(flat, ("8,28,28",))
    finding = lint(flat, "28,28").diagnostics[0]
    assert ("1,28,28",) in [fix.inputs for fix in finding.fixes]
    assert find_applicable_fix(finding, unsafe=False) is None


def test_an_error_that_no_input_shows_is_no_reason_to_edit(
    lint: Callable[..., Any],
) -> None:
    """The model runs with a batch, and cannot be trained for what it writes in place:
    not clean, but the input."""
    source = model(
        "conv = nn.Conv2d(3, 8, 3, padding=1); fc = nn.Linear(8 * 8 * 8, 2)",
        "x",
        "y = torch.sigmoid(self.conv(x))",
        "y += 1",
        "return self.fc(y.flatten(1))",
    )
    assert not eager.raises(source, ("1,3,8,8",))
    assert eager.raises(source, ("1,3,8,8",), backward=True)
    found = lint(source, "3,8,8").diagnostics
    first = next(item for item in found if item.fixes and item.fixes[0].inputs)
    assert (first.fixes[0].inputs, first.fixes[0].runs) == (("1,3,8,8",), True)
    assert first.fixes[0].cost == "other findings stay"
    assert first.fixes[0].others_stay
    assert find_applicable_fix(first, unsafe=False) is None


def test_an_input_with_which_only_a_mended_copy_runs_is_not_called_clean(
    lint: Callable[..., Any],
) -> None:
    wrong = IMAGES.replace("nn.Linear(8, 2)", "nn.Linear(7, 2)")
    assert eager.raises(wrong, ("1,3,32,32",))
    fixes = [
        fix
        for item in lint(wrong, "3,32,32").diagnostics
        for fix in item.fixes
        if fix.inputs
    ]
    assert not any(fix.runs or fix.cost == "clean" for fix in fixes)


@pytest.mark.parametrize("word", ["--fix", "--fix-only", "--diff"])
def test_the_file_stays_as_it_is_and_it_is_said_why(tmp_path: Path, word: str) -> None:
    file = Path(shutil.copy(FIXTURES / "small_cnn.py", tmp_path / "small_cnn.py"))
    assert not eager.raises(SMALL, ("1,3,64,64",), "SmallCNN")
    done = run_shapelint(
        "check", "small_cnn.py", "--input", "3,64,64", "--no-report", word, cwd=tmp_path
    )
    assert RIGHT in done.err
    assert file.read_bytes() == SMALL.encode()
    assert "fixed" not in done.out
    assert done.code == (1 if word == "--fix" else 0)


def test_unsafe_fixes_are_made_where_asked_for_as_the_summary_says(
    tmp_path: Path,
) -> None:
    file = Path(shutil.copy(FIXTURES / "small_cnn.py", tmp_path / "small_cnn.py"))
    words = ("check", "small_cnn.py", "--input", "3,64,64", "--no-report")
    seen = run_shapelint(*words, cwd=tmp_path).out
    assert seen.endswith("1 error\n1 fixable with `--fix --unsafe-fixes`\n")
    done = run_shapelint(*words, "--fix", "--unsafe-fixes", cwd=tmp_path)
    assert "1 fixed" in done.out
    assert RIGHT not in done.err
    assert file.read_text() != SMALL


def test_several_targets_are_named(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(IMAGES)
    words = ("net.py:Net", "net.py:Net()", "--input", "3,32,32", "--diff")
    done = run_shapelint("check", *words, cwd=tmp_path)
    said = "not fixed: the input is wrong; the model runs with `--input 1,3,32,32`"
    assert [line for line in done.err.splitlines() if "not fixed" in line] == [
        f"net.py:Net: {said}",
        f"net.py:Net(): {said}",
    ]


def test_json_and_sarif_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(IMAGES)
    formats = ("--output-format", "json=out.json", "--output-format", "sarif=out.sarif")
    run_shapelint("check", "net.py", "--input", "3,32,32", *formats, cwd=tmp_path)
    fixes = json.loads((tmp_path / "out.json").read_text())["diagnostics"][0]["fixes"]
    assert (fixes[0]["inputs"], fixes[0]["runs"]) == (["1,3,32,32"], True)
    assert {fix["safety"] for fix in fixes if fix["edits"]} == {"unsafe"}
    result = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"][0]
    assert all("(unsafe; " in fix["description"]["text"] for fix in result["fixes"])


def test_the_example_input_of_a_model_that_forgot_the_batch(
    lint: Callable[..., Any],
) -> None:
    source = IMAGES.replace(
        INIT, f"{INIT}        self.example_input_array = torch.rand(3, 32, 32)\n"
    )
    finding = lint(source).diagnostics[0]
    assert finding.fixes[0].inputs == ("1,3,32,32",)
    assert find_applicable_fix(finding, unsafe=False) is None
    assert len(errors(lint(source, "1,3,32,32"))) == 0


def test_a_change_that_fits_a_single_sample_only_is_not_safe(tmp_path: Path) -> None:
    """The batch is forgotten, and the size is another one as well: no input runs, and
    no edit for one sample is right."""
    file = Path(shutil.copy(FIXTURES / "small_cnn.py", tmp_path / "small_cnn.py"))
    assert eager.raises(SMALL, ("1,3,32,32",), "SmallCNN")
    words = ("check", "small_cnn.py", "--input", "3,32,32", "--output-format", "json")
    fixes = json.loads(run_shapelint(*words, cwd=tmp_path).out)["diagnostics"][0][
        "fixes"
    ]
    assert any("AdaptiveAvgPool1d" in fix["title"] for fix in fixes)
    assert {fix["safety"] for fix in fixes} == {"unsafe"}
    run_shapelint("check", "small_cnn.py", "--input", "3,32,32", "--fix", cwd=tmp_path)
    assert file.read_bytes() == SMALL.encode()


def test_a_window_that_is_changed_is_not_safe(lint: Callable[..., Any]) -> None:
    """Trained weights fit, and the layer computes something else."""
    source = model("conv = nn.Conv2d(3, 3, 3)", "x", "return self.conv(x) + x")
    assert eager.raises(source, ("1,3,32,32",))
    finding = lint(source, "1,3,32,32").diagnostics[0]
    padded = [fix for fix in finding.fixes if "padding=1" in fix.title]
    assert [fix.safety for fix in padded] == ["unsafe"]
    assert "keeps trained weights" in padded[0].cost
    mended = source.replace("nn.Conv2d(3, 3, 3)", "nn.Conv2d(3, 3, 3, padding=1)")
    assert not eager.raises(mended, ("1,3,32,32",))
