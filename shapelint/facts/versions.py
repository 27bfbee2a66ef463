"""The versions that a report of a fault must name."""

from __future__ import annotations

import platform

from shapelint import __version__


def versions(torch: str | None) -> dict[str, str | None]:
    """The versions a report of a fault must name."""
    return {
        "name": "shapelint",
        "version": __version__,
        "torch": torch,
        "python": platform.python_version(),
    }
