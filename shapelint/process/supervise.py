"""Ends our process when its parent ends, together with everything that it has started.

If the system can fork, the original process stays behind as a supervisor, which runs
none of the user's code: a thread could not end a process whose C code never releases
the interpreter. On other systems, a thread does it."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import sys
import threading
import time
from collections.abc import Callable

_END_SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT")
"""The signals on which a supervisor ends its child."""

_POLL_MILLISECONDS = 1000
"""How often a supervisor checks that its parent is alive, in milliseconds."""

_REAP_SECONDS = 5.0
"""How many seconds killed processes have to disappear."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def own_input() -> int:
    """Duplicate standard input for ourselves. All other code sees an empty one from now
    on."""
    ours = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return ours


class Inbox:
    """Reads lines from a descriptor. This process exits when the descriptor is
    closed."""

    def __init__(self, descriptor: int) -> None:
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._fill, args=(descriptor,), daemon=True).start()

    def _fill(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as stream:
            for line in stream:
                self._lines.put(line)
        os._exit(0)

    def next(self) -> bytes:
        """Wait for the next line."""
        return self._lines.get()


def enter_supervision() -> Callable[[], bytes]:
    """Put this process under supervision. Return a function that waits for the first
    line of standard input, the request."""
    ours = own_input()
    if not hasattr(os, "fork"):
        return Inbox(ours).next
    _fork(ours)

    def first_line() -> bytes:
        with os.fdopen(ours, "rb") as stream:
            return stream.readline()

    return first_line


def _fork(lifeline: int) -> None:
    """Continue in a child. The parent waits until the child has ended or `lifeline` is
    closed, then ends everything."""
    awake, waker = os.pipe()
    os.set_blocking(waker, False)
    numbers = [signal.SIGCHLD, *(getattr(signal, name) for name in _END_SIGNALS)]
    handlers = [(number, signal.signal(number, lambda *_: None)) for number in numbers]
    signal.set_wakeup_fd(waker)
    supervisor = os.getpid()
    child = os.fork()
    if child:
        with contextlib.suppress(OSError):
            os.setpgid(child, child)
        _supervise(child, lifeline, awake)
    signal.set_wakeup_fd(-1)
    for number, handler in handlers:
        signal.signal(number, handler)
    os.close(awake)
    os.close(waker)
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    _call_prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before it could be asked for
        os._exit(1)


def _supervise(child: int, lifeline: int, awake: int) -> None:
    """Wait for the child, end everything, and exit as the child did."""
    _call_prctl(_PR_SET_CHILD_SUBREAPER, 1)
    status = None
    try:
        status = _wait_for_end(child, lifeline, awake)
    finally:
        if status is None:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        _end_all(child)
        _end_like(status)


def _wait_for_end(child: int, lifeline: int, awake: int) -> int | None:
    """The status with which the child ended; None if it must be ended."""
    parent = os.getppid()
    poller = select.poll()
    poller.register(lifeline, 0)  # that its other end is closed is always told
    poller.register(awake, select.POLLIN)
    while os.getppid() == parent:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        for descriptor, _ in poller.poll(_POLL_MILLISECONDS):
            if descriptor == lifeline or set(os.read(awake, 64)) - {signal.SIGCHLD}:
                return None
    return None


def _end_all(group: int) -> None:
    """Kill a child's process group, and all processes that this one inherited when
    their own parents ended."""
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
    until = time.monotonic() + _REAP_SECONDS
    while time.monotonic() < until:
        for process in _children():
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _children() -> list[int]:
    """The children of this process; empty without /proc."""
    names = os.listdir("/proc") if sys.platform == "linux" else ()
    return [
        int(name)
        for name in names
        if name.isdigit() and _parent_of(name) == os.getpid()
    ]


def _parent_of(process: str) -> int | None:
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            after_name = file.read().rpartition(")")[2].split()
        return int(after_name[1])
    except (OSError, ValueError, IndexError):
        return None


def _end_like(status: int | None) -> None:
    """Exit with the exit code of a child, or by the signal that ended it."""
    if status is not None and os.WIFSIGNALED(status):
        import resource

        number = os.WTERMSIG(status)
        resource.setrlimit(
            resource.RLIMIT_CORE, (0, 0)
        )  # the child has left one already
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status) if status is not None else 1)


def _call_prctl(option: int, value: int) -> None:
    """Call Linux's `prctl`. Does nothing on other systems, or if it is refused."""
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
