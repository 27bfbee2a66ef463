"""Calls of library functions and classes, as described by the table in `library`."""

from __future__ import annotations

from shapelint.reading.branching import Branching, Exit
from shapelint.reading.effects import CallSite, Effects
from shapelint.reading.events import EventKind
from shapelint.reading.grad_contexts import GradContexts
from shapelint.reading.library import CallDoes, CallEntry, find_calls
from shapelint.reading.mode_layers import layers_of_call
from shapelint.reading.path_state import PathState
from shapelint.reading.thing_calls import ThingCalls
from shapelint.reading.values import (
    Items,
    Model,
    Optimizer,
    Reference,
    Thing,
    Value,
    unite_results,
)


class LibraryCalls:
    """Calls functions and classes of libraries."""

    def __init__(
        self,
        state: PathState,
        branching: Branching,
        effects: Effects,
        thing_calls: ThingCalls,
        grad_contexts: GradContexts,
    ) -> None:
        self._state = state
        self._branching = branching
        self._effects = effects
        self._thing_calls = thing_calls
        self._grad_contexts = grad_contexts

    def call_library(self, callee: Reference, site: CallSite) -> Value | None:
        """The result of a call."""
        entry = _find_entry(callee, site)
        if entry is None:
            return self._thing_calls.call_unknown(tuple(callee.dotted.split(".")), site)
        made = self._make(entry, callee, site)
        return made if made is not None else self._act(entry, callee, site)

    def _make(
        self, entry: CallEntry, callee: Reference, site: CallSite
    ) -> Value | None:
        """The object that a call makes or returns; None for a call that does something
        else."""
        if entry.does is CallDoes.RETURN_ARGUMENTS and len(site.given) > 1:
            return Items(site.given)
        if entry.does is CallDoes.RETURN_ENGINE:
            return _make_engine(site)
        if entry.does in (CallDoes.RETURN_ARGUMENTS, CallDoes.RETURN_FIRST):
            return site.given[0]
        if entry.does is CallDoes.MAKE_OPTIMIZER:
            return Optimizer(callee.last)
        if entry.does is CallDoes.MAKE_OTHER_LAYER:
            return Thing((callee.last,))
        objects = self._state.objects
        if entry.does is CallDoes.MAKE_LAYER:
            layers = layers_of_call(site.node, site.scope)
            return objects.make_model(site.where, layers)
        if entry.does is CallDoes.MAKE_MODEL:
            return objects.make_model(site.where, None, entry.mode)
        original = site.given[0] if site.given else None
        if entry.does is CallDoes.COPY and isinstance(original, Model):
            copy = objects.make_model(site.where, original.layers)
            # The copy keeps the mode, and what set it.
            copy.modes = original.modes
            return copy
        return None

    def _act(self, entry: CallEntry, callee: Reference, site: CallSite) -> Value | None:
        """Apply what a call computes or switches."""
        if entry.does is CallDoes.NEVER_RETURN:
            self._branching.leave(Exit.RAISE)
        if entry.does is CallDoes.DIFFERENTIATE:
            self._effects.mark_trained(site.given)
            self._effects.mark_differentiated(site.given)
            self._effects.note(EventKind.BACKWARD, site)
            return None
        if entry.does is CallDoes.SET_RECORDING:
            # As a function it acts at once, and until something else sets it.
            grad = self._grad_contexts.find_recording(site.node, site.scope)
            self._state.grad = grad or self._state.grad
            return None
        if entry.does in (CallDoes.MEASURE, CallDoes.MEASURE_INDICES):
            for each in site.given:
                self._effects.mark_measured(each)
        if site.wants_gradient:
            return Thing((callee.last,), wants_grad=True)
        if entry.does is CallDoes.MEASURE_INDICES:
            return None
        return unite_results(site.given)


def _find_entry(callee: Reference, site: CallSite) -> CallEntry | None:
    has_model = any(isinstance(each, Model) for each in site.given)
    for entry in find_calls(callee.dotted):
        if has_model or not entry.needs_model:
            return entry
    return None


def _make_engine(site: CallSite) -> Items:
    """The wrapped model, followed by optimizer, loader and scheduler as unknown values:
    the engine steps them itself."""
    engine = next(each for each in site.given if isinstance(each, Model))
    return Items([engine, None, None, None])
