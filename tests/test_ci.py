"""The GitHub action's own script, and what the documentation tells others to run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, run_shapelint

BROKEN = (
    "from torch import nn\n\nmodel = nn.Sequential(nn.Linear(8, 4), nn.Linear(5, 2))\n"
)
CONFIG = '[tool.shapelint]\n[[tool.shapelint.targets]]\ntarget = "net.py:model"\ninputs = "1,8"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(BROKEN)
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    return tmp_path


def action(project: Path, **given: str) -> tuple[int, str, str]:
    """Run the action's check step as the runner does: exit code, log, summary."""
    steps = {
        step["name"]: step
        for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    }
    python = project / "bin" / "python"
    python.parent.mkdir(exist_ok=True)
    python.unlink(missing_ok=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment = {
        **os.environ, "TARGETS": "", "ARGS": "", "SARIF_FILE": "shapelint.sarif", **given,
        "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]), "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(project / "summary.md"), "GITHUB_OUTPUT": str(project / "output"),
    }  # fmt: skip
    words = [
        "bash",
        "--noprofile",
        "--norc",
        "-eo",
        "pipefail",
        "-c",
        steps["check"]["run"],
    ]
    done = subprocess.run(
        words, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, (project / "summary.md").read_text()


def test_the_action_annotates_writes_sarif_and_a_summary(project: Path) -> None:
    code, log, summary = action(project)
    assert code == 1
    assert log.startswith("::error file=net.py,line=3,")
    assert "| error | SHP101 linear-input-mismatch | `net.py:3` |" in summary
    (run,) = json.loads((project / "shapelint.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["SHP101"]
    assert (project / "output").read_text() == "exit-code=1\n"
    code, log, _ = action(
        project, TARGETS="net.py:model", ARGS="--input 1,8 --ignore SHP101"
    )
    assert (code, "::error" in log) == (0, False)


def test_words_of_the_action_are_not_run(project: Path) -> None:
    action(
        project, TARGETS="$(touch gone) `touch gone` ; touch gone", ARGS="; touch gone"
    )
    assert not (project / "gone").exists()


def test_the_job_for_gitlab_writes_what_it_hands_on(project: Path) -> None:
    (text,) = re.findall(
        r"```yaml\n(shapelint:.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL
    )
    job: dict[str, Any] = yaml.safe_load(text)["shapelint"]
    (command,) = [line for line in job["script"] if line.startswith("shapelint ")]
    assert run_shapelint(*command.split()[1:], cwd=project).code == 1
    for file in job["artifacts"]["reports"].values():
        assert "SHP101" in (project / file).read_text()
