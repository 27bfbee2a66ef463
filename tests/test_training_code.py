"""Training code is read and not run: what is wrong is found at its line, what only looks wrong is left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shapelint.request import Request
from shapelint.rules import catalogue
from shapelint.rules.source import SourceRule
from shapelint.sources import check_source
from shapelint.syntax.calls import apply_edits
from tests.conftest import run_shapelint
from tests.programs import eval_mode, training
from tests.programs.eval_mode import NET

Write = Callable[..., Path]
RULES = [rule for rule in catalogue().rules.values() if isinstance(rule, SourceRule)]
ALL = tuple(catalogue().rules)
FAULTY = {
    "SHP403": eval_mode.NO_EVAL,
    "SHP404": training.NOT_RESTORED,
    "SHP405": training.NOT_CALLED,
    "SHP406": eval_mode.NO_NO_GRAD,
    "SHP604": training.PILING_UP,
}
CORRECT = {
    "SHP403": eval_mode.EVAL_IS_THERE,
    "SHP404": training.RESTORED,
    "SHP405": training.CALLED,
    "SHP406": eval_mode.NO_GRAD_IS_THERE,
    "SHP604": training.ZEROED,
}


def found(path: Path, code: str) -> list[int]:
    report = check_source(Request(str(path), selected=ALL))
    return [item.span.line for item in report.diagnostics if item.code == code and item.span is not None]


def cases(programs: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    return [(code, what) for code, each in programs.items() for what in each]


@pytest.mark.parametrize(("code", "what"), cases(FAULTY))
def test_a_faulty_program_is_found_at_its_line(code: str, what: str, write: Write) -> None:
    source = FAULTY[code][what]
    here = [number for number, line in enumerate(source.splitlines(), 1) if line.endswith("# here")]
    assert found(write(source, "train.py"), code) == here


@pytest.mark.parametrize(("code", "what"), cases(CORRECT))
def test_a_program_that_only_looks_faulty_is_left_alone(code: str, what: str, write: Write) -> None:
    assert found(write(CORRECT[code][what], "train.py"), code) == []


@pytest.mark.parametrize(("code", "what"), cases(FAULTY))
def test_each_fix_mends_what_it_is_for(code: str, what: str, write: Write) -> None:
    source = FAULTY[code][what]
    path = write(source, "train.py")
    report = check_source(Request(str(path), selected=ALL))
    finding = next(item for item in report.diagnostics if item.code == code)
    for fix in finding.fixes:
        mended = apply_edits(source, list(fix.edits))
        compile(mended, "train.py", "exec")
        assert found(write(mended, "train.py"), code) == []
        write(source, "train.py")
    offered = bool(finding.fixes)
    assert offered or what in ("a copy thrown away",)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_examples_of_a_rule(rule: SourceRule, write: Write) -> None:
    assert found(write(rule.bad_script, "train.py"), rule.code)
    assert found(write(rule.good_script, "train.py"), rule.code) == []


def test_each_rule_has_six_of_both_sorts() -> None:
    for rule in RULES:
        assert len(FAULTY[rule.code]) >= 6
        assert len(CORRECT[rule.code]) >= 6


def test_no_torch_is_imported_and_no_code_run(write: Write) -> None:
    write(NET + "raise SystemExit('run')\n", "train.py")
    write("model = Net()\nmodel.eval\n", "other.py")
    code = (
        "import sys; from shapelint.cli import main\n"
        "try:\n    main(['check', 'train.py', 'other.py'])\nexcept SystemExit as end:\n    print('code', end.code)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "SHP405" in done.stdout
    assert done.stdout.endswith("code 1\nFalse\n")


def test_a_folder_is_read_whole(write: Write, tmp_path: Path) -> None:
    write("net.eval\n", "project/a.py")
    write("net.train\n", "project/deep/b.py")
    write("net.eval\n", "project/.venv/c.py")
    done = run_shapelint("check", "project", "--output-format", "concise", cwd=tmp_path)
    assert [line.partition(": ")[0] for line in done.out.splitlines() if "SHP405" in line] == [
        "project/a.py:1:1",
        "project/deep/b.py:1:1",
    ]


def test_a_file_that_is_no_python_says_so_and_does_not_stop_the_others(write: Write, tmp_path: Path) -> None:
    write("def (:\n", "project/broken.py")
    write("net.eval\n", "project/a.py")
    done = run_shapelint("check", "project", "--output-format", "concise", cwd=tmp_path)
    assert "SHP902" in done.out
    assert "SHP405" in done.out
    assert "Traceback" not in done.out + done.err


def test_where_nothing_was_read_nothing_is_clean(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run_shapelint("check", "empty", cwd=tmp_path)
    assert done.code == 2
    assert "no Python file or notebook in `empty`" in done.out


def test_a_syntax_error_is_shown_at_its_place(write: Write, tmp_path: Path) -> None:
    write("x = 1\ndef (:\n", "broken.py")
    done = run_shapelint("check", "broken.py", "--output-format", "concise", cwd=tmp_path)
    assert done.code == 2
    assert done.out.startswith("broken.py:2:5: error[SHP902]")


def test_diff_inserts_the_missing_lines(write: Write, tmp_path: Path) -> None:
    path = write(FAULTY["SHP406"]["plain script"], "train.py")
    before = path.read_text()
    done = run_shapelint("check", "train.py", "--diff", cwd=tmp_path)
    assert "+    with torch.no_grad():" in done.out
    assert path.read_text() == before
    done = run_shapelint("check", "train.py", "--fix", cwd=tmp_path)
    assert "1 fixed" in done.out
    assert found(path, "SHP406") == []


PLAIN = "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = make()\n"
LOOP = (
    "import torch\nfrom net import Net\n\nmodel = Net()\noptimizer = torch.optim.SGD(model.parameters(), 0.1)\n"
    "for x, y in train_loader:\n    optimizer.zero_grad()\n    (model(x) - y).sum().backward()\n    optimizer.step()\n"
    "with torch.no_grad():\n    for x, y in val_loader:\n        print((model(x).argmax(1) == y).sum())\n"
)


def test_what_a_walk_knows_decides_for_the_script(write: Write, tmp_path: Path) -> None:
    """`make()` may give anything: only the walk sees that no layer of the model acts by mode."""
    made = "\n\n    def forward(self, x):\n        return self.fc(x)\n\n\ndef make():\n    return nn.{}\n"
    write(LOOP, "train.py")
    write(PLAIN + made.format("Linear(8, 2)"), "net.py")
    assert "SHP403" not in run_shapelint("check", "net.py:Net", "train.py", "--input", "1,8", cwd=tmp_path).out
    write(PLAIN + made.format("Sequential(nn.Linear(8, 2), nn.Dropout(0.5))"), "net.py")
    assert (
        "`Dropout` acts as in training"
        in run_shapelint("check", "net.py:Net", "train.py", "--input", "1,8", cwd=tmp_path).out
    )


def test_notebooks_are_read_cell_by_cell(write: Write, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_code_cell("%matplotlib inline\n!pip install torch\nimport torch\nfrom torch import nn"),
        nbformat.v4.new_markdown_cell("# Training"),
        nbformat.v4.new_code_cell(
            "model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))\nmodel.load_state_dict(weights)"
        ),
        nbformat.v4.new_code_cell("%%time\nnot python at all"),
        nbformat.v4.new_code_cell(
            "with torch.no_grad():\n    for x in test_loader:\n        print(model(x).argmax(1))"
        ),
    ]
    write(nbformat.writes(book), "train.ipynb")
    done = run_shapelint("check", "train.ipynb", "--output-format", "concise", cwd=tmp_path)
    assert "train.ipynb:cell 4:3:" in done.out
    full = run_shapelint("check", "train.ipynb", cwd=tmp_path)
    assert "print(model(x).argmax(1))" in full.out
    data = json.loads(run_shapelint("check", "train.ipynb", "--output-format", "json", cwd=tmp_path).out)
    assert data["diagnostics"][0]["code"] == "SHP403"


def test_many_files_are_read_by_several_processes(write: Write) -> None:
    for number in range(60):
        write("net.eval\n", f"many/part{number}.py")
    report = check_source(Request("many", selected=ALL))
    assert len(report.diagnostics) == 60
