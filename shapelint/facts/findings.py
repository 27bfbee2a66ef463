"""What a rule is, what it finds, and the changes that it offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from shapelint.facts.diagnostics import Diagnostic, Edit, Severity
from shapelint.facts.graph import Walked


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


class ChangeKind(Enum):
    """What the search must know of a change beside its edits."""

    OTHER = "other"
    OPERAND = "operand"
    """What a call is given is written otherwise. It may be made at every call that
    fails alike."""
    FLATTEN_AND_NUMBER = "flatten and number"
    """Two mistakes are mended at once, the first edit mends the first."""
    INPUT_SIZE = "input size"
    """An input of another size; it counts only where no call fails with it."""


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
    kind: ChangeKind = ChangeKind.OTHER


@dataclass(frozen=True)
class Finding:
    """A diagnostic, the call it is about (mode and index), and the changes that might
    mend it.

    `layers`: every layer that shows the same bug at the same place.
    """

    diagnostic: Diagnostic
    mode: str = ""
    call: int | None = None
    candidates: tuple[Candidate, ...] = ()
    layers: tuple[str, ...] = ()


class Rule:
    """One rule. Subclasses set the class variables and write `check`; the docstring is
    the rule's page."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    supersedes: ClassVar[tuple[str, ...]] = ()
    bad: ClassVar[Example | None] = None
    good: ClassVar[Example | None] = None

    def check(self, walked: Walked) -> Iterator[Finding]:
        """What this rule finds in a walked target."""
        raise NotImplementedError

    def diagnostic(self, message: str, severity: Severity | None = None) -> Diagnostic:
        """A diagnostic of this rule."""
        return Diagnostic(self.code, self.name, severity or self.severity, message)
