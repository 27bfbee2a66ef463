"""The parent's side: a worker process for each target, bounded in time; never imports torch."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

from shapelint import __version__
from shapelint.diagnostics import Diagnostic, Severity, TargetReport, report_from_plain
from shapelint.request import DONE, STEP, Request


@dataclass(frozen=True)
class Outcome:
    """What became of a request: a report always; `fault` is set where shapelint itself failed."""

    report: TargetReport
    torch: str | None = None
    fault: str | None = None


OnStep = Callable[[str, str], None]
"""Is told the target and what its worker has begun to do; from any thread."""


def _no_step(target: str, step: str) -> None:
    del target, step


class Worker:
    """A worker that is importing torch already, while the request is still being made up."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "shapelint.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.output,
            env={**os.environ, "PYTHONPATH": _python_path(), "PYTHONSAFEPATH": "1", **(environment or {})},
            start_new_session=os.name == "posix",
        )

    def ask(self, request: Request, on_step: OnStep | None = None) -> Outcome:
        """Send the request and wait for the report, `request.seconds` at most."""
        try:
            return self._asked(request, on_step or _no_step)
        finally:
            self.output.close()

    def _asked(self, request: Request, on_step: OnStep) -> Outcome:
        deadline = time.monotonic() + request.seconds
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._exchange, args=(request, lines), daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                return Outcome(
                    _died(request, f"not finished after {request.seconds:g} s", "raise the limit with --timeout")
                )
            if not line.startswith(STEP):
                break
            on_step(request.target, line.removeprefix(STEP).decode().strip())
        outcome = self._read(request, line)
        self._close()
        return outcome

    def _exchange(self, request: Request, lines: queue.Queue[bytes]) -> None:
        """Send the request, and take what comes back, line by line; an empty one where nothing comes any more."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(request.dumps().encode())
            self.process.stdin.close()
        line = STEP
        while line.startswith(STEP):
            try:
                line = self.process.stdout.readline()
            except (OSError, ValueError):
                line = b""
            lines.put(line)

    def _close(self) -> None:
        """The pipes; the process ends by itself once it has answered."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)

    def _read(self, request: Request, answer: bytes) -> Outcome:
        try:
            data: dict[str, Any] = json.loads(answer)
        except ValueError:
            code = self.process.wait()
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            last = self._last_words()
            return Outcome(_died(request, f"the process that ran the model ended {how}", last))
        if "report" in data:
            return Outcome(report_from_plain(data["report"]), data.get("torch"))
        if "usage" in data:
            return Outcome(_died(request, data["usage"], ""), data.get("torch"))
        return Outcome(_died(request, "shapelint failed on this target", ""), data.get("torch"), data["fault"])

    def _last_words(self) -> str:
        self.output.seek(0, os.SEEK_END)
        self.output.seek(max(0, self.output.tell() - 2000))
        lines = [line for line in self.output.read().decode(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def kill(self) -> None:
        """End the worker and whatever it started."""
        try:
            if os.name == "posix":
                os.killpg(self.process.pid, 9)
            else:
                self.process.kill()
        except (OSError, ProcessLookupError):
            pass
        self._close()
        self.output.close()


def _python_path() -> str:
    """Where this package lies, for a worker started from any directory."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    known = os.environ.get("PYTHONPATH")
    return here if not known else os.pathsep.join([known, here])


def _died(request: Request, message: str, note: str) -> TargetReport:
    diagnostic = Diagnostic(
        "SHP902",
        "target-not-loadable",
        Severity.ERROR,
        message,
        target=request.target,
        notes=(note,) if note else (),
    )
    return TargetReport(request.target, list(request.inputs), "failed", diagnostics=[diagnostic])


def run_all(requests: list[Request], first: Worker | None = None, on_step: OnStep | None = None) -> Iterable[Outcome]:
    """An outcome for each request, in order: models first, then with what is known of them the files to be read."""
    models = [request for request in requests if not request.source]
    tell = on_step or _no_step
    walked = iter(_run_models(models, first, tell) if models else ())
    outcomes = [None if request.source else next(walked) for request in requests]
    if len(models) == len(requests):
        return [outcome for outcome in outcomes if outcome is not None]
    from shapelint.sources import check_source, layers_walked

    known = layers_walked([outcome.report for outcome in outcomes if outcome is not None])
    found: list[Outcome] = []
    for request, outcome in zip(requests, outcomes, strict=True):
        if outcome is not None:
            found.append(outcome)
            continue
        tell(request.target, "reading")
        found.append(Outcome(check_source(request, known)))
        tell(request.target, DONE)
    return found


def _run_models(requests: list[Request], first: Worker | None, on_step: OnStep) -> list[Outcome]:
    """As many at a time as there are cores."""
    idle = [first] if first is not None else []
    running: list[Worker] = [*idle]

    def one(request: Request) -> Outcome:
        worker = idle.pop() if idle else Worker()
        running.append(worker)
        on_step(request.target, "importing torch")
        outcome = worker.ask(request, on_step)
        on_step(request.target, DONE)
        return outcome

    with ThreadPoolExecutor(max_workers=max(1, min(len(requests), os.cpu_count() or 1))) as pool:
        try:
            return list(pool.map(one, requests))
        except BaseException:  # Ctrl-C: the workers are sessions of their own and would go on
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in running:
                worker.kill()
            raise


def versions(torch: str | None) -> dict[str, str | None]:
    """The versions a report of a fault must name."""
    return {"name": "shapelint", "version": __version__, "torch": torch, "python": platform.python_version()}
