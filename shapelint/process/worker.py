"""The process that imports torch and the user's code. It reads a request from stdin and
writes a report to stdout, both as plain data.

The output of the user's code is redirected, so that it cannot be mistaken for the
report."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from shapelint.asked.request import SO_FAR, STEP
from shapelint.facts.errors import OutOfTimeError
from shapelint.process.supervise import enter_supervision

ALARM = 0.85
"""The share of the time limit after which the running code is interrupted. The rest of
the time is for the report."""

LONGEST = 1e8
"""The most seconds to which an alarm can be set. Used if there is no time limit."""

MEMORY_LIMIT = 8 * 2**30
"""The private memory of the worker in bytes, if the system can limit it (Linux)."""


def limit_memory(limit: int = MEMORY_LIMIT) -> None:
    """Make an allocation beyond the limit fail, so that the user's machine does not run
    out of memory."""
    try:
        import resource

        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        wanted = min(limit, int(physical * 0.8))
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(
            resource.RLIMIT_DATA, (wanted if hard == -1 else min(wanted, hard), hard)
        )
    except (ImportError, ValueError, OSError, AttributeError):
        return


@contextlib.contextmanager
def alarm(started: float, seconds: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the running code when most of the time is over, if the
    system has an alarm."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def end_run(*_: object) -> None:
        raise OutOfTimeError(seconds)

    before = signal.signal(signal.SIGALRM, end_run)
    left = started + seconds * ALARM - time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, min(max(0.1, left), LONGEST))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Answers:
    """Writes lines to the parent. Descriptor 1 becomes stderr, so that no other output
    is mistaken for them."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        self._is_what = os.fstat(self._descriptor)
        os.dup2(2, 1)

    def write(self, line: str) -> None:
        """Write a line. Does nothing if the parent is gone or cannot be reached."""
        left = memoryview(f"{line}\n".encode())
        with contextlib.suppress(OSError):
            if not self._is_open():
                self._reopen()
            while left:
                left = left[os.write(self._descriptor, left) :]

    def _is_open(self) -> bool:
        """Whether the descriptor is still ours. The model may have closed it and opened
        another file."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._is_what)
        except OSError:
            return False

    def _reopen(self) -> None:
        """Open the pipe again through the supervisor, which still holds it."""
        self._descriptor = os.open(f"/proc/{os.getppid()}/fd/1", os.O_WRONLY)


def run(text: str, started: float, write: Callable[[str], None]) -> dict[str, Any]:
    """The report for a request, or a description of our own fault. `started`: when its
    time began (monotonic seconds)."""
    from shapelint.asked.request import Propose, Walk, load_request
    from shapelint.checking.propose import propose
    from shapelint.checking.walk_target import check
    from shapelint.facts.errors import UsageError
    from shapelint.facts.outcome import TargetReport
    from shapelint.facts.plain import to_plain

    def on_step(step: str) -> None:
        write(f"{STEP.decode()}{step}")

    def on_walked(report: TargetReport) -> None:
        write(SO_FAR.decode() + json.dumps({"report": to_plain(report)}))

    try:
        request = load_request(text)
        assert isinstance(request, Walk | Propose)
        with alarm(started, request.seconds):
            if isinstance(request, Propose):
                report = propose(request, on_step)
            else:
                report = check(request, on_step, on_walked, started)
        return {"report": to_plain(report)}
    except OutOfTimeError as error:
        return {"late": str(error)}
    except UsageError as error:
        return {"usage": str(error)}
    except Exception:
        return {"fault": traceback.format_exc()}


def main() -> None:
    """Read a request and write its report."""
    started = time.monotonic()
    request_line = enter_supervision()
    answers = Answers()
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    limit_memory()
    import warnings

    warnings.simplefilter("ignore")
    version: str | None = None
    try:
        # importing torch takes most of a second: it is done before the request is read
        from shapelint.tracing.torch_version import torch_version

        version = torch_version()
    except ImportError as error:
        request_line()
        answer = {"usage": f"cannot import torch in {sys.executable}: {error}"}
    else:
        answer = run(request_line().decode(), started, answers.write)
    answers.write(json.dumps({**answer, "torch": version}))
    os._exit(0)  # threads and atexit hooks of the user's code are not waited for


if __name__ == "__main__":
    main()
