"""`docs/start.md`, followed step by step in an empty folder."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.test_ci import action
from tests.test_pre_commit import Run, commit_all, run

START = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
__all__ = ["run"]


@dataclass(frozen=True)
class Step:
    """A file to be written, or a command and what it prints; `...` stands for
    anything."""

    file: str = ""
    command: str = ""
    text: str = ""


def steps(document: str) -> Iterator[Step]:
    """What a document says to do, in order."""
    for file, kind, body in re.findall(
        r"(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```",
        document,
        re.DOTALL | re.MULTILINE,
    ):
        if kind != "console":
            assert file, f"a block without a file's name: {body[:60]}"
            yield Step(file=file, text=body)
            continue
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield Step(command=command, text=output)


def fits(expected: str, found: str) -> bool:
    """Whether an output is as shown; `...` alone on a line, or at its end after a
    space, is anything."""
    parts = re.split(r"^\.\.\.$|(?<= )\.\.\.$", expected.strip(), flags=re.MULTILINE)
    return (
        re.fullmatch(".*?".join(map(re.escape, parts)), found.strip(), re.DOTALL)
        is not None
    )


def installed(command: str) -> None:
    """Of `pip install` only that what is named is here, the extras' requirements
    too."""
    for word in shlex.split(command)[2:]:
        name, _, extra = word.rstrip("]").partition("[")
        importlib.metadata.version(name)
        if extra:
            assert re.search(
                rf"^{extra} = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE
            )


@pytest.fixture
def hooks(tmp_path: Path, run: Run) -> tuple[str, str]:
    """This repository as pre-commit fetches it: where it lies and its revision."""
    folder = tmp_path / "hooks"
    folder.mkdir()
    (folder / ".pre-commit-hooks.yaml").write_text(
        (ROOT / ".pre-commit-hooks.yaml").read_text()
    )
    commit_all(folder, run)
    return str(folder), run("git", "rev-parse", "HEAD", cwd=folder).stdout.strip()


def test_the_steps_do_what_the_document_says(
    tmp_path: Path, run: Run, hooks: tuple[str, str]
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    done = 0
    for step in steps(START):
        if step.file:
            text = step.text.replace(
                "https://example.org/shapelint.git", hooks[0]
            ).replace("rev: v0.1.0", f"rev: {hooks[1]}")
            (project / step.file).parent.mkdir(parents=True, exist_ok=True)
            (project / step.file).write_text(text, encoding="utf-8")
        elif step.command.startswith("pip install"):
            installed(step.command)
        else:
            ran = run("bash", "-c", f"{step.command} 2>&1", cwd=project)
            assert fits(step.text, ran.stdout), (
                f"$ {step.command}\n{ran.stdout}\n--- expected\n{step.text}"
            )
            done += 1
    assert done >= 12
    assert (
        (project / "net.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    )


def test_what_ci_runs_there_passes_and_fails_on_a_broken_model(tmp_path: Path) -> None:
    """The workflow of the document: its steps are the action's script, and a
    command."""
    written = {step.file: step.text for step in steps(START) if step.file}
    (job,) = yaml.safe_load(written[".github/workflows/shapelint.yml"])["jobs"].values()
    words = {
        str(step.get("uses", "")).partition("@")[0]: step.get("with", {})
        for step in job["steps"]
    }
    for name in ("net.py", "test_net.py"):
        (tmp_path / name).write_text(written[name].replace("32 * 7 * 7", "32 * 8 * 8"))
    (tmp_path / "shapelint.toml").write_text(
        '[[targets]]\ntarget = "net.py:Net"\ninputs = ["1,3,32,32"]\n'
    )
    code, log, summary = action(tmp_path, ARGS=words["OWNER/shapelint"]["args"])
    assert (code, "::error" in log) == (0, False)
    assert "1 info in 2 targets" in summary
    assert [step["run"] for step in job["steps"] if "run" in step][
        -1
    ] == "pytest --shapelint"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--shapelint",
        "-p",
        "no:cacheprovider",
    ]
    passed = subprocess.run(
        tests,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert passed.returncode == 0, passed.stdout
    (tmp_path / "net.py").write_text(written["net.py"])
    code, log, _ = action(tmp_path, ARGS=words["OWNER/shapelint"]["args"])
    assert code == 1
    assert "::error file=net.py,line=16," in log
    assert (
        subprocess.run(
            tests, cwd=tmp_path, env=environment, capture_output=True, check=False
        ).returncode
        == 1
    )
