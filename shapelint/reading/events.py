"""What happens on one path through a training script, in the order in which it
would."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from shapelint.reading.values import (
    EVAL,
    TRAIN,
    Function,
    Instance,
    Mode,
    Model,
    Where,
    purpose,
    words_of,
)

GRAD_ON, GRAD_OFF, GRAD_UNKNOWN, GRAD_DOUBTED = "on", "off", "unknown", "doubted"
"""Whether gradients are recorded: unknown is what a caller decides, doubted what this
path says yes and no to."""


@dataclass(eq=False)
class Loop:
    """One loop while it runs. `models_before`: those that there were when it began."""

    at: Where
    purpose: str
    models_before: int = 0


@dataclass(eq=False)
class Frame:
    """One function while it runs, and where it was called."""

    function: Function
    called_at: Where | None

    @property
    def purpose(self) -> str:
        """What its name says it is for; a test of the code is for neither."""
        return "" if self.is_test_of_code else purpose([self.function.name])

    @property
    def is_test_of_code(self) -> bool:
        """Whether it tests code: named so for pytest, of a test case, or given nothing
        to test."""
        name, spec = self.function.name, self.function.node.args
        takes = [
            arg
            for arg in [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
            if arg.arg != "self"
        ]
        owner = self.function.bound
        return (
            name.startswith("test_")
            or ("test" in words_of(name) and not takes and not owner)
            or (isinstance(owner, Instance) and owner.made_from.is_test_of_code)
        )

    @property
    def compares(self) -> bool:
        """Whether it tests code by what it does, too: it asserts, or holds tensors
        against each other."""
        if not self.is_test_of_code:
            return False
        for part in ast.walk(self.function.node):
            name = (
                getattr(part, "attr", getattr(part, "id", ""))
                if isinstance(part, (ast.Attribute, ast.Name))
                else ""
            )
            if (
                isinstance(part, ast.Assert)
                or name.startswith(("assert", "allclose"))
                or name in ("raises", "equal")
            ):
                return True
        return False


@dataclass(eq=False)
class Forward:
    """One call of a model: its modes, whether gradients are recorded, and what became
    of the result."""

    at: Where
    model: Model
    modes: frozenset[Mode]
    grad: str
    stack: tuple[Loop | Frame, ...]
    trained: bool = False
    trained_with: bool = False
    """Whether something is trained with its result, detached: a target."""
    escapes: bool = False
    measured: bool = False
    for_gradient: bool = False
    dropped: bool = False
    """Whether nothing becomes of the result: a call to warm up, to calibrate, to see
    that it runs."""
    after_training: bool = False

    @property
    def loops(self) -> list[Loop]:
        """The loops it stands in, outermost first."""
        return [each for each in self.stack if isinstance(each, Loop)]

    @property
    def frames(self) -> list[Frame]:
        """The functions it stands in, outermost first."""
        return [each for each in self.stack if isinstance(each, Frame)]

    @property
    def is_evaluation(self) -> bool:
        """Whether the call is there to validate or to predict: what is nearest to it
        says so."""
        used = (
            self.trained
            or self.trained_with
            or self.escapes
            or self.for_gradient
            or self.dropped
        )
        if used or any(frame.compares for frame in self.frames):
            return False
        near = next((each.purpose for each in reversed(self.stack) if each.purpose), "")
        if near == TRAIN:
            return False
        return near == EVAL or (
            self.measured and (self.after_training or self.model.loaded)
        )

    @property
    def in_train_mode(self) -> bool:
        """Whether the model is in train mode for certain."""
        return bool(self.modes) and all(mode.name == TRAIN for mode in self.modes)


@dataclass(eq=False)
class Event:
    """A backward, a step of an optimizer, gradients set to zero."""

    kind: str
    at: Where
    loops: tuple[Loop, ...]
    models: int = 0


@dataclass(eq=False)
class Path:
    """All that happened on one path."""

    forwards: list[Forward] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    switches: list[tuple[Where, Model, str]] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event.kind == kind]
