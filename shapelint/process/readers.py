"""Reads many files in several processes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from typing import Any

from shapelint.process.start import start_isolated

PARTS = 8
"""Parts for each process. With small parts, no process waits long for the others at the
end."""


Found = tuple[list[str], Any]
"""Files that were read together, and the answer of their reader; None if it crashed
over them."""


class Readers:
    """As many reader processes as there are cores. `common`: the part of the request
    that is the same for all files."""

    def __init__(self, common: dict[str, Any]) -> None:
        self._common = common
        self._parts: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self._found: list[Found] = []

    def read(self, files: list[str]) -> list[Found]:
        """Read files in parts. A file over which a reader process crashes is reported
        by itself."""
        count = os.cpu_count() or 1
        size = max(1, len(files) // (count * PARTS))
        for at in range(0, len(files), size):
            self._parts.put(files[at : at + size])
        # Ctrl-C ends the command, and with it these threads and, since nobody asks any
        # more, the readers
        threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(self._found, key=lambda item: item[0])

    def _work(self) -> None:
        """Read parts until none is left. The files of a part over which a process
        crashed are read one by one."""
        process = None
        while True:
            try:
                part = self._parts.get_nowait()
            except queue.Empty:
                break
            process, answer = self._ask(process, part)
            if answer is not None or len(part) == 1:
                self._found.append((part, answer))
                continue
            for file in part:
                process, answer = self._ask(process, [file])
                self._found.append(([file], answer))
        if process is not None:
            _end(process)

    def _ask(
        self, process: subprocess.Popen[bytes] | None, part: list[str]
    ) -> tuple[subprocess.Popen[bytes] | None, Any]:
        """The result for some files, and the process to continue with, None if it
        crashed."""
        if process is None:
            process = start_isolated(
                "shapelint.process.reader",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=os.name == "posix",
            )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(
                json.dumps({**self._common, "files": part}).encode() + b"\n"
            )
            process.stdin.flush()
            return process, json.loads(process.stdout.readline())
        except (OSError, ValueError):
            _end(process)
            return None, None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a reader by closing its standard input, or kill it if it does not end."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
