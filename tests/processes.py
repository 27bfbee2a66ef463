"""Commands that are started, ended from outside, and looked for afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT

MARK = "SHAPELINT_TESTED_AS"
PATIENCE = 90.0
"""Seconds that are waited for what must happen sooner or later."""


class Started:
    """A command that runs on, with all the processes that come of it."""

    def __init__(self, *words: str, cwd: Path) -> None:
        self.mark = uuid.uuid4().hex
        environment = {**os.environ, "PYTHONPATH": str(ROOT), MARK: self.mark}
        command = [sys.executable, "-m", "shapelint", *words]
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def running(self) -> list[int]:
        """The processes that there are of it."""
        return processes(f"{MARK}={self.mark}")

    def end(self, number: signal.Signals) -> None:
        """Send a signal to the command alone."""
        self.process.send_signal(number)
        self.process.wait(timeout=PATIENCE)


def processes(mark: str) -> list[int]:
    """The processes with a text in their environment, dead ones left out."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_one = (
                entry.name.isdigit()
                and mark.encode() in (entry / "environ").read_bytes()
            )
        except OSError:
            continue
        if is_one and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def wait_until(holds: Callable[[], bool]) -> bool:
    """Whether something holds, now or within a time that is longer than it should ever
    take."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return holds()
