"""Start-up and memory, as ratios measured in one run: `make bench`.

The commands take turns, and the median of each counts, so that a slow moment of the
machine meets them all."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9

SHAPELINT = [sys.executable, "-m", "shapelint"]
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "shapelint --help": [*SHAPELINT, "--help"],
    "import torch": [sys.executable, "-c", "import torch"],
    "check SmallCNN": [
        *SHAPELINT,
        "check",
        "fixtures/small_cnn.py:SmallCNN",
        "--input",
        "1,3,64,64",
    ],
    "check SmallCNN, failing": [
        *SHAPELINT,
        "check",
        "fixtures/small_cnn.py:SmallCNN",
        "--input",
        "1,3,32,32",
    ],
    "check 7B transformer": [
        *SHAPELINT,
        "check",
        "fixtures/gpt.py:seven_billion()",
        "--input",
        "1,128:int64",
    ],
}


def timed(command: list[str]) -> float:
    """Seconds of one run."""
    started = time.perf_counter()
    subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    return time.perf_counter() - started


def peak(command: list[str]) -> float:
    """Peak memory, in MB, of a command and the processes it waits for."""
    source = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], capture_output=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1000


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            seconds[name].append(timed(command))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        f"{'command':<26}{'seconds':>9}{'/ import torch':>16}{'/ pass':>9}{'peak MB':>10}"
    )
    for name, command in COMMANDS.items():
        ratio = median[name] / median["import torch"]
        bare = median[name] / median["python -c pass"]
        print(
            f"{name:<26}{median[name]:>9.3f}{ratio:>16.2f}{bare:>9.1f}{peak(command):>10.0f}"
        )


if __name__ == "__main__":
    main()
