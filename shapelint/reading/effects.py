"""The effects of calls on models and results: they switch modes, compute, train and
measure."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from shapelint.reading.class_bodies import find_method
from shapelint.reading.events import EventKind
from shapelint.reading.functions import Functions
from shapelint.reading.grad_contexts import Decide
from shapelint.reading.journal import Journal
from shapelint.reading.modes import UNKNOWN_MODE, ModeName, ModeSetting, Where
from shapelint.reading.path_state import PathState
from shapelint.reading.values import (
    Bound,
    Class,
    Forward,
    Function,
    Instance,
    Model,
    Result,
    Scope,
    Thing,
    Value,
    unite_results,
)
from shapelint.reading.vocabulary import (
    COMPUTING_WORDS,
    DATA_WORDS,
    PART_WORDS,
    words_of,
)


@dataclass(frozen=True, eq=False)
class CallSite:
    """A call, and the values of its arguments, keyword arguments last."""

    node: ast.Call
    scope: Scope
    given: list[Value | None]

    @property
    def where(self) -> Where:
        """The place of the call."""
        return Where(self.scope.source, self.node)

    @property
    def argument_nodes(self) -> list[ast.expr]:
        """The expressions of the arguments, keyword arguments last."""
        return [*self.node.args, *(word.value for word in self.node.keywords)]

    @property
    def is_given_false(self) -> bool:
        """Whether an argument is False: `requires_grad_(False)`."""
        return any(
            isinstance(node, ast.Constant) and node.value is False
            for node in self.argument_nodes
        )

    @property
    def wants_gradient(self) -> bool:
        """Whether it asks for a gradient: `torch.zeros(3, requires_grad=True)`."""
        flags = [
            word.value for word in self.node.keywords if word.arg == "requires_grad"
        ]
        return any(
            not isinstance(flag, ast.Constant) or flag.value is not False
            for flag in flags
        )


class Effects:
    """Applies the effects of calls to models and results."""

    def __init__(
        self,
        state: PathState,
        journal: Journal,
        functions: Functions,
        decide: Decide,
    ) -> None:
        self._state = state
        self._journal = journal
        self._functions = functions
        self._decide = decide

    def note(self, kind: EventKind, site: CallSite) -> None:
        """Record a step of training."""
        self._journal.note_event(kind, site.scope, site.node)

    # -- modes

    def switch_mode(self, model: Model, name: str, site: CallSite) -> None:
        """Apply `model.eval()`, `model.train()` or `model.train(flag)`."""
        # `model.train(data="coco.yaml")` of ultralytics sets and restores modes itself.
        if _is_training_loop(site.node):
            model.handled = True
        flag = _mode_flag(site.node)
        mode = ModeName.EVAL if name == "eval" else ModeName.TRAIN
        if name == "train" and flag is not None:
            truth = self._decide(flag, site.scope)
            if truth is None:
                mode = ModeName.UNKNOWN
            elif not truth:
                mode = ModeName.EVAL
        self._state.set_mode(model, ModeSetting(mode, site.where))

    def forget_modes(self, values: Iterable[Bound | None]) -> None:
        """Forget the modes of the models among these values, because they were passed
        to code that is not read."""
        for value in values:
            model = value.model if isinstance(value, Thing) else value
            if isinstance(model, Model):
                self._state.set_mode(model, UNKNOWN_MODE)
            elif isinstance(value, Instance):
                attributes = list(value.attributes.values())
                self.forget_modes(
                    each for each in attributes if isinstance(each, Model)
                )

    # -- results

    def call_model(self, model: Model, site: CallSite, records: bool = True) -> Result:
        """Record a call of a model. `records` is as in `Journal.note_forward`."""
        return self._journal.note_forward(model, site.where, site.given, records)

    def compute(
        self, model: Model, name: str, site: CallSite, owner: Class | None = None
    ) -> Result | None:
        """The result of calling a method or a part of a model. `encode(x)` calls the
        model, `device()` and `enable_hooks()` do not.

        `owner`: the class that has the method, if it is known."""
        words = words_of(name)
        is_part = not words.isdisjoint(PART_WORDS)
        # Most methods look or configure; they pass their arguments on.
        if not is_part and words.isdisjoint(COMPUTING_WORDS):
            return unite_results(site.given)
        may_record = is_part or name == "forward" or _never_stops_recording(owner, name)
        records = may_record and "grad" not in words
        return self.call_model(model, site, records)

    def mark_trained(self, values: Iterable[Value | None]) -> None:
        """Mark that something trains with these values."""
        found = unite_results(values) or Result()
        for call in found.calls:
            _train(call)
        for call in found.apart:
            call.trained_with = True

    def mark_loop_trained(self) -> None:
        """Mark every call in this loop as trained, because the origin of a loss is not
        known."""
        for call in self._journal.calls_of_this_loop():
            _train(call)

    def mark_differentiated(self, values: Iterable[Value | None]) -> None:
        """Mark that a gradient of these values is needed."""
        for call in (unite_results(values) or Result()).calls:
            call.for_gradient = True

    def mark_measured(self, value: Value | None) -> None:
        """Mark a result as compared or taken out of the graph, so that nothing trains
        with it."""
        if isinstance(value, Result):
            for call in value.calls:
                call.measured = True

    # -- functions

    def call_back(self, site: CallSite) -> None:
        """Run the functions of the files that a call receives as arguments."""
        for each in site.given:
            if isinstance(each, Function) and not isinstance(each.node, ast.Lambda):
                self._functions.run(each, None, site.where)


def _train(call: Forward) -> None:
    call.trained = True
    call.model.trained = True


def _is_training_loop(node: ast.Call) -> bool:
    """Whether `train` is the training loop of a framework, as in
    `model.train(dataset, epochs=3)`. The method of modules takes one flag."""
    if len(node.args) > 1 or any(word.arg != "mode" for word in node.keywords):
        return True
    texts = [ast.unparse(argument) for argument in node.args]
    return any(not words_of(text).isdisjoint(DATA_WORDS) for text in texts)


def _mode_flag(node: ast.Call) -> ast.expr | None:
    for word in node.keywords:
        if word.arg == "mode":
            return word.value
    return node.args[0] if node.args else None


def _never_stops_recording(owner: Class | None, name: str) -> bool:
    """Whether a method is in the files and never disables autograd. Methods of
    libraries, such as `generate`, usually do."""
    method = find_method(owner, name) if owner is not None else None
    if method is None:
        return False
    body = ast.unparse(method.node)
    return "no_grad" not in body and "inference_mode" not in body
