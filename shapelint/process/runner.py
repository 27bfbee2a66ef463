"""Runs a worker process for each target, with a time limit. This side never imports
torch."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import IO, Any

from shapelint.asked.request import (
    DONE,
    SO_FAR,
    STEP,
    ModelRequest,
    Read,
    Request,
    Walk,
    dump_request,
)
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import MORE_TIME, Outcome, TargetReport
from shapelint.facts.plain import from_plain
from shapelint.facts.tensors import ValueFact
from shapelint.process.start import start

END_SECONDS = 5.0
"""How many seconds a worker has to end after it was killed or has answered."""

LAST_BYTES = 2000
"""How many bytes of a worker's stderr are searched for its last line."""

OnStep = Callable[[str, str], None]
"""Called with the target and the step that its worker begins, from any thread."""


def _no_step(target: str, step: str) -> None:
    del target, step


class Worker:
    """A worker process. It imports torch while its request is still being built."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self.process = start(
            "shapelint.process.worker",
            environment or {},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.output,
            start_new_session=os.name == "posix",
        )

    def ask(self, request: ModelRequest, on_step: OnStep | None = None) -> Outcome:
        """Send the request and wait for the report, for at most `request.seconds`."""
        try:
            return self._wait_for_answer(request, on_step or _no_step)
        finally:
            self.output.close()

    def _wait_for_answer(self, request: ModelRequest, on_step: OnStep) -> Outcome:
        deadline = time.monotonic() + request.seconds
        lines: queue.Queue[bytes] = queue.Queue()
        # a thread, since the pipes of Windows cannot be waited for with a limit
        exchange = threading.Thread(
            target=self._exchange, args=(request, lines), daemon=True
        )
        exchange.start()
        so_far: bytes | None = None
        while True:
            line = _read_line_before(lines, deadline)
            if line is None:
                self.kill()
                return _build_partial_outcome(request, so_far)
            if line.startswith(STEP):
                step = line.removeprefix(STEP).decode(errors="replace")
                on_step(request.target, step.strip())
            elif line.startswith(SO_FAR):
                so_far = line.removeprefix(SO_FAR)
            elif line:
                return self._read_answer(request, line, so_far)
            else:
                return self._explain_silence(request, deadline, so_far)

    def _exchange(self, request: ModelRequest, lines: queue.Queue[bytes]) -> None:
        """Send the request, then put each line of the answer into `lines`. An empty
        line marks the end of the pipe.

        Standard input stays open, because the worker ends when it is closed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        left = memoryview(dump_request(request).encode() + b"\n")
        with contextlib.suppress(OSError, ValueError):
            while left:
                left = left[os.write(self.process.stdin.fileno(), left) :]
        line = STEP
        while line.startswith((STEP, SO_FAR)):
            try:
                line = self.process.stdout.readline()
            except (OSError, ValueError):
                line = b""
            lines.put(line)

    def _read_answer(
        self, request: ModelRequest, answer: bytes, so_far: bytes | None
    ) -> Outcome:
        try:
            outcome = _outcome_from(request, json.loads(answer), so_far)
        except (ValueError, TypeError, KeyError, AttributeError):
            # The user's code in that process found the pipe and wrote into it.
            self.kill()
            message = (
                "the process that ran the model wrote something else than a report"
            )
            return Outcome(_build_failed_report(request, message))
        self._close()
        return outcome

    def _explain_silence(
        self, request: ModelRequest, deadline: float, so_far: bytes | None
    ) -> Outcome:
        """Build the outcome if no answer came: the process has ended, or the model has
        closed the pipe."""
        left = max(0.0, deadline - time.monotonic())
        try:
            code = self.process.wait(timeout=min(left, threading.TIMEOUT_MAX))
        except subprocess.TimeoutExpired:
            self.kill()
            return _build_partial_outcome(request, so_far)
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        message = f"the process that ran the model ended {how}"
        outcome = Outcome(_build_failed_report(request, message, self._last_words()))
        self._close()
        return outcome

    def _last_words(self) -> str:
        """The last line that the process wrote to stderr."""
        self.output.seek(0, os.SEEK_END)
        self.output.seek(max(0, self.output.tell() - LAST_BYTES))
        text = self.output.read().decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def kill(self) -> None:
        """Kill the worker and everything that it started."""
        with contextlib.suppress(OSError):
            self.process.terminate()  # its supervisor ends the rest
            if os.name == "posix":
                self.process.send_signal(signal.SIGCONT)  # a model may have stopped it
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=END_SECONDS)
        self._close()
        self.output.close()

    def _close(self) -> None:
        """Close the pipes. The process ends by itself once it has answered."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self.process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
            self.process.wait(timeout=END_SECONDS)


def _read_line_before(lines: queue.Queue[bytes], deadline: float) -> bytes | None:
    """The next line; None after the deadline."""
    left = deadline - time.monotonic()
    try:
        return lines.get(timeout=min(left, threading.TIMEOUT_MAX)) if left > 0 else None
    except queue.Empty:
        return None


def _outcome_from(
    request: ModelRequest, data: dict[str, Any], so_far: bytes | None = None
) -> Outcome:
    """Convert an answer to an outcome. If shapelint failed after the walk, the report
    of the walk is kept."""
    torch = data.get("torch")
    if "report" in data:
        return Outcome(from_plain(TargetReport, data["report"]), torch)
    if "late" in data:
        return replace(_build_partial_outcome(request, so_far), torch=torch)
    if "usage" in data:
        return Outcome(_build_failed_report(request, data["usage"]), torch)
    if so_far is not None:
        return replace(
            _outcome_from(request, json.loads(so_far)), torch=torch, fault=data["fault"]
        )
    return Outcome(
        _build_failed_report(request, "shapelint failed on this target"),
        torch,
        data["fault"],
    )


def _build_partial_outcome(request: ModelRequest, so_far: bytes | None) -> Outcome:
    """The outcome of a target that took too long: the report of the walk, or else that
    nothing was walked."""
    message = f"not finished after {request.seconds:g} s"
    if so_far is None:
        return Outcome(
            _build_failed_report(request, message, "raise the limit with --timeout")
        )
    outcome = _outcome_from(request, json.loads(so_far))
    outcome.report.notes.append(f"{message}: the search for fixes was cut; {MORE_TIME}")
    return outcome


def _build_failed_report(
    request: ModelRequest, message: str, note: str = ""
) -> TargetReport:
    from shapelint.rules.gaps.target_not_loadable import not_loadable

    diagnostic = not_loadable(message, None, note).with_target(request.target)
    words = request.inputs if isinstance(request, Walk) else ()
    inputs = [ValueFact(word) for word in words]
    return TargetReport(request.target, inputs, Status.FAILED, diagnostics=[diagnostic])


def run_all(
    requests: Sequence[Request],
    first: Worker | None = None,
    on_step: OnStep | None = None,
) -> list[Outcome]:
    """Run all requests, and return the outcomes in order. Models come first, because
    their layers help to judge the files."""
    on_step = on_step or _no_step
    models = [request for request in requests if not isinstance(request, Read)]
    walked = _run_models(models, first, on_step) if models else []
    sources = [request for request in requests if isinstance(request, Read)]
    read = _read_all(sources, walked, on_step) if sources else []
    of_models, of_sources = iter(walked), iter(read)
    return [
        next(of_sources if isinstance(request, Read) else of_models)
        for request in requests
    ]


def _read_all(
    requests: list[Read], walked: list[Outcome], on_step: OnStep
) -> list[Outcome]:
    # the modules that read training code are not needed for models alone
    from shapelint.process.check_source import check_source
    from shapelint.sources.read_source import find_walked_layers

    known = find_walked_layers([outcome.report for outcome in walked])
    outcomes = []
    for request in requests:
        on_step(request.target, "reading")
        outcomes.append(check_source(request, known))
        on_step(request.target, DONE)
    return outcomes


def _run_models(
    requests: list[ModelRequest], first: Worker | None, on_step: OnStep
) -> list[Outcome]:
    """Run as many workers at a time as there are cores."""
    idle = [first] if first is not None else []
    running: list[Worker] = [*idle]

    def one(request: ModelRequest) -> Outcome:
        worker = idle.pop() if idle else Worker()
        running.append(worker)
        on_step(request.target, "importing torch")
        outcome = worker.ask(request, on_step)
        on_step(request.target, DONE)
        return outcome

    count = max(1, min(len(requests), os.cpu_count() or 1))
    with ThreadPoolExecutor(max_workers=count) as pool:
        try:
            return list(pool.map(one, requests))
        except BaseException:
            # Ctrl-C: the workers are sessions of their own and would go on
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in running:
                worker.kill()
            raise
