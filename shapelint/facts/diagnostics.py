"""What shapelint has to say, as plain data: no torch, no formatting, nothing of the
package imported."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from shapelint.facts.places import Position, Span


class Severity(str, Enum):
    """How sure and how bad: `error` raises or is provably wrong, `info` never touches
    the exit code."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return ("error", "warning", "info").index(self.value)


OR_HERE = "or here"
"""How the message of a related place begins where another change would mend the
finding."""


@dataclass(frozen=True)
class Related:
    """Another place that has to do with the finding."""

    span: Span
    message: str


@dataclass(frozen=True)
class Edit:
    """Replace the text from `start` to `end` (exclusive) of `file`."""

    file: str
    start: Position
    end: Position
    replacement: str


@dataclass(frozen=True)
class Fix:
    """A change that mends the finding.

    `verified` is true only after the edited copy was loaded and walked again. `cost`
    says what it means for parameters and trained weights. A fix without edits changes
    the command, not the file: `inputs` are what is to be given instead, and `runs` says
    whether no call fails with them. `fits_other_sizes`: larger images fit as well.
    `others_stay`: with the input this finding is gone, and others are not."""

    title: str
    safety: str
    verified: bool
    edits: tuple[Edit, ...] = ()
    cost: str = ""
    inputs: tuple[str, ...] = ()
    runs: bool = False
    fits_other_sizes: bool = False
    others_stay: bool = False


@dataclass(frozen=True)
class TrailStep:
    """One call on the way to the finding, and the shape it gave."""

    layer: str
    op: str
    shape: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding.

    `message` stands alone; `label` goes under the marked span; `notes` say how it came
    about."""

    code: str
    name: str
    severity: Severity
    message: str
    target: str = ""
    layer: str = ""
    span: Span | None = None
    label: str = ""
    called_at: Span | None = None
    related: tuple[Related, ...] = ()
    expected: str | None = None
    found: str | None = None
    trail: tuple[TrailStep, ...] = ()
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    modes: tuple[str, ...] = ()

    @property
    def right_input(self) -> Fix | None:
        """The first help, where it is an input that the model runs with: then the input
        is wrong, not the model."""
        first = self.fixes[0] if self.fixes else None
        return first if first is not None and first.inputs and first.runs else None

    def with_model_kept(self) -> Diagnostic:
        """The same finding; no edit is safe, whatever weights it keeps, behind an input
        that the model runs with."""
        fixes: list[Fix] = []
        for fix in self.fixes:
            is_doubtful = fix.edits and any(
                earlier.inputs and earlier.runs for earlier in fixes
            )
            fixes.append(replace(fix, safety="unsafe") if is_doubtful else fix)
        return replace(self, fixes=tuple(fixes))

    def with_target(self, target: str) -> Diagnostic:
        """The same finding, named for the target it was found in."""
        return replace(self, target=target)

    @property
    def sort_key(self) -> tuple[int, str, int, int, str]:
        """Worst first, then by place."""
        span = self.span or Span("", 0)
        return (self.severity.rank, span.file, span.line, span.column or 0, self.code)


def _span(data: dict[str, Any] | None) -> Span | None:
    return Span(**data) if data else None


def _edit(data: dict[str, Any]) -> Edit:
    return Edit(
        data["file"],
        Position(**data["start"]),
        Position(**data["end"]),
        data["replacement"],
    )


def _fix(data: dict[str, Any]) -> Fix:
    edits = tuple(_edit(edit) for edit in data["edits"])
    return Fix(**{**data, "edits": edits, "inputs": tuple(data["inputs"])})


def to_plain(diagnostic: Diagnostic) -> dict[str, Any]:
    """The finding as JSON types, for the pipe between worker and parent."""
    return asdict(diagnostic)


def from_plain(data: dict[str, Any]) -> Diagnostic:
    """The inverse of `to_plain`."""
    data = dict(data)
    data["severity"] = Severity(data["severity"])
    data["span"] = _span(data["span"])
    data["called_at"] = _span(data["called_at"])
    data["related"] = tuple(
        Related(Span(**item["span"]), item["message"]) for item in data["related"]
    )
    data["trail"] = tuple(TrailStep(**step) for step in data["trail"])
    data["fixes"] = tuple(_fix(fix) for fix in data["fixes"])
    for key in ("notes", "modes"):
        data[key] = tuple(data[key])
    return Diagnostic(**data)
