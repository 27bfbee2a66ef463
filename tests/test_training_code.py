"""Training code is read and not run: what is wrong is found at its line, what only
looks wrong is left alone."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from shapelint.asked.request import Read
from shapelint.process.check_source import check_source
from shapelint.reading.library_methods import MODEL_METHODS, MethodDoes
from shapelint.reading.source_rule import SourceRule
from shapelint.rules import catalogue
from shapelint.syntax.edits import apply_edits
from tests.conftest import run_shapelint
from tests.programs import eval_mode, libraries, styles, training
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
for more in (styles.FAULTY, libraries.FAULTY):
    FAULTY = {code: each | more.get(code, {}) for code, each in FAULTY.items()}
CORRECT = {
    "SHP403": eval_mode.EVAL_IS_THERE,
    "SHP404": training.RESTORED,
    "SHP405": training.CALLED,
    "SHP406": eval_mode.NO_GRAD_IS_THERE,
    "SHP604": training.ZEROED,
}
for more in (styles.CORRECT, libraries.CORRECT):
    CORRECT = {code: each | more.get(code, {}) for code, each in CORRECT.items()}
STYLES = ("argparse main", "library with callbacks")


def found(path: Path, code: str) -> list[int]:
    report = check_source(Read(str(path), selected=ALL)).report
    return [
        item.span.line
        for item in report.diagnostics
        if item.code == code and item.span is not None
    ]


def cases(programs: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    return [(code, what) for code, each in programs.items() for what in each]


@pytest.mark.parametrize(("code", "what"), cases(FAULTY))
def test_a_faulty_program_is_found_at_its_line(
    code: str, what: str, write: Write
) -> None:
    source = FAULTY[code][what]
    here = [
        number
        for number, line in enumerate(source.splitlines(), 1)
        if line.endswith("# here")
    ]
    assert found(write(source, "train.py"), code) == here


@pytest.mark.parametrize(("code", "what"), cases(CORRECT))
def test_a_program_that_only_looks_faulty_is_left_alone(
    code: str, what: str, write: Write
) -> None:
    assert found(write(CORRECT[code][what], "train.py"), code) == []


@pytest.mark.parametrize(("code", "what"), cases(FAULTY))
def test_each_fix_mends_what_it_is_for(code: str, what: str, write: Write) -> None:
    source = FAULTY[code][what]
    path = write(source, "train.py")
    report = check_source(Read(str(path), selected=ALL)).report
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
        assert all(style in FAULTY[rule.code] for style in STYLES)


def test_methods_said_to_return_the_model_do() -> None:
    said = [
        name
        for name, entry in MODEL_METHODS.items()
        if entry.does in (MethodDoes.RETURN_ITSELF, MethodDoes.SWITCH_MODE)
    ]
    for name in said:
        documented = inspect.getdoc(getattr(nn.Module, name)) or ""
        is_itself = "Module: self" in documented or name in ("to", "share_memory")
        assert is_itself, name


def test_no_torch_is_imported_and_no_code_run(write: Write) -> None:
    write(NET + "raise SystemExit('run')\n", "train.py")
    write("model = Net()\nmodel.eval\n", "other.py")
    code = (
        "import sys; from shapelint.cli import main\n"
        "try:\n    main(['check', 'train.py', 'other.py'])\nexcept SystemExit as end:\n    print('code', end.code)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "SHP405" in done.stdout
    assert done.stdout.endswith("code 1\nFalse\n")


def test_a_folder_is_read_whole(write: Write, tmp_path: Path) -> None:
    write("net.eval\n", "project/a.py")
    write("net.train\n", "project/deep/b.py")
    write("net.eval\n", "project/.venv/c.py")
    done = run_shapelint("check", "project", "--output-format", "concise", cwd=tmp_path)
    assert [
        line.partition(": ")[0] for line in done.out.splitlines() if "SHP405" in line
    ] == [
        "project/a.py:1:1",
        "project/deep/b.py:1:1",
    ]


def test_what_two_files_import_is_told_once(write: Write, tmp_path: Path) -> None:
    write(FAULTY["SHP406"]["function on its own"], "project/validation.py")
    write("from validation import *\n# loader\n", "project/a.py")
    call = "from validation import Net, torch, {0}\nnet = Net()\nnet.load_state_dict(torch.load('net.pt'))\n{0}(net, loader, print)\n"
    name = next(
        part.name
        for part in ast.parse(FAULTY["SHP406"]["function on its own"]).body[::-1]
        if isinstance(part, ast.FunctionDef)
    )
    write(call.format(name), "project/b.py")
    write(call.format(name), "project/c.py")
    one, other = (
        check_source(Read(path, selected=ALL)).report.diagnostics
        for path in ("project/b.py", "project/c.py")
    )
    assert [item.code for item in one] == [item.code for item in other] == ["SHP406"]
    report = check_source(Read("project", selected=ALL)).report
    assert [item.code for item in report.diagnostics] == ["SHP406"]


BASE = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)


class Base:
    def __init__(self):
        self.model = Net()
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.1)

    def fit(self, train_loader):
        for x in train_loader:
            self.optimizer.zero_grad()
            self.model(x).sum().backward()
            self.optimizer.step()

    def evaluate(self, val_loader):
        with torch.no_grad():
            for x in val_loader:
                print(self.model(x).argmax(1))  # here
"""
DERIVED = """from base import Base


class Trainer(Base):
    pass


trainer = Trainer()
trainer.fit(train_loader)
trainer.evaluate(val_loader)
"""


def test_a_method_that_is_inherited_is_read_in_the_file_that_defines_it(
    write: Write,
) -> None:
    here = [line.endswith("# here") for line in BASE.splitlines()].index(True) + 1
    base = write(BASE, "base.py")
    train = write(DERIVED, "train.py")
    report = check_source(Read(str(train), selected=ALL)).report
    spans = [(item.code, item.span) for item in report.diagnostics]
    assert [
        (code, span.file, span.line) for code, span in spans if span is not None
    ] == [("SHP403", str(base), here)]
    write(
        BASE.replace("with torch", "self.model.eval()\n        with torch"), "base.py"
    )
    assert not check_source(Read(str(train), selected=ALL)).report.diagnostics


def test_a_file_that_is_no_python_says_so_and_does_not_stop_the_others(
    write: Write, tmp_path: Path
) -> None:
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
    done = run_shapelint(
        "check", "broken.py", "--output-format", "concise", cwd=tmp_path
    )
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
    """`make()` may give anything: only the walk sees that no layer of the model acts by
    mode."""
    made = "\n\n    def forward(self, x):\n        return self.fc(x)\n\n\ndef make():\n    return nn.{}\n"
    write(LOOP, "train.py")
    write(PLAIN + made.format("Linear(8, 2)"), "net.py")
    assert (
        "SHP403"
        not in run_shapelint(
            "check", "net.py:Net", "train.py", "--input", "1,8", cwd=tmp_path
        ).out
    )
    write(PLAIN + made.format("Sequential(nn.Linear(8, 2), nn.Dropout(0.5))"), "net.py")
    assert (
        "`Dropout` is active"
        in run_shapelint(
            "check", "net.py:Net", "train.py", "--input", "1,8", cwd=tmp_path
        ).out
    )


def as_notebook(source: str) -> tuple[str, dict[int, tuple[int, int]]]:
    """A program as a notebook with a cell for each of its statements, and where each of
    its lines went."""
    nbformat = pytest.importorskip("nbformat")
    lines, cells = source.split("\n"), ["%matplotlib inline\n!pip install torch"]
    places: dict[int, tuple[int, int]] = {}
    for statement in ast.parse(source).body:
        first = min(
            [
                statement.lineno,
                *(each.lineno for each in getattr(statement, "decorator_list", [])),
            ]
        )
        last = statement.end_lineno or first
        cells.append("%%time\n" + "\n".join(lines[first - 1 : last]))
        places |= {
            line: (len(cells), line - first + 2) for line in range(first, last + 1)
        }
    book = nbformat.v4.new_notebook()
    for number, cell in enumerate(cells):
        book.cells += [
            nbformat.v4.new_markdown_cell(f"# Part {number}"),
            nbformat.v4.new_code_cell(cell),
        ]
    return nbformat.writes(book) + "\n", places


@pytest.mark.parametrize(("code", "what"), cases(FAULTY))
def test_a_faulty_notebook_is_found_at_its_cell_and_mended_there(
    code: str, what: str, write: Write, tmp_path: Path
) -> None:
    source = FAULTY[code][what]
    content, places = as_notebook(source)
    path = write(content, "train.ipynb")
    here = [
        number
        for number, line in enumerate(source.splitlines(), 1)
        if line.endswith("# here")
    ]
    report = check_source(Read(str(path), selected=ALL)).report
    findings = [item for item in report.diagnostics if item.code == code]
    spans = [item.span for item in findings if item.span is not None]
    assert [(span.file, span.line) for span in spans] == [
        (f"{path}:cell {places[line][0]}", places[line][1]) for line in here
    ]
    if not findings[0].fixes:
        assert what == "a copy thrown away"
        return
    shown = run_shapelint(
        "check",
        "train.ipynb",
        "--select",
        code,
        "--unsafe-fixes",
        "--diff",
        cwd=tmp_path,
    )
    assert shown.out.startswith("--- train.ipynb:cell ")
    assert path.read_text() == content
    run_shapelint(
        "check",
        "train.ipynb",
        "--select",
        code,
        "--unsafe-fixes",
        "--fix",
        cwd=tmp_path,
    )
    assert found(path, code) == []
    before, after = json.loads(content), json.loads(path.read_text())
    changed = [
        one["id"]
        for one, other in zip(before["cells"], after["cells"], strict=True)
        if one != other
    ]
    assert len(changed) == 1
    assert json.dumps(after, indent=1, ensure_ascii=False) + "\n" == path.read_text()


@pytest.mark.parametrize(("code", "what"), cases(CORRECT))
def test_a_notebook_that_only_looks_faulty_is_left_alone(
    code: str, what: str, write: Write
) -> None:
    assert found(write(as_notebook(CORRECT[code][what])[0], "train.ipynb"), code) == []


def test_notebooks_are_shown_cell_by_cell_and_cells_of_other_languages_passed_over(
    write: Write, tmp_path: Path
) -> None:
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook()
    cells = [
        "%matplotlib inline\n!pip install torch\nimport torch\nfrom torch import nn",
        "model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))\nmodel.load_state_dict(weights)",
        "%%bash\nls",
        "%%time\nnot python at all",
        "for x in test_loader:\n    %time out = model(x)\n    print(out.argmax(1))\nmodel?",
        "model.eval()\nfor x in test_loader:\n    !nvidia-smi\n    print(model(x).argmax(1))",
    ]
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    ways: tuple[dict[str, Any], ...] = (
        {"indent": 1},
        {"indent": 4, "ensure_ascii": True},
        {},
    )
    for way in ways:
        data = json.loads(nbformat.writes(book))
        data["metadata"]["title"] = "Prüfung"
        path = write(json.dumps(data, **way), "train.ipynb")
        done = run_shapelint(
            "check", "train.ipynb", "--output-format", "concise", cwd=tmp_path
        )
        assert "train.ipynb:cell 6:4:11: warning[SHP406]" in done.out
        full = run_shapelint("check", "train.ipynb", cwd=tmp_path)
        assert "print(model(x).argmax(1))" in full.out
        run_shapelint("check", "train.ipynb", "--fix", cwd=tmp_path)
        last = "model.eval()\nwith torch.no_grad():\n    for x in test_loader:\n        !nvidia-smi\n        print(model(x).argmax(1))"
        assert path.read_text() == json.dumps(
            data
            | {
                "cells": [
                    *data["cells"][:5],
                    data["cells"][5] | {"source": last.splitlines(keepends=True)},
                ]
            },
            **way,
        )


def test_an_old_notebook_is_read_and_not_written(write: Write, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    old = nbformat.v3.new_notebook(
        worksheets=[
            nbformat.v3.new_worksheet(
                cells=[nbformat.v3.new_code_cell(FAULTY["SHP406"]["plain script"])]
            )
        ]
    )
    content = nbformat.v3.writes_json(old)
    path = write(content, "train.ipynb")
    done = run_shapelint("check", "train.ipynb", "--fix", cwd=tmp_path)
    assert done.code == 2
    assert "save it with Jupyter first" in done.err
    assert path.read_text() == content


def test_many_files_are_read_by_several_processes(write: Write) -> None:
    for number in range(60):
        write("net.eval\n", f"many/part{number}.py")
    report = check_source(Read("many", selected=ALL)).report
    assert len(report.diagnostics) == 60
