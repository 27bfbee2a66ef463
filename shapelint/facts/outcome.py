"""What became of a target: plain data, which imports nothing but the diagnostics."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from shapelint.facts.diagnostics import Diagnostic, from_plain
from shapelint.facts.drawing import Block, Link, Picture
from shapelint.facts.rows import Row, Totals


@dataclass(frozen=True)
class Outcome:
    """What became of a request: a report always; `fault` is set where shapelint itself
    failed."""

    report: TargetReport
    torch: str | None = None
    fault: str | None = None


@dataclass
class TargetReport:
    """What became of one target. `status` is checked, partial or failed; notes say how
    it was walked.

    `kind`: `model` for one that was walked, `source` for files that were read, which
    `files` names."""

    target: str
    inputs: list[str] = field(default_factory=list)
    status: str = "checked"
    output: str | None = None
    rows: list[Row] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    notes: list[str] = field(default_factory=list)
    calls_checked: int = 0
    calls_unchecked: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)
    tree: str | None = None
    kind: str = "model"
    files: list[str] = field(default_factory=list)
    suppressed: int = 0
    unfinished: bool = False
    """Whether the time for the target was over before all of it was walked."""
    known: int = 0
    """Findings that a baseline has."""
    acted: list[tuple[str, int, int, str]] = field(default_factory=list)
    """What suppressed something: file, line and column of a comment, and the code in
    it."""
    picture: Picture | None = None


def report_to_plain(report: TargetReport) -> dict[str, Any]:
    """The report as JSON types."""
    return asdict(report)


def _picture(data: dict[str, Any]) -> Picture:
    def place(value: list[Any] | None) -> tuple[str, int] | None:
        return (value[0], value[1]) if value is not None else None

    blocks = [
        Block(
            **{**block, "made": place(block["made"]), "called": place(block["called"])}
        )
        for block in data["blocks"]
    ]
    return Picture(blocks, [Link(**link) for link in data["links"]], data["left_out"])


def report_from_plain(data: dict[str, Any]) -> TargetReport:
    """The inverse of `report_to_plain`."""
    data = dict(data)
    data["rows"] = [Row(**row) for row in data["rows"]]
    data["totals"] = Totals(**data["totals"])
    data["acted"] = [tuple(place) for place in data["acted"]]
    if data["picture"] is not None:
        data["picture"] = _picture(data["picture"])
    data["diagnostics"] = [from_plain(item) for item in data["diagnostics"]]
    return TargetReport(**data)
