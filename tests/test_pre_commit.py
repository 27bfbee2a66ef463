"""The hooks, run by the real pre-commit in a real repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, run_shapelint

NET = """from torch import nn

from .blocks import Block


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        return self.fc(self.block(x).mean((2, 3)))
"""
BLOCK = "from torch import nn\n\n\nclass Block(nn.Conv2d):\n    def __init__(self):\n        super().__init__(3, 8, 3)\n"
CONFIG = '[tool.shapelint]\n[[tool.shapelint.targets]]\ntarget = "models/net.py:Net"\ninputs = "1,3,16,16"\n'
Run = Callable[..., subprocess.CompletedProcess[str]]


def commit_all(folder: Path, run: Run) -> None:
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "-A", cwd=folder)
    run("git", "commit", "-q", "-m", "first", "--no-verify", cwd=folder)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command as a user would in whose environment shapelint is installed."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "shapelint").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m shapelint "$@"\n'
    )
    (tools / "shapelint").chmod(0o755)
    names = ("AUTHOR", "COMMITTER")
    who = {
        f"GIT_{name}_{what}": value
        for name in names
        for what, value in (("NAME", "a"), ("EMAIL", "a@b.c"))
    }
    environment = {
        **{
            key: value
            for key, value in os.environ.items()
            if not key.startswith("GIT_")
        },
        **who,
        "PATH": os.pathsep.join(
            [str(tools), os.path.dirname(sys.executable), os.environ["PATH"]]
        ),
        "PYTHONPATH": str(ROOT),
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }

    def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return command


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Path:
    """A project with one model in two files, and the hooks installed."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / ".pre-commit-hooks.yaml").write_text(
        (ROOT / ".pre-commit-hooks.yaml").read_text()
    )
    commit_all(hooks, run)
    revision = run("git", "rev-parse", "HEAD", cwd=hooks).stdout.strip()
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    for name, text in {
        "models/__init__.py": "", "models/net.py": NET, "models/blocks.py": BLOCK, "pyproject.toml": CONFIG,
        "notes.md": "a\n", "other.py": "x = 1\n",
        ".pre-commit-config.yaml": f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: shapelint\n",
    }.items():  # fmt: skip
        (folder / name).write_text(text)
    commit_all(folder, run)
    done = run("pre-commit", "install", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_broken_model_is_refused_and_the_mended_one_passes(
    project: Path, run: Run
) -> None:
    def commit() -> subprocess.CompletedProcess[str]:
        run("git", "add", "-A", cwd=project)
        return run("git", "commit", "-m", "change", cwd=project)

    (project / "models/blocks.py").write_text(BLOCK.replace("3, 8, 3", "3, 9, 3"))
    done = commit()
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "error[SHP101]: `Linear` takes 8 features but gets 9" in said
    assert "models/net.py:10" in said
    (project / "models/blocks.py").write_text(BLOCK.replace("3, 8, 3", "3, 8, 5"))
    done = commit()
    assert done.returncode == 0, done.stdout + done.stderr
    (project / "other.py").write_text(
        "import torch\nmodel = torch.load('x')\nmodel.eval\n"
    )
    done = commit()
    assert done.returncode != 0
    assert "SHP405" in done.stdout + done.stderr


def test_what_is_not_of_a_model_is_not_walked_and_torch_not_imported(
    project: Path,
) -> None:
    code = (
        "import sys; from shapelint.cli import main\n"
        "try:\n    main(['check', '--changed', *sys.argv[1:]])\nexcept SystemExit as end:\n    print('code', end.code)\n"
        "print('torch' in sys.modules, any('worker' in name for name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for files in (["other.py"], ["notes.md"], []):
        done = subprocess.run(
            [sys.executable, "-c", code, *files],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-2:] == ["code 0", "False False"]


@pytest.mark.parametrize(
    ("changed", "walked"),
    [
        (["models/net.py"], True), (["models/blocks.py"], True), (["models/__init__.py"], True),
        (["other.py"], False), (["pyproject.toml"], True), (["gone.py"], False),
    ],
)  # fmt: skip
def test_a_target_is_checked_if_it_is_made_of_what_changed(
    changed: list[str], walked: bool, project: Path
) -> None:
    done = run_shapelint("check", "--changed", *changed, cwd=project)
    assert done.code == 0
    assert ("walked 3 calls" in done.out) is walked
