"""`python -m benchmarks.failing [--depths 1 2 8] [--rounds N] [NAME ...]`: what the
check of a failing model costs.

Each figure is a ratio to `import torch`, in wall time and in processor time. The
commands take turns, so that a slow moment of the machine meets both."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.failing_programs import Program, programs

ROOT = Path(__file__).resolve().parent.parent
TORCH = [sys.executable, "-c", "import torch"]
SHAPELINT = [sys.executable, "-m", "shapelint", "check"]
SMALL_CNN = "SmallCNN at 32x32"
FIXTURE = ROOT / "fixtures" / "small_cnn.py"
DEPTH = 2
"""The layers of a program at its usual size."""


class Cost(NamedTuple):
    """Seconds of wall and of processor time."""

    wall: float
    processor: float


def cost_of(command: list[str], folder: Path) -> Cost:
    """The cost of a command and of the processes it waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode > 1:
        sys.exit(done.stderr.decode() + done.stdout.decode())
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, used)


def command_for(program: Program, file: Path) -> list[str]:
    """Write a program to a file. Return the command that checks it."""
    file.write_text(program.source)
    words = [word for each in program.inputs for word in ("--input", each)]
    target = "SmallCNN" if program.name == SMALL_CNN else "Net"
    return [*SHAPELINT, f"{file.name}:{target}", *words]


def measure(
    drawn: list[Program], rounds: int, folder: Path
) -> Iterator[tuple[str, Cost]]:
    """The ratios of each program to `import torch`, each the median of its rounds."""
    for program in drawn:
        command = command_for(program, folder / "net.py")
        ratios = []
        for _ in range(rounds):
            torch = cost_of(TORCH, folder)
            own = cost_of(command, folder)
            pairs = zip(own, torch, strict=True)
            ratios.append(Cost(*(ours / base for ours, base in pairs)))
        middle = (statistics.median(each) for each in zip(*ratios, strict=True))
        yield program.name, Cost(*middle)


def tell(title: str, found: dict[str, Cost]) -> None:
    """Print the median and the worst."""
    for index, kind in enumerate(Cost._fields):
        ordered = sorted(found, key=lambda name: found[name][index])
        middle = statistics.median(cost[index] for cost in found.values())
        worst = ordered[-1]
        print(
            f"{title}, {kind:<9} median {middle:5.2f}, worst {found[worst][index]:5.2f} ({worst})",
            flush=True,
        )


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--depths", type=int, nargs="*", default=[1, 2, 8])
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--each", action="store_true", help="print every program")
    words.add_argument("names", nargs="*")
    given = words.parse_args()
    small = Program(SMALL_CNN, FIXTURE.read_text(), ("1,3,32,32",))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tell(SMALL_CNN, dict(measure([small], 3 * given.rounds, folder)))
        for times in given.depths:
            drawn = [
                program
                for program in programs(DEPTH * times)
                if not given.names or any(word in program.name for word in given.names)
            ]
            found = {}
            for title, cost in measure(drawn, given.rounds, folder):
                found[title] = cost
                if given.each:
                    print(f"  {title:<24} {cost.wall:6.2f} {cost.processor:6.2f}")
            tell(f"{len(found)} failing programs, {times} times the layers", found)


if __name__ == "__main__":
    main()
