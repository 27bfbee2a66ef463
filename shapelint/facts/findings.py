"""What a rule is, what it finds, and the changes that it offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from shapelint.facts.diagnostics import Diagnostic, Draft, Edit, Severity
from shapelint.facts.graph import Walked
from shapelint.facts.kinds import DiagnosticKind, Mode


@dataclass(frozen=True)
class Example:
    """A model file a person could have written, and what to feed it.

    `raises`: how the exception of eager begins, in the forward; not before the backward
    if `backward` is true, and only once the model was moved to another device if
    `moved` is."""

    source: str
    inputs: tuple[str, ...]
    target: str = "Net"
    raises: str = ""
    backward: bool = False
    moved: bool = False


@dataclass(frozen=True)
class Candidate:
    """A change that might mend a finding; shown only if it does.

    Of the candidates of one `group` only the first that holds is shown. `inputs` asks
    for other inputs instead of an edit. `layer` is the one whose parameters the cost
    speaks of. `likely`: how natural the change is before anything is tried; the
    likeliest that holds is taken for the cause. `says`: what the place of the change
    has to do with it."""

    title: str
    edits: tuple[Edit, ...] = ()
    layer: str = ""
    group: str = ""
    inputs: tuple[str, ...] = ()
    likely: float = 0.0
    says: str = ""


@dataclass(frozen=True)
class Finding:
    """A diagnostic, the call it is about (mode and index), and the changes that might
    mend it.

    `layers`: every layer that shows the same bug at the same place.
    """

    diagnostic: Diagnostic
    mode: Mode | None = None
    call: int | None = None
    candidates: tuple[Candidate, ...] = ()
    layers: tuple[str, ...] = ()


class Rule:
    """One rule. Subclasses set the class variables and write `check`; the docstring is
    the rule's page."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    kind: ClassVar[DiagnosticKind] = DiagnosticKind.FINDING
    supersedes: ClassVar[tuple[str, ...]] = ()
    """Codes of findings about the same call that say less than this rule's."""
    follows: ClassVar[tuple[str, ...]] = ()
    """Codes of findings earlier on the way to a call, of which this rule's is a
    consequence."""
    constructors: ClassVar[tuple[str, ...]] = ()
    """How the names of layers begin whose constructors refuse what this rule finds."""
    leaves_size_open: ClassVar[bool] = False
    """Whether a call that fails so would have given a size that no weight says."""
    is_of_raise: ClassVar[bool] = False
    """Whether it is about a statement of the user's that raised."""
    bad: ClassVar[Example | None] = None
    good: ClassVar[Example | None] = None

    def check(self, walked: Walked) -> Iterator[Finding]:
        """What this rule finds in a walked target."""
        raise NotImplementedError

    def diagnostic(self, message: str, severity: Severity | None = None) -> Draft:
        """What this rule says; `at` gives it its place."""
        return Draft(
            self.code,
            self.name,
            severity or self.severity,
            message,
            kind=self.kind,
        )
