"""What many tests need: the command as a user runs it, and a check without the second
process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"


@dataclass(frozen=True)
class Result:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


def run_shapelint(*words: str, cwd: Path = ROOT, **environment: Any) -> Result:
    """Run `shapelint` as a user does, in a process of its own."""
    settings = {
        key: value
        for key, value in os.environ.items()
        if key not in ("NO_COLOR", "FORCE_COLOR")
    }
    done = subprocess.run(
        [sys.executable, "-m", "shapelint", *words],
        cwd=cwd,
        env={**settings, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def shapelint() -> Callable[..., Result]:
    return run_shapelint


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a file into an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def write_file(source: str, name: str = "net.py") -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source))
        return file

    return write_file


@pytest.fixture
def lint(write: Callable[..., Path]) -> Callable[..., Any]:
    """Check a model's source in this process; answers with the report."""

    def check_source(
        source: str,
        *inputs: str,
        target: str = "Net",
        name: str = "net.py",
        **more: Any,
    ) -> Any:
        return check_target(f"{write(source, name).name}:{target}", *inputs, **more)

    return check_source


def check_target(target: str, *inputs: str, **more: Any) -> Any:
    """Check a target in this process; answers with the report."""
    from shapelint.asked.request import Walk
    from shapelint.checking.walk_target import check
    from shapelint.rules import catalogue

    more.setdefault("selected", tuple(catalogue().rules))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the worker does so too: warnings of user code are not ours
        return check(Walk(target, inputs, **more))


def codes(report: Any) -> list[str]:
    """Codes of a report's findings, in order."""
    return [diagnostic.code for diagnostic in report.diagnostics]


def errors(report: Any) -> list[str]:
    """Codes of a report's errors, in order."""
    return [
        diagnostic.code
        for diagnostic in report.diagnostics
        if diagnostic.severity.value == "error"
    ]
