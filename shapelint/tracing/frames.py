"""Finds the expression that a running frame is evaluating."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, TracebackType

from shapelint.facts.places import Site
from shapelint.syntax.live_cells import is_live_cell

OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder of this package."""

ENTRIES = ("enter_model", "enter_root", "enter_target")
"""Our functions that call the user's code."""


def is_below(path: str, folder: str) -> bool:
    """Whether an absolute path lies in a folder, at any depth."""
    return path.startswith(folder + os.sep)


def is_entry(frame: FrameType) -> bool:
    """Whether a frame is the one from which shapelint calls the user's code. Frames
    outside of it are not the user's."""
    code = frame.f_code
    return code.co_name in ENTRIES and is_below(code.co_filename, OWN_FOLDER)


def site_of_frame(frame: FrameType) -> Site:
    """The place that a frame is executing."""
    code = frame.f_code
    return _site(code, frame.f_lasti, frame.f_lineno, code.co_filename)


def site_of_traceback(traceback: TracebackType) -> Site:
    """The place that an exception passed, in the frame of one traceback entry."""
    code = traceback.tb_frame.f_code
    return _site(code, traceback.tb_lasti, traceback.tb_lineno, code.co_filename)


# Every call of a walk asks for its place, mostly for the same few hundred. `file` is part
# of the key because equal code objects of two files are equal.
@lru_cache(maxsize=20_000)
def _site(code: CodeType, lasti: int, lineno: int | None, file: str) -> Site:
    path = file if is_live_cell(file) else os.path.abspath(file)
    function = getattr(code, "co_qualname", code.co_name)
    line = lineno or code.co_firstlineno
    if sys.version_info < (3, 11):  # no columns
        return Site(path, function, line)
    # An instruction has two bytes.
    positions = next(islice(code.co_positions(), lasti // 2, None), None)
    if positions is None or positions[0] is None:
        return Site(path, function, line)
    start, end_line, start_column, end_column = positions
    return Site(
        path,
        function,
        start or line,
        _count_from_one(start_column),
        end_line,
        _count_from_one(end_column),
    )


def _count_from_one(column: int | None) -> int | None:
    """Convert a column from Python's count, which starts at 0."""
    return None if column is None else column + 1
