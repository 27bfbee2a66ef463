"""Diagnostics as plain data. No torch, no formatting, and nothing else of the package
except `facts`."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from shapelint.facts.kinds import DiagnosticKind, Mode, NoPlace, Safety, Word
from shapelint.facts.places import Position, Span


class Severity(Word):
    """How serious a finding is. An `error` raises or is provably wrong; an `info` never
    changes the exit code."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the most serious."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Related:
    """Another place that belongs to the finding. `is_background`: it only says where
    something comes from, or where it could be changed too. Machines get it; people
    would have to look all of them up to learn little."""

    span: Span
    message: str
    is_background: bool = False


@dataclass(frozen=True)
class SizeOrigin:
    """What one of the sizes that differ was computed from. `expression`: in the words
    of the user's code; empty if it is the number as it is written. `places`: where the
    numbers in it are written."""

    size: int
    expression: str
    places: tuple[Span, ...]


@dataclass(frozen=True)
class Edit:
    """Replace the text from `start` to `end` (exclusive) of `file`."""

    file: str
    start: Position
    end: Position
    replacement: str


@dataclass(frozen=True)
class Fix:
    """A change that fixes the finding.

    `verified` is true only after the edited copy was loaded and walked again. `cost`
    says what the change means for the number of parameters and for trained weights. A
    fix without edits changes the command instead of a file: `inputs` are the inputs to
    pass, and `runs` is true if no call fails with them. `fits_other_sizes`: the edited
    model takes larger images too. `others_stay`: with these inputs this finding is
    gone, but other findings are not."""

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
    """One call on the way to the finding, and the shape of its result."""

    layer: str
    op: str
    shape: str


@dataclass(frozen=True)
class Draft:
    """The finding of a rule before its place is known.

    `message` stands alone; `label` is printed below the marked span; `notes` explain
    how the finding came about."""

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
        """Return the diagnostic at its place. `otherwise` is the reason why it may have
        no place.

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
    """One finding at its place, as it is reported.

    `called_at` is the place of the layer's call, if that is on another line. `modes`
    are the modes in which the finding occurs. `origins`: what the sizes that differ
    were computed from. `at_call`: when it happens in the run, as the number of a call.
    `is_after_fix`: it shows itself only behind the first fix of an earlier finding."""

    target: str = ""
    span: Span | None = None
    called_at: Span | None = None
    no_place: NoPlace | None = None
    fixes: tuple[Fix, ...] = ()
    modes: tuple[Mode, ...] = ()
    origins: tuple[SizeOrigin, ...] = ()
    at_call: int | None = None
    is_after_fix: bool = False

    def __post_init__(self) -> None:
        if self.place is None and self.no_place is None:
            raise ValueError(f"{self.code} has no place, and no reason for having none")

    @property
    def place(self) -> Span | None:
        """The place to show: the finding's own, or else the call of its layer."""
        return self.span or self.called_at

    @property
    def is_gap(self) -> bool:
        """Whether it names a part of the model that the walk could not judge."""
        return self.kind is DiagnosticKind.GAP

    @property
    def is_unchecked(self) -> bool:
        """Whether it names a target or a file of which nothing was checked."""
        return self.kind is DiagnosticKind.UNCHECKED

    @property
    def is_about_code(self) -> bool:
        """Whether a comment at its place may suppress it."""
        return self.kind in (DiagnosticKind.FINDING, DiagnosticKind.GAP)

    @property
    def right_input(self) -> Fix | None:
        """The first fix, if it is an input that the model runs with. Then the input is
        wrong, not the model."""
        first = self.fixes[0] if self.fixes else None
        return first if first is not None and first.inputs and first.runs else None

    def with_model_kept(self) -> Diagnostic:
        """Return the finding with every edit marked unsafe that comes after an input
        the model runs with: the model may be right as it is."""
        fixes: list[Fix] = []
        for fix in self.fixes:
            is_doubtful = fix.edits and any(
                earlier.inputs and earlier.runs for earlier in fixes
            )
            fixes.append(replace(fix, safety=Safety.UNSAFE) if is_doubtful else fix)
        return replace(self, fixes=tuple(fixes))

    def with_target(self, target: str) -> Diagnostic:
        """Return the finding with the name of its target."""
        return replace(self, target=target)

    @property
    def sort_key(self) -> tuple[int, bool, float, str, int, int, str]:
        """Sorts the most serious findings first, then in the order of the run, then by
        place."""
        span = self.span or Span("", 0)
        place = (span.file, span.line, span.column or 0)
        when = math.inf if self.at_call is None else self.at_call
        return (self.severity.rank, self.is_after_fix, when, *place, self.code)
