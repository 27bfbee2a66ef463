"""The torch.fx graph recorded from a run, and the plain facts about each call that
rules read.

Each node has the keys that fx tools know (`tensor_meta`, `nn_module_stack`,
`stack_trace`) and one more, `shapelint`, which holds a `Call`. Nothing here imports
torch, so that rules work on plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shapelint.facts.kinds import CallKind, Home, Mode, Route
from shapelint.facts.numbers import Scope
from shapelint.facts.slips import Slip
from shapelint.facts.tensors import ParamFact, Shape, TensorFact, ValueFact, facts_in

if TYPE_CHECKING:
    import torch.fx

    from shapelint.facts.places import Site


Choices = dict[tuple["Site | None", str], int]
"""For each place and op where a call failed: the index of the candidate shape with
which the walk continues."""

Key = tuple[str, str, int]
"""Identifies a call across walks: its layer, its op, and how many calls of that op came
before it in that layer."""


@dataclass
class Failure:
    """A call that raised: its arguments, its error, and the shapes it would have
    returned after the obvious fix (`candidates`).

    `certain` is false if the failure could not be confirmed in eager mode. `cast_to` is
    the dtype with which the call works. `by_autograd`: an in-place op that works when
    no gradient is needed. `args` and `kwargs` hold a TensorFact for each tensor.
    `attributes` are those of the module, if the module itself raised."""

    op: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    error_type: str
    message: str
    certain: bool = True
    candidates: list[Any] = field(default_factory=list)
    choice: int = 0
    recovered: bool = False
    sites: tuple[Site, ...] = ()
    cast_to: str = ""
    by_autograd: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    scope: Scope = field(default_factory=dict)
    """What numbers are called where it stands."""
    route: Route = Route.EVERY

    def arg(self, position: int, name: str, default: Any = None) -> Any:
        """An argument given by position or by keyword."""
        if len(self.args) > position:
            return self.args[position]
        return self.kwargs.get(name, default)

    @property
    def place(self) -> tuple[Site | None, str]:
        """Where and in which op it failed. Calls with the same place are recovered in
        the same way."""
        return (self.sites[0] if self.sites else None, self.op)

    @property
    def tensors(self) -> list[TensorFact]:
        """Every tensor argument, in order."""
        return list(facts_in((self.args, self.kwargs)))


@dataclass(frozen=True)
class Frame:
    """A module whose forward is running. `serial` differs between two calls of the same
    module."""

    path: str
    class_name: str
    serial: int


@dataclass
class Call:
    """One call of the walk.

    `producers` holds, for each tensor argument, the index of the call that made it. A
    negative index is not a call; for a model input (`from_input`), -1 is the first
    input, -2 the second. `within` are the modules around the call, outermost first."""

    index: int
    layer: str
    op: str
    kind: CallKind
    inputs: list[TensorFact] = field(default_factory=list)
    outputs: list[TensorFact] = field(default_factory=list)
    producers: list[int] = field(default_factory=list)
    module_path: str = ""
    module_class: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    params: tuple[str, ...] = ()
    mult_adds: int = 0
    site: Site | None = None
    definition: tuple[Site, ...] = ()
    failure: Failure | None = None
    derived: bool = True
    training: bool = False
    from_input: tuple[int, ...] = ()
    within: tuple[Frame, ...] = ()
    registered: bool = True
    occurrence: int = 0
    home: Home = Home.UNKNOWN
    """The device of the result on a machine with an accelerator
    (`shapelint.tracing.devices`)."""
    strays: tuple[int, ...] = ()
    """The positions of the inputs that would stay on the CPU."""

    def arg(self, position: int, name: str, default: object = None) -> object:
        """An argument given by position or by keyword."""
        if len(self.args) > position:
            return self.args[position]
        return self.kwargs.get(name, default)

    @property
    def is_module(self) -> bool:
        """Whether a module was called."""
        return self.kind is CallKind.MODULE

    @property
    def is_method(self) -> bool:
        """Whether a tensor method was called."""
        return self.kind is CallKind.METHOD

    @property
    def key(self) -> Key:
        """Identifies the same call in another walk."""
        return (self.layer, self.op, self.occurrence)

    @property
    def input(self) -> TensorFact | None:
        """The first tensor argument."""
        return self.inputs[0] if self.inputs else None

    @property
    def main_argument(self) -> int | None:
        """The position of the largest activation among the arguments, which is not a
        weight, a mask or a length."""
        given = [index for index, fact in enumerate(self.inputs) if not fact.name]
        return max(given, key=lambda index: self.inputs[index].bulk, default=None)

    @property
    def main_input(self) -> TensorFact | None:
        """The largest activation among the arguments."""
        position = self.main_argument
        return self.inputs[position] if position is not None else self.input

    @property
    def output(self) -> TensorFact | None:
        """The first tensor of the result."""
        return self.outputs[0] if self.outputs else None


@dataclass(frozen=True)
class Spoiled:
    """A tensor that autograd had saved and that was overwritten in place afterwards.

    `first`: the backward of the model's first result fails because of it, not only that
    of a later result."""

    shape: Shape
    saved_by: Call | None
    written_by: Call | None
    first: bool


@dataclass(frozen=True)
class Assumption:
    """A question about a tensor's value, the answer that the walk assumed, and its
    place. `truth` is the answer if it is True or False."""

    what: str
    answer: str
    site: Site | None
    layer: str
    forced: bool = False
    stand_in: bool = False
    truth: bool | None = None


@dataclass
class Raised:
    """The exception that ended the walk. `call` is the failed call it came from, if
    there is one.

    `switching_to`: the mode to which the model was being switched, if the forward had
    not started. `compared`: pairs of whole numbers that the raising statement
    compared."""

    error_type: str
    message: str
    sites: tuple[Site, ...]
    layer: str
    call: int | None = None
    after_assumption: bool = False
    switching_to: Mode | None = None
    compared: tuple[tuple[int, int], ...] = ()
    slip: Slip | None = None
    """What it says of a name or a call, if it is about one."""

    @property
    def doing(self) -> str:
        """The part of the run that raised, as messages name it."""
        if self.switching_to is None:
            return "the forward"
        return f"`model.{self.switching_to}()`"


@dataclass
class Trace:
    """One walk in one mode: the graph, its calls in order, and how it ended."""

    mode: Mode
    graph: torch.fx.Graph | None
    calls: list[Call]
    raised: Raised | None = None
    assumptions: list[Assumption] = field(default_factory=list)
    output: ValueFact | None = None
    inputs: list[ValueFact] = field(default_factory=list)
    late_params: dict[str, ParamFact] = field(default_factory=dict)
    used_fake: bool = False
    uncertain: bool = False
    spoiled: list[Spoiled] = field(default_factory=list)
    choices: Choices = field(default_factory=dict)
    results: list[int] = field(default_factory=list)
    """For each tensor of the output, the call that made it, as in `Call.producers`. -1
    also stands for a tensor from elsewhere."""
    given_up: bool = False
    asks_gradients: bool = False
    """Whether the model differentiates, or asks whether it could."""
    out_of_time: bool = False
    """Whether the walk ended early because the time limit of the target was
    exceeded."""
    ops: int = 0
    """The number of ops that ran, as `Session.ops` counts them."""

    @property
    def work(self) -> int:
        """The cost of the walk in calls of layers that run few ops. Not in seconds, so
        that every run gives the same number."""
        return max(len(self.calls), self.ops // 2)

    @property
    def failures(self) -> Iterator[Call]:
        """The calls that eager would refuse, in order."""
        return (call for call in self.calls if call.failure is not None)

    @property
    def failure_count(self) -> int:
        """How many calls failed, plus one if an exception was raised outside of any
        call."""
        outside = self.raised is not None and self.raised.call is None
        return sum(1 for _ in self.failures) + outside

    @property
    def is_ended_by_own_raise(self) -> bool:
        """Whether the model's own code raised for these shapes, outside of any torch
        call.

        False if the exception may follow from an earlier failure, an assumed value or a
        stand-in, and if time or memory ran out."""
        raised = self.raised
        if raised is None or raised.call is not None or raised.after_assumption:
            return False
        if self.uncertain or self.out_of_time or raised.error_type == "MemoryError":
            return False
        return not any(True for _ in self.failures)

    def producer(self, call: Call, position: int = 0) -> Call | None:
        """The call that made a tensor argument, None for a model input or a weight."""
        if position >= len(call.producers) or call.producers[position] < 0:
            return None
        return self.calls[call.producers[position]]

    def way_to(self, call: Call, limit: int = 200) -> list[Call]:
        """The calls from the model's input to this one, excluding it. Each call is
        followed back through its main argument."""
        steps: list[Call] = []
        current = self._main_producer(call)
        while current is not None and len(steps) < limit:
            steps.append(current)
            current = self._main_producer(current)
        return steps[::-1]

    def _main_producer(self, call: Call) -> Call | None:
        position = call.main_argument
        return self.producer(call, position) if position is not None else None
