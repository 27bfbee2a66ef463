"""Rules, their findings, and the changes that they propose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from shapelint.facts.diagnostics import Diagnostic, Draft, Edit, Severity
from shapelint.facts.kinds import DiagnosticKind, Mode
from shapelint.facts.walked_target import Walked


@dataclass(frozen=True)
class Example:
    """A model file that a person could have written, and the inputs to run it with.

    `inputs` are the words after `--input`. `raises` is the beginning of the exception
    that eager PyTorch raises: in the forward, or in the backward if `backward` is true,
    or only after the model was moved to another device if `moved` is true."""

    source: str
    inputs: tuple[str, ...]
    target: str = "Net"
    raises: str = ""
    backward: bool = False
    moved: bool = False


class ChangeKind(Enum):
    """Kinds of changes that the search for a cause treats differently."""

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
    """A change that might fix a finding. It is shown only if it does.

    Among the candidates of one `group`, only the first that works is shown. `inputs`
    proposes other inputs instead of an edit. `layer` is the layer whose parameters are
    counted for the cost. `likely` is how plausible the change is before it is tried;
    the most plausible change that works is taken to be the cause. `says` explains what
    the place of the change has to do with the finding."""

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
    fix it.

    `layers` names every layer that shows the same bug at the same place.
    """

    diagnostic: Diagnostic
    mode: Mode | None = None
    call: int | None = None
    candidates: tuple[Candidate, ...] = ()
    layers: tuple[str, ...] = ()


class Rule:
    """One rule. Subclasses set the class variables and define `check`.

    The docstring is the rule's page. `bad` and `good` are its examples and its tests.
    `supersedes` lists the codes of rules whose findings follow from this one at the
    same call: one bug gives one finding.
    """

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
        """Yield the findings of this rule in a walked target."""
        raise NotImplementedError

    def diagnostic(self, message: str, severity: Severity | None = None) -> Draft:
        """Build what this rule says, by default with the rule's severity; `at` gives
        it its place."""
        return Draft(
            self.code,
            self.name,
            severity or self.severity,
            message,
            kind=self.kind,
        )

    def mismatch(
        self, message: str, expected: str, found: str, label: str = ""
    ) -> Draft:
        """Build a draft that shows what was found beside what was expected."""
        return replace(
            self.diagnostic(message),
            label=label or f"{expected} expected, {found} found",
            expected=expected,
            found=found,
        )
