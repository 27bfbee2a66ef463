"""What became of a target: plain data, which imports nothing but the diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

from shapelint.diagnostics import TargetReport


@dataclass(frozen=True)
class Outcome:
    """What became of a request: a report always; `fault` is set where shapelint itself failed."""

    report: TargetReport
    torch: str | None = None
    fault: str | None = None
