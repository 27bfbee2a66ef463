"""Room on Python's stack for our own frames, so that a model may nest as deeply as in
eager."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

FACTOR = 3
"""Frames there are under a walk for each one of eager, rounded up: a module call has
three more than its own four."""

OURS = 1000
"""Frames for what is ours alone, as `copy.deepcopy` of a model."""

HIGHEST = 12_000
"""The limit is not raised beyond: calls take from the C stack as well, and 8 MB of it
end at about 16,000 frames."""


@contextlib.contextmanager
def room_for_our_frames() -> Iterator[None]:
    """Recursion goes deeper inside by what we add; a limit that the user's own code
    sets inside is left to it."""
    before = sys.getrecursionlimit()
    raised = max(before, min(before * FACTOR + OURS, HIGHEST))
    sys.setrecursionlimit(raised)
    try:
        yield
    finally:
        if sys.getrecursionlimit() == raised:
            sys.setrecursionlimit(before)
