"""The events on one path through a training script, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from shapelint.reading.modes import Where
from shapelint.reading.values import Forward, Loop


class EventKind(Enum):
    """Kinds of training steps. `ELSEWHERE`: the backward of an engine that also steps
    and resets gradients."""

    BACKWARD = "backward"
    STEP = "step"
    ZERO = "zero"
    ELSEWHERE = "elsewhere"


@dataclass(eq=False)
class Event:
    """One step of training. `models`: the number of models at that time."""

    kind: EventKind
    at: Where
    loops: tuple[Loop, ...]
    models: int = 0


@dataclass(eq=False)
class Path:
    """Everything that happened on one path."""

    forwards: list[Forward] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def of_kind(self, kind: EventKind) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event.kind is kind]
