"""Decides which files are the user's own, and finds their frames on the stack."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from types import FrameType, TracebackType

import torch

from shapelint.facts.places import Site
from shapelint.syntax.live_cells import is_live_cell
from shapelint.syntax.texts import DISK, Texts
from shapelint.tracing.frames import (
    OWN_FOLDER,
    is_below,
    is_entry,
    site_of_frame,
    site_of_traceback,
)

_TORCH = os.path.dirname(os.path.abspath(torch.__file__))
_STDLIB = tuple(
    os.path.abspath(path)
    for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    if path
)
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Ownership:
    """Which files are the user's own: those of the target's package, and neither
    torch's, nor a library's, nor ours. Also holds the texts they were run from."""

    def __init__(self, own_roots: tuple[str, ...] = (), texts: Texts = DISK) -> None:
        self.texts = texts
        self.own_roots = tuple(os.path.abspath(root) for root in own_roots)
        # Asked for each frame of each call.
        self._owned: dict[str, bool] = {}
        self._libraries: dict[str, bool] = {}

    def owns(self, file: str) -> bool:
        """Whether a file is the user's own."""
        known = self._owned.get(file)
        if known is None:
            known = self._owned[file] = self._judge(file)
        return known

    def _judge(self, file: str) -> bool:
        if file.startswith("<"):
            return is_live_cell(file)
        path = os.path.abspath(file)
        if is_below(path, _TORCH) or is_below(path, OWN_FOLDER):
            return False
        # Before the packages: a target may itself be installed in one.
        if any(_is_in_root(path, root) for root in self.own_roots):
            return True
        if _leads_into_packages(path):
            return False
        return not any(is_below(path, folder) for folder in _STDLIB)

    def is_library(self, file: str) -> bool:
        """Whether a file belongs to a library other than torch and the standard
        library."""
        known = self._libraries.get(file)
        if known is None:
            known = self._libraries[file] = _is_library(file)
        return known

    def nearest(self, frame: FrameType | None = None) -> Site | None:
        """The innermost frame in the user's own code, or else in a library."""
        return next(self.sites(frame), None)

    def sites(self, frame: FrameType | None = None) -> Iterator[Site]:
        """The user's frames, innermost first; if there are none, the innermost frame of
        a library."""
        return map(site_of_frame, self.frames(frame or sys._getframe(1)))

    def frames(self, frame: FrameType) -> Iterator[FrameType]:
        """The frames of `sites`."""
        current: FrameType | None = frame
        library, has_own = None, False
        while current is not None and not is_entry(current):
            file = current.f_code.co_filename
            if self.owns(file):
                has_own = True
                yield current
            elif library is None and not has_own and self.is_library(file):
                library = current
            current = current.f_back
        if library is not None and not has_own:
            yield library

    def in_traceback(self, traceback: TracebackType | None) -> list[Site]:
        """The user's frames of a traceback, innermost first; if there are none, the
        innermost frame of a library."""
        found, library = [], None
        while traceback is not None:
            file = traceback.tb_frame.f_code.co_filename
            if self.owns(file):
                found.append(site_of_traceback(traceback))
            elif self.is_library(file):
                library = site_of_traceback(traceback)
            traceback = traceback.tb_next
        if not found and library is not None:
            return [library]
        return found[::-1]


def _is_in_root(path: str, root: str) -> bool:
    if path == root:
        return True
    # A virtual environment may lie inside the project.
    return is_below(path, root) and not _leads_into_packages(path[len(root) :])


def _leads_into_packages(path: str) -> bool:
    return any(part in path for part in _PACKAGES)


def _is_library(file: str) -> bool:
    if file.startswith("<"):
        return False
    path = os.path.abspath(file)
    apart: tuple[str, ...] = (_TORCH, OWN_FOLDER)
    # Installed packages mostly lie below the standard library.
    if not _leads_into_packages(path):
        apart = (*apart, *_STDLIB)
    return not any(is_below(path, folder) for folder in apart)
