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
    """It rewrites an argument of a call. It may be repeated at every call that fails in
    the same way."""
    FLATTEN_AND_NUMBER = "flatten and number"
    """It fixes two mistakes at once. The first edit fixes the first."""
    INPUT_SIZE = "input size"
    """It proposes an input of another size, which counts only if no call fails with
    it."""
    NUMBER = "number"
    """It writes another size upstream, found by trying what fits."""
    SOLVED = "solved"
    """It follows from where the sizes come from."""
    LAYOUT = "layout"
    """It follows from where the dimensions are: the size that is wanted stands at
    another one. Where it holds, no other size is the mistake."""
    SLIP = "slip"
    """It corrects a name or a call. Only others of its kind can be right instead."""


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
    """A rule. Subclasses set the class variables and define `check`.

    The docstring is the rule's page. `bad` and `good` are its examples and its tests.
    `supersedes` lists the codes of rules whose findings at the same call follow from
    this one, so that one bug gives one finding."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    kind: ClassVar[DiagnosticKind] = DiagnosticKind.FINDING
    supersedes: ClassVar[tuple[str, ...]] = ()
    """Codes whose findings about the same call say less than this rule's."""
    follows: ClassVar[tuple[str, ...]] = ()
    """Codes whose findings, earlier on the way to a call, cause this rule's finding."""
    constructors: ClassVar[tuple[str, ...]] = ()
    """Prefixes of the names of layers whose constructors refuse what this rule
    finds."""
    leaves_size_open: ClassVar[bool] = False
    """Whether no weight determines the size that the failed call should have
    returned."""
    is_of_raise: ClassVar[bool] = False
    """Whether it is about a statement in the user's code that raised."""
    is_of_init: ClassVar[bool] = False
    """Whether it is about constructors that do not run that of `nn.Module`."""
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
