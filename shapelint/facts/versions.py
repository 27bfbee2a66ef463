"""The versions to state in a bug report."""

from __future__ import annotations

import platform

from shapelint import __version__


def versions(torch: str | None) -> dict[str, str | None]:
    """The versions to state in a bug report."""
    return {
        "name": "shapelint",
        "version": __version__,
        "torch": torch,
        "python": platform.python_version(),
    }
