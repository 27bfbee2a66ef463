"""Records what happens on a path: calls of models, steps of training, and the loops and
functions that are running."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from shapelint.reading.class_bodies import takes_derivatives
from shapelint.reading.events import Event, EventKind, Path
from shapelint.reading.modes import Recording, Where
from shapelint.reading.path_state import PathState
from shapelint.reading.values import (
    Forward,
    Frame,
    Loop,
    Model,
    Result,
    Scope,
    Thing,
    Value,
)

STEPS = 8000
"""The most statements and expressions of one path. A longer path is not judged, because
only a part of the script would have been seen."""


class OutOfStepsError(Exception):
    """The path is too long."""


class Journal:
    """Records what happens on a path."""

    def __init__(self, state: PathState) -> None:
        self.path = Path()
        self.stack: list[Loop | Frame] = []
        self._state = state
        self._steps = 0

    def count_step(self) -> None:
        """Count one more step.

        Raises:
            OutOfStepsError: there were too many.
        """
        self._steps += 1
        if self._steps > STEPS:
            raise OutOfStepsError

    @contextmanager
    def inside(self, entered: Loop | Frame) -> Iterator[None]:
        """Record that a loop or function is running inside this context."""
        self.stack.append(entered)
        try:
            yield
        finally:
            self.stack.pop()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Record nothing inside this context, where code runs a second time only for
        the state that it leaves."""
        path, self.path = self.path, Path()
        try:
            yield
        finally:
            self.path = path

    def note_event(self, kind: EventKind, scope: Scope, node: ast.AST) -> None:
        """Record a step of training."""
        loops = tuple(each for each in self.stack if isinstance(each, Loop))
        models = len(self._state.objects.models)
        where = Where(scope.source, node)
        self.path.events.append(Event(kind, where, loops, models))

    def note_forward(
        self,
        model: Model,
        where: Where,
        arguments: Iterable[Value | None],
        records: bool = True,
    ) -> Result:
        """Record a call of a model. Its result carries this call and the calls from
        which its arguments were computed.

        `records`: false if something in the call may disable autograd, as `generate`
        does."""
        given = list(arguments)
        # Without weights that need gradients torch records nothing either.
        grad = self._state.grad if records and not model.frozen else Recording.OFF
        call = Forward(where, model, model.modes, grad, tuple(self.stack))
        made_from = model.made_from
        call.for_gradient = any(
            isinstance(each, Thing) and each.wants_grad for each in given
        ) or (made_from is not None and takes_derivatives(made_from))
        # Of the moment of the call: a later round may train it again.
        call.after_training = model.trained
        self.path.forwards.append(call)
        results = [each for each in given if isinstance(each, Result)]
        calls = frozenset({call}).union(*(each.calls for each in results))
        apart = frozenset[Forward]().union(*(each.apart for each in results))
        return Result(calls, apart)

    def calls_of_this_loop(self) -> list[Forward]:
        """The calls of models in the innermost loop; outside of loops, all calls."""
        loops = [each for each in self.stack if isinstance(each, Loop)]
        forwards = self.path.forwards
        if not loops:
            return [*forwards]
        return [call for call in forwards if loops[-1] in call.stack]
