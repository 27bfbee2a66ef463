"""What is only read is not run: neither by a name that shadows a module, nor for a word
in a string."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shapelint.process import start
from shapelint.syntax.own_inputs import has_own_input
from tests.conftest import ROOT, Result, run_shapelint

Write = Callable[..., Path]
SHADOWS = "ast codecs copy dataclasses difflib fnmatch json multiprocessing pickle queue random select shapelint signal socket"
SHADOWS += " subprocess tempfile threading tokenize tomllib torch traceback typing"
PYTHONS = [sys.executable, "python3.10", "python3.12", "python3.13", "python3.14"]
RUNS = "open({name!r} + '.ran', 'w')\n"


@pytest.mark.parametrize("count", [1, 60])
def test_a_folder_that_is_read_is_not_run(count: int, tmp_path: Path) -> None:
    for number in range(count):
        (tmp_path / f"m{number}.py").write_text(
            "import torch\nmodel = torch.load('x')\nmodel.eval\n"
        )
    for name in SHADOWS.split():
        (tmp_path / f"{name}.py").write_text(RUNS.format(name=name))
    done = run_started_outside("check", ".", "--output-format", "concise", cwd=tmp_path)
    assert done.code == 1
    assert done.out.count("SHP405") == count
    assert done.err == ""
    assert not list(tmp_path.glob("*.ran"))


def run_started_outside(*words: str, cwd: Path) -> Result:
    """As the console script does: the working directory is not on `sys.path`."""
    code = f"import sys; sys.path[:] = [{str(ROOT)!r}, *(p for p in sys.path if p)]; from shapelint.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *words],
        cwd=cwd, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("python", PYTHONS)
def test_a_process_of_ours_imports_nothing_of_the_folder_it_starts_in(
    python: str, tmp_path: Path
) -> None:
    """With each Python there is: of those before 3.11 none has an option for it."""
    if (
        shutil.which(python) is None
        or subprocess.run(
            [python, "-c", ""], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip(f"no {python}")
    for name in SHADOWS.split():
        (tmp_path / f"{name}.py").write_text(RUNS.format(name=name))
    home = tmp_path / "home"
    (home / "shapelint").mkdir(parents=True)
    (home / "shapelint" / "__init__.py").write_text("")
    (home / "shapelint" / "asked.py").write_text(
        "import json, random\ndef main(): print(json.dumps([1]), random.random() < 2)"
    )
    for boot, more in (
        (start._BOOT.format(home=str(home), module="shapelint.asked"), []),
        (start._BOOT_ISOLATED.format(module="shapelint.asked"), [f'["{home}"]']),
    ):
        isolated = ["-I"] if more else []
        done = subprocess.run(
            [python, *isolated, "-c", boot, *more],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stdout == "[1] True\n", done.stderr
    assert not list(tmp_path.glob("*.ran"))


def test_the_worker_starts_isolated(write: Write, tmp_path: Path) -> None:
    write(
        "from torch import nn\n\nclass Net(nn.Linear):\n    def __init__(self):\n        super().__init__(8, 2)\n"
    )
    for name in SHADOWS.split():
        (tmp_path / f"{name}.py").write_text(RUNS.format(name=name))
    (tmp_path / "torch.py").unlink()  # imported by the model, as Python would
    done = run_started_outside("check", "net.py:Net", "--input", "1,8", cwd=tmp_path)
    assert done.code == 0, done
    assert not list(tmp_path.glob("*.ran"))


WORDS = {
    "a string": 'NOTE = "example_input_array"',
    "a docstring": '"""# shapelint: input=1,8"""',
    "another comment": "x = 1  # shapelint: input=1,8 can stand on a class, as can example_input_array",
    "a function": "# shapelint: input=1,8\ndef make():\n    example_input_array = 1",
    "a name": "example_input_array = 1",
    "a string in a class": "class Net(Base):\n    text = '# shapelint: input=1,8'\n    words = 'example_input_array'",
    "a comment in a method": "class Net(Base):\n    def forward(self, x):\n        return x  # shapelint: input=1,8",
    "another attribute": "class Net(Base):\n    def forward(self, x):\n        return self.example_input_array",
    "no Python": "class Net(Base:\n    example_input_array = 1",
}
INPUTS = {
    "a comment above": "# the one\n# shapelint: input=1,8\nclass Net(Base):\n    pass",
    "above a decorator": "# shapelint: input=1,8\n@some\nclass Net(Base):\n    pass",
    "on its line": "class Net(Base):  # shapelint: input=1,8\n    pass",
    "inside": 'class Net(Base):\n    """A net."""\n    # shapelint: input=1,8\n    def forward(self, x):\n        return x',
    "an attribute of the class": "class Net(Base):\n    example_input_array: object = 1",
    "one of the object": "class Net(Base):\n    def __init__(self):\n        self.example_input_array = 1",
}


@pytest.mark.parametrize("name", WORDS)
def test_words_do_not_decide_that_a_file_is_run(
    name: str, write: Write, tmp_path: Path
) -> None:
    file = write(WORDS[name] + "\n" + RUNS.format(name="words"))
    assert not has_own_input(str(file))
    run_shapelint("check", "net.py", cwd=tmp_path)
    assert not list(tmp_path.glob("*.ran"))


@pytest.mark.parametrize("name", INPUTS)
def test_a_class_and_its_comment_do(name: str, write: Write) -> None:
    assert has_own_input(str(write(INPUTS[name])))


def test_such_a_file_is_walked_with_it(write: Write, tmp_path: Path) -> None:
    write(
        "from torch import nn\n\n\n# shapelint: input=1,8\nclass Net(nn.Linear):\n    def __init__(self):\n        super().__init__(8, 2)\n"
    )
    done = run_shapelint("check", "net.py", cwd=tmp_path)
    assert done.code == 0
    assert "inputs from the comment on the class" in done.out
    assert "f32[1,8]" in done.out
