"""The types of the Python interface, as mypy and pyright see them from outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

TYPED = Path(__file__).parent / "typed"
WRONG = [
    number
    for number, line in enumerate((TYPED / "wrong.py").read_text().splitlines(), 1)
    if "# wrong" in line
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that uses shapelint, apart from ours."""
    folder = tmp_path_factory.mktemp("typed")
    for name in ("use.py", "wrong.py"):
        (folder / name).write_text((TYPED / name).read_text())
    (folder / "pyrightconfig.json").write_text(
        json.dumps({"extraPaths": [str(ROOT)], "typeCheckingMode": "standard"})
    )
    return folder


def lines_of(done: subprocess.CompletedProcess[str], name: str) -> list[int]:
    return sorted(
        {int(line) for line in re.findall(rf"{name}:(\d+):.*error", done.stdout)}
    )


def run(files: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = {**os.environ, "MYPYPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=files,
        env=path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_mypy(files: Path) -> None:
    done = run(
        files,
        "mypy",
        "--strict",
        f"--cache-dir={ROOT / '.mypy_cache'}",
        "use.py",
        "wrong.py",
    )
    assert lines_of(done, "use.py") == [], done.stdout
    assert lines_of(done, "wrong.py") == WRONG, done.stdout


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "shapelint" / "py.typed").is_file()
    assert '"py.typed"' in (ROOT / "pyproject.toml").read_text()


def test_pyright(files: Path) -> None:
    done = run(files, "pyright", "--pythonpath", sys.executable, "use.py", "wrong.py")
    assert lines_of(done, "use.py") == [], done.stdout
    assert lines_of(done, "wrong.py") == WRONG, done.stdout + done.stderr
