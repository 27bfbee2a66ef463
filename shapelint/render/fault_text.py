"""What users see where shapelint itself failed."""

from __future__ import annotations

from shapelint.facts.versions import versions


def write_fault(fault: str, torch: str | None) -> str:
    """A fault of ours, with the versions that a report of it must name."""
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
