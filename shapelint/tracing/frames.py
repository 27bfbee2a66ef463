"""From a running frame to the user's own expression."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, TracebackType

import torch

from shapelint.facts.places import Site
from shapelint.syntax.live_cells import is_live_cell
from shapelint.syntax.texts import DISK, Texts

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_TORCH = os.path.dirname(os.path.abspath(torch.__file__))
_STDLIB = tuple(
    os.path.abspath(path)
    for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    if path
)
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


ENTRIES = ("enter_model", "enter_root", "enter_target")
"""Functions of ours from which the user's code is called."""


class Ownership:
    """Which files are the user's: not torch's, not the library's, not ours, but the
    target's own package; and the texts they were run from."""

    def __init__(self, own_roots: tuple[str, ...] = (), texts: Texts = DISK) -> None:
        self.texts = texts
        self.own_roots = tuple(os.path.abspath(root) for root in own_roots)
        self._known: dict[str, bool] = {}
        self._libraries: dict[str, bool] = {}

    def owns(self, file: str) -> bool:
        """Whether a frame in this file is the user's own."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._judge(file)
        return known

    def _judge(self, file: str) -> bool:
        if file.startswith("<"):
            return is_live_cell(file)
        path = os.path.abspath(file)
        if _below(path, _TORCH) or _below(path, _HERE):
            return False
        for root in self.own_roots:
            if path == root or (
                _below(path, root) and not _has_packages(path[len(root) :])
            ):
                return True
        if _has_packages(path):
            return False
        return not any(_below(path, root) for root in _STDLIB)

    def is_library(self, file: str) -> bool:
        """Whether a frame is somebody's, but neither the user's nor torch's nor the
        standard library's."""
        known = self._libraries.get(file)
        if known is None:
            path = os.path.abspath(file)
            apart = (_TORCH, _HERE, *(() if _has_packages(path) else _STDLIB))
            known = not file.startswith("<") and not any(
                _below(path, root) for root in apart
            )
            self._libraries[file] = known
        return known

    def nearest(self, frame: FrameType | None = None) -> Site | None:
        """The innermost frame that is the user's own; where there is none, a
        library's."""
        return next(self.sites(frame), None)

    def sites(self, frame: FrameType | None = None) -> Iterator[Site]:
        """The user's frames, innermost first; where there are none, the innermost of a
        library."""
        frame = frame or sys._getframe(1)
        library, found = None, False
        while frame is not None and not _is_entry(frame.f_code):
            file = frame.f_code.co_filename
            if self.owns(file):
                found = True
                yield site_of(frame)
            elif library is None and not found and self.is_library(file):
                library = frame
            frame = frame.f_back
        if library is not None and not found:
            yield site_of(library)

    def in_traceback(self, traceback: TracebackType | None) -> list[Site]:
        """The user's frames of a traceback, innermost first; where there are none, the
        innermost of a library."""
        found, library = [], None
        while traceback is not None:
            file = traceback.tb_frame.f_code.co_filename
            if self.owns(file):
                found.append(_at(traceback))
            elif self.is_library(file):
                library = _at(traceback)
            traceback = traceback.tb_next
        return found[::-1] if found or library is None else [library]


def _at(traceback: TracebackType) -> Site:
    code = traceback.tb_frame.f_code
    return _site(code, traceback.tb_lasti, traceback.tb_lineno, code.co_filename)


def _is_entry(code: CodeType) -> bool:
    """Whether a frame is where we call the user's code: what is beyond it called us."""
    return code.co_name in ENTRIES and _below(code.co_filename, _HERE)


def _has_packages(path: str) -> bool:
    """Whether a path leads into installed packages; a virtual environment may lie
    inside the project."""
    return any(part in path for part in _PACKAGES)


def _below(path: str, root: str) -> bool:
    return path.startswith(root + os.sep)


def site_of(frame: FrameType) -> Site:
    """The place a frame is at."""
    return _site(frame.f_code, frame.f_lasti, frame.f_lineno, frame.f_code.co_filename)


@lru_cache(maxsize=20_000)
def _site(code: CodeType, lasti: int, lineno: int | None, file: str) -> Site:
    # `file` is part of the key: equal code objects of two files are equal
    line, column, end_line, end_column = lineno or code.co_firstlineno, None, None, None
    if sys.version_info >= (3, 11):
        positions = next(islice(code.co_positions(), lasti // 2, None), None)
        if positions is not None and positions[0] is not None:
            start, end_line, start_column, stop_column = positions
            line = start or line
            column = None if start_column is None else start_column + 1
            end_column = None if stop_column is None else stop_column + 1
    name = getattr(code, "co_qualname", code.co_name)
    return Site(
        file if is_live_cell(file) else os.path.abspath(file),
        name,
        line,
        column,
        end_line,
        end_column,
    )
