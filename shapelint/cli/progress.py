"""Shows progress on stderr: a bar on a terminal if the check takes long, lines with
--verbose, otherwise nothing."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from types import TracebackType
from typing import Any

import click

from shapelint.asked.request import DONE, STEPS
from shapelint.cli import say
from shapelint.facts.escape import in_one_line

PATIENCE = 1.0
"""Seconds before a bar is shown. Most runs are over by then."""

_BAR_WIDTH, _BAR_COLUMNS = 24, 38
"""The columns of the bar alone, and with its borders and numbers."""

_TARGET_SHOWN = 40
"""How many characters of a target's name are shown beside the bar. The last ones say
the most."""


class Progress:
    """Receives every step of every target, from any thread, and shows them while its
    context is active."""

    def __init__(
        self, targets: int, quiet: bool = False, verbose: bool = False
    ) -> None:
        self.verbose = verbose
        self.is_shown = not quiet and not verbose and sys.stderr.isatty()
        self.started = time.monotonic()
        self._length = targets * len(STEPS)
        self._done: dict[str, int] = {}
        self._since: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def step(self, target: str, name: str) -> None:
        """Show that a step of a target has begun."""
        with self._lock:
            if self.verbose:
                self._say(target, name)
            if self.is_shown:
                self._draw(target, name)

    def _say(self, target: str, name: str) -> None:
        now = time.monotonic()
        before, since = self._since.get(target, ("", now))
        if before:
            say(f"{in_one_line(target)}: {before} took {now - since:.2f} s", err=True)
        self._since[target] = (name, now)

    def _draw(self, target: str, name: str) -> None:
        reached = STEPS.index(name) + (name == DONE) if name in STEPS else 1
        self._done[target] = max(reached, self._done.get(target, 0))
        if self._bar is None:
            if time.monotonic() - self.started < PATIENCE:
                return
            self._bar = click.progressbar(
                length=self._length,
                file=sys.stderr,
                show_eta=False,
                item_show_func=lambda item: item or "",
                width=_BAR_WIDTH,
            )
            self._bar.__enter__()
        words = ""
        if name != DONE:
            # a line that wraps could not be taken away
            room = max(0, shutil.get_terminal_size().columns - _BAR_COLUMNS)
            words = f"{in_one_line(target)[-_TARGET_SHOWN:]}: {name}"[:room]
        self._bar.update(sum(self._done.values()) - self._bar.pos, words)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the bar."""
        if self._bar is not None:
            # Not the bar's own end, which leaves it there. click has hidden the cursor.
            click.echo("\r\x1b[K\x1b[?25h", file=sys.stderr, nl=False)
            self._bar = None
