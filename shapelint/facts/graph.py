"""The centre: a torch.fx graph recorded from the run, and the plain facts about each
call that rules read.

Each node carries the keys fx tools know (`tensor_meta`, `nn_module_stack`,
`stack_trace`) and one of ours, `shapelint`, which holds a `Call`. Nothing here imports
torch: rules are pure on plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shapelint.facts.kinds import CallKind, Home, Mode
from shapelint.facts.numbers import Scope
from shapelint.facts.tensors import ParamFact, Shape, TensorFact, ValueFact, facts_in

if TYPE_CHECKING:
    import torch.fx

    from shapelint.facts.places import Site


Choices = dict[tuple["Site | None", str], int]
"""For the failed calls of an op at a place: which of its candidate shapes the walk goes
on with."""

Key = tuple[str, str, int]
"""What a call goes by in different walks: layer, op, and the how-manieth of that op in
that layer it is."""


@dataclass
class Failure:
    """A call that raised: what was called with what, and what it would have given after
    the obvious fix.

    `certain` is false where eager could not be asked. `cast_to`: the dtype with which
    it would have worked. `by_autograd`: an op in place that works where no gradient is
    wanted. `args` and `kwargs` hold TensorFacts for tensors. `attributes`: those of
    a module that raised by itself."""

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

    def arg(self, position: int, name: str, default: Any = None) -> Any:
        """An argument given by position or by keyword."""
        if len(self.args) > position:
            return self.args[position]
        return self.kwargs.get(name, default)

    @property
    def place(self) -> tuple[Site | None, str]:
        """Where it failed, and as what: calls that share this are recovered alike."""
        return (self.sites[0] if self.sites else None, self.op)

    @property
    def tensors(self) -> list[TensorFact]:
        """Every tensor argument, in order."""
        return list(facts_in((self.args, self.kwargs)))


@dataclass(frozen=True)
class Frame:
    """A module being called: `serial` tells two calls of one module apart."""

    path: str
    class_name: str
    serial: int


@dataclass
class Call:
    """One call of the walk. `producers` are the indices of the calls that made its
    tensor arguments.

    A producer below 0 is no call; for a model input (`from_input`) -1 is the first, -2
    the second. `within`: the modules it is called in, outermost first, each with a
    number that tells two calls of one apart."""

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
    turn: int = 0
    home: Home = Home.UNKNOWN
    """Where the result would be on an accelerator (`shapelint.tracing.devices`)."""
    strays: tuple[int, ...] = ()
    """Positions of the inputs that would be left on the CPU."""

    def arg(self, position: int, name: str, default: object = None) -> object:
        """What a function was given, by position or by keyword."""
        if len(self.args) > position:
            return self.args[position]
        return self.kwargs.get(name, default)

    @property
    def is_module(self) -> bool:
        """Whether a module is called."""
        return self.kind is CallKind.MODULE

    @property
    def is_method(self) -> bool:
        """Whether a method of a tensor is called."""
        return self.kind is CallKind.METHOD

    @property
    def key(self) -> Key:
        """By which it is found again in another walk."""
        return (self.layer, self.op, self.turn)

    @property
    def input(self) -> TensorFact | None:
        """The first tensor it was given."""
        return self.inputs[0] if self.inputs else None

    @property
    def main_argument(self) -> int | None:
        """Position of the largest activation it was given: not a weight, a mask or a
        length."""
        given = [index for index, fact in enumerate(self.inputs) if not fact.name]
        return max(given, key=lambda index: self.inputs[index].bulk, default=None)

    @property
    def main_input(self) -> TensorFact | None:
        """The largest activation it was given."""
        position = self.main_argument
        return self.inputs[position] if position is not None else self.input

    @property
    def output(self) -> TensorFact | None:
        """The first tensor it gave."""
        return self.outputs[0] if self.outputs else None


@dataclass(frozen=True)
class Spoiled:
    """A tensor of some call that autograd had saved, and the call that wrote it
    afterwards.

    `first`: whether the model's first result cannot be differentiated for it, and not
    only a later one."""

    shape: Shape
    saved_by: Call | None
    written_by: Call | None
    first: bool


@dataclass(frozen=True)
class Assumption:
    """A value asked of data: what was answered, and where. `truth`: the answer, where
    it is True or False."""

    what: str
    answer: str
    site: Site | None
    layer: str
    forced: bool = False
    stand_in: bool = False
    truth: bool | None = None


@dataclass
class Raised:
    """The exception that ended the walk. `call` is the failed call it came from, if it
    came from one.

    `switching_to`: the mode that the model was put into, where it was not the forward
    that raised. `compared`: whole numbers that the statement which raised held against
    each other.
    """

    error_type: str
    message: str
    sites: tuple[Site, ...]
    layer: str
    call: int | None = None
    after_assumption: bool = False
    switching_to: Mode | None = None
    compared: tuple[tuple[int, int], ...] = ()

    @property
    def doing(self) -> str:
        """What raised, for messages."""
        if self.switching_to is None:
            return "the forward"
        return f"`model.{self.switching_to}()`"


@dataclass
class Trace:
    """One walk in one mode: the graph, its calls in order, and what came of it."""

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
    """What made each tensor of the output, as in `Call.producers`; -1 also for what
    came from elsewhere."""
    given_up: bool = False
    out_of_time: bool = False
    """Whether the walk ended where it was because the time for the target was over."""
    seconds: float = 0.0
    ops: int = 0
    """What the walk cost, as `Session.ops` counts it."""

    @property
    def work(self) -> int:
        """What the walk cost, in calls of layers whose ops are few; not in seconds, so
        that each run says the same."""
        return max(len(self.calls), self.ops // 2)

    @property
    def failures(self) -> Iterator[Call]:
        """The calls that eager would refuse, in order."""
        return (call for call in self.calls if call.failure is not None)

    @property
    def failure_count(self) -> int:
        """How many calls failed, an exception outside of any call counted in."""
        outside = self.raised is not None and self.raised.call is None
        return sum(1 for _ in self.failures) + outside

    @property
    def is_ended_by_own_raise(self) -> bool:
        """Whether the model itself raised for these shapes, outside of any torch call.

        False where the exception may follow from an earlier failure, from an assumed
        value or a stand-in, and where time or memory ran out."""
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
        """The calls from the model's input to this one, along first tensor arguments,
        this one left out."""
        steps: list[Call] = []
        current = self._main_producer(call)
        while current is not None and len(steps) < limit:
            steps.append(current)
            current = self._main_producer(current)
        return steps[::-1]

    def _main_producer(self, call: Call) -> Call | None:
        position = call.main_argument
        return self.producer(call, position) if position is not None else None
