"""The text that users see if shapelint itself fails."""

from __future__ import annotations

from shapelint.facts.versions import versions


def write_fault(fault: str, torch: str | None) -> str:
    """Describe an internal fault, with the versions to state in a bug report."""
    known = versions(torch)
    named = ", ".join(
        (
            f"shapelint {known['version']}",
            f"torch {known['torch']}",
            f"Python {known['python']}",
        )
    )
    return (
        f"this is a fault of shapelint ({named}), not of your model; "
        f"please report it with:\n{fault}"
    )
