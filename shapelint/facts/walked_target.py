"""The input of rules: the walks of one target in its modes, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shapelint.facts.graph import Call, Trace
from shapelint.facts.kinds import Mode
from shapelint.facts.numbers import Scope
from shapelint.facts.tensors import ParamFact

if TYPE_CHECKING:
    from shapelint.facts.places import Site
    from shapelint.syntax.texts import Texts


@dataclass(frozen=True)
class Cycle:
    """A module that contains itself: it is registered as `attribute` of the module
    `holder`. `held` is its own qualified name, "" for the model."""

    holder: str
    attribute: str
    held: str


@dataclass
class Walked:
    """Everything that a rule may read: the walks of one target in its modes, and its
    parameters.

    `texts`: the files that were walked, edited or not. `homes`: file and class name of
    each module. `expect`: the shapes that the configuration expects of the output."""

    target: str
    traces: dict[Mode, Trace]
    params: dict[str, ParamFact]
    definitions: dict[str, tuple[Site, ...]]
    classes: dict[str, str]
    texts: Texts
    thresholds: Mapping[str, float]
    input_spellings: tuple[str, ...] = ()
    homes: dict[str, tuple[str, str]] = field(default_factory=dict)
    expect: tuple[str, ...] = ()
    uninitialised: tuple[str, ...] = ()
    """Modules on which `nn.Module.__init__` did not run."""
    cycles: tuple[Cycle, ...] = ()
    scopes: dict[str, tuple[Scope, ...]] = field(default_factory=dict)
    """What numbers are called at each of the `definitions`."""

    def trace_of(self, mode: Mode | None) -> Trace:
        """The walk in the mode in which a finding was made.

        Raises:
            KeyError: it was found in none.
        """
        if mode is None:
            raise KeyError("a finding that is of no walk")
        return self.traces[mode]

    @property
    def total_params(self) -> int:
        """The number of elements of all parameters, tied ones counted once."""
        return sum(param.numel for param in self.params.values())

    def lacks_init(self, trace: Trace) -> bool:
        """Whether a walk ended on a module on which `nn.Module.__init__` did not
        run."""
        raised = trace.raised
        if raised is None or not self.uninitialised:
            return False
        # such a module lacks `_parameters`, `_modules` and the like
        return raised.error_type == "AttributeError"

    def params_of(self, call: Call) -> int:
        """The number of elements of the parameters that a call uses."""
        return sum(
            self.params[name].numel for name in call.params if name in self.params
        )
