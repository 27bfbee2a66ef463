"""The result of checking a target, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.drawing import Picture
from shapelint.facts.kinds import Status, TargetKind
from shapelint.facts.rows import Row, Totals
from shapelint.facts.tensors import ValueFact

MORE_TIME = "`--timeout` gives it more time"
"""Said of what the time limit has cut."""


@dataclass(frozen=True)
class Outcome:
    """The result of a request. It always has a report; `fault` is set if shapelint
    itself failed."""

    report: TargetReport
    torch: str | None = None
    fault: str | None = None


@dataclass
class TargetReport:
    """The report on one target. `notes` say how it was walked; `files` are the files
    that were read."""

    target: str
    inputs: list[ValueFact] = field(default_factory=list)
    status: Status = Status.CHECKED
    output: ValueFact | None = None
    rows: list[Row] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    notes: list[str] = field(default_factory=list)
    calls_checked: int = 0
    calls_unchecked: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)
    tree: str | None = None
    kind: TargetKind = TargetKind.MODEL
    files: list[str] = field(default_factory=list)
    suppressed: int = 0
    unfinished: bool = False
    """Whether the time limit was exceeded before everything was walked."""
    known: int = 0
    """The number of findings that are in the baseline."""
    acted: list[tuple[str, int, int, str]] = field(default_factory=list)
    """The comments that suppressed something: file, line and column, and the code in
    the comment."""
    picture: Picture | None = None
    proposed: list[str] = field(default_factory=list)
    """Inputs with which the model runs, each as after `--input`."""
