"""What shapelint has to say, as plain data: no torch, no formatting, nothing of the package imported."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any


class Severity(str, Enum):
    """How sure and how bad: `error` raises or is provably wrong, `info` never touches the exit code."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return ("error", "warning", "info").index(self.value)


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; line and column count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Span:
    """A stretch of a file, the end exclusive. Without columns (Python 3.10) it covers the line."""

    file: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


OR_HERE = "or here"
"""How the message of a related place begins where another change would mend the finding."""


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

    `verified` is true only after the edited copy was loaded and walked again. `cost` says what it
    means for parameters and trained weights. A fix without edits changes the command, not the file:
    `inputs` are what is to be given instead, and `runs` says whether no call fails with them.
    """

    title: str
    safety: str
    verified: bool
    edits: tuple[Edit, ...] = ()
    cost: str = ""
    inputs: tuple[str, ...] = ()
    runs: bool = False


@dataclass(frozen=True)
class TrailStep:
    """One call on the way to the finding, and the shape it gave."""

    layer: str
    op: str
    shape: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding.

    `message` stands alone; `label` goes under the marked span; `notes` say how it came about.
    """

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
        """The first help, where it is an input that the model runs with: then the input is wrong, not the model."""
        first = self.fixes[0] if self.fixes else None
        return first if first is not None and first.inputs and first.runs else None

    def with_model_kept(self) -> Diagnostic:
        """The same finding; no edit is safe, whatever weights it keeps, behind an input that the model runs with."""
        fixes: list[Fix] = []
        for fix in self.fixes:
            is_doubtful = fix.edits and any(earlier.inputs and earlier.runs for earlier in fixes)
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
    return Edit(data["file"], Position(**data["start"]), Position(**data["end"]), data["replacement"])


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
    data["related"] = tuple(Related(Span(**item["span"]), item["message"]) for item in data["related"])
    data["trail"] = tuple(TrailStep(**step) for step in data["trail"])
    data["fixes"] = tuple(_fix(fix) for fix in data["fixes"])
    for key in ("notes", "modes"):
        data[key] = tuple(data[key])
    return Diagnostic(**data)


@dataclass
class Row:
    """One call of the walk, as a row of the per-layer table. Shapes are written `f32[1,3,64,64]`."""

    name: str
    op: str
    kind: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    params: int = 0
    mult_adds: int = 0
    file: str | None = None
    line: int | None = None
    repeat: bool = False
    shared: bool = False
    failed: bool = False


@dataclass
class Totals:
    """Sums over the model; a tied weight counts once. `param_bytes` in bytes, `mult_adds` for one forward."""

    params: int = 0
    trainable_params: int = 0
    param_bytes: int = 0
    mult_adds: int = 0
    features_params: int | None = None
    head_params: int | None = None


@dataclass
class Block:
    """A box of the picture: an input, the output, a call, or a module with what is inside (`kind` "container").

    `layer`: qualified name of the module, for a function of the one it is called in. `size`: elements of the largest
    tensor it gives. `within`: the position of the container it is in. `made` and `called`: file and line.
    """

    layer: str
    op: str
    kind: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    size: int = 0
    params: int = 0
    mult_adds: int = 0
    within: int | None = None
    made: tuple[str, int] | None = None
    called: tuple[str, int] | None = None
    failed: bool = False


@dataclass
class Link:
    """A tensor on its way from one block to another, and its shape. `into_failed`: the failing call is fed with it."""

    source: int
    target: int
    shape: str
    into_failed: bool = False


@dataclass
class Picture:
    """Blocks in the order of the calls, the model itself first, and the links between those that hold no others.

    `left_out`: calls for which there is no room.
    """

    blocks: list[Block] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    left_out: int = 0


@dataclass
class TargetReport:
    """What became of one target. `status` is checked, partial or failed; notes say how it was walked.

    `kind`: `model` for one that was walked, `source` for files that were read, which `files` names.
    """

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
    """What suppressed something: file, line and column of a comment, and the code in it."""
    picture: Picture | None = None


def report_to_plain(report: TargetReport) -> dict[str, Any]:
    """The report as JSON types."""
    return asdict(report)


def _picture(data: dict[str, Any]) -> Picture:
    def place(value: list[Any] | None) -> tuple[str, int] | None:
        return (value[0], value[1]) if value is not None else None

    blocks = [
        Block(**{**block, "made": place(block["made"]), "called": place(block["called"])}) for block in data["blocks"]
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
