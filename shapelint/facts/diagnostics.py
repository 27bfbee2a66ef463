"""What shapelint has to say, as plain data: no torch, no formatting, nothing of the
package imported."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from shapelint.facts.kinds import DiagnosticKind, Mode, NoPlace, Safety, Word
from shapelint.facts.places import Position, Span


class Severity(Word):
    """How sure and how bad: `error` raises or is provably wrong, `info` never touches
    the exit code."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Related:
    """Another place that has to do with the finding. `is_other_place`: a change there
    would mend it too."""

    span: Span
    message: str
    is_other_place: bool = False


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
    safety: Safety
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
class Draft:
    """What a rule has to say, before its place is known.

    `message` stands alone; `label` goes under the marked span; `notes` say how it came
    about."""

    code: str
    name: str
    severity: Severity
    message: str
    layer: str = ""
    label: str = ""
    related: tuple[Related, ...] = ()
    expected: str | None = None
    found: str | None = None
    trail: tuple[TrailStep, ...] = ()
    notes: tuple[str, ...] = ()
    kind: DiagnosticKind = DiagnosticKind.FINDING

    def at(
        self,
        span: Span | None,
        called_at: Span | None = None,
        otherwise: NoPlace | None = None,
    ) -> Diagnostic:
        """The diagnostic at its place. `otherwise`: why it may have none.

        Raises:
            ValueError: there is neither a place nor a reason for having none.
        """
        # Not `asdict`, which would make dicts of the places within.
        own = {field.name: getattr(self, field.name) for field in fields(Draft)}
        is_placed = span is not None or called_at is not None
        reason = None if is_placed else otherwise
        return Diagnostic(**own, span=span, called_at=called_at, no_place=reason)


@dataclass(frozen=True)
class Diagnostic(Draft):
    """What is reported: one finding, at its place.

    `called_at`: the call of the layer, where that is another line. `modes`: those in
    which it shows."""

    target: str = ""
    span: Span | None = None
    called_at: Span | None = None
    no_place: NoPlace | None = None
    fixes: tuple[Fix, ...] = ()
    modes: tuple[Mode, ...] = ()

    def __post_init__(self) -> None:
        if self.place is None and self.no_place is None:
            raise ValueError(f"{self.code} has no place, and no reason for having none")

    @property
    def place(self) -> Span | None:
        """Where it is shown: its own place, else where its layer is called."""
        return self.span or self.called_at

    @property
    def is_gap(self) -> bool:
        """Whether it names a part that the walk could not judge."""
        return self.kind is DiagnosticKind.GAP

    @property
    def is_unchecked(self) -> bool:
        """Whether nothing was checked of what it names: a target or a file."""
        return self.kind is DiagnosticKind.UNCHECKED

    @property
    def is_about_code(self) -> bool:
        """Whether a comment at its place may suppress it."""
        return self.kind in (DiagnosticKind.FINDING, DiagnosticKind.GAP)

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
            fixes.append(replace(fix, safety=Safety.UNSAFE) if is_doubtful else fix)
        return replace(self, fixes=tuple(fixes))

    def with_target(self, target: str) -> Diagnostic:
        """The same finding, named for the target it was found in."""
        return replace(self, target=target)

    @property
    def sort_key(self) -> tuple[int, str, int, int, str]:
        """Worst first, then by place."""
        span = self.span or Span("", 0)
        return (self.severity.rank, span.file, span.line, span.column or 0, self.code)
