"""Calls of things that are not known: names, the words in them, and the arguments are
the evidence for their effect."""

from __future__ import annotations

import ast

from shapelint.reading.branching import Branching, Exit
from shapelint.reading.effects import CallSite, Effects
from shapelint.reading.events import EventKind
from shapelint.reading.library import (
    ENGINES,
    LOOK_ONLY,
    MEASURE_RESULTS,
    RETURN_ARGUMENTS_METHODS,
    STEP_WITH_AN_OPTIMIZER,
)
from shapelint.reading.library_methods import MODEL_METHODS, MethodDoes
from shapelint.reading.objects import Objects
from shapelint.reading.values import (
    Evaluate,
    Items,
    Model,
    Optimizer,
    Thing,
    Value,
    unite_results,
)
from shapelint.reading.vocabulary import (
    MODEL_WORDS,
    OPTIMIZER_WORDS,
    TRAINING_WORDS,
    words_of,
    words_of_all,
)


class NotAMethodError(Exception):
    """Nothing is known about a method of this name on such a thing."""


class ThingCalls:
    """Calls things."""

    def __init__(
        self,
        evaluate: Evaluate,
        objects: Objects,
        branching: Branching,
        effects: Effects,
    ) -> None:
        self._evaluate = evaluate
        self._objects = objects
        self._branching = branching
        self._effects = effects

    def call_thing(self, thing: Thing, site: CallSite) -> Value | None:
        """The result of calling a thing."""
        if thing.model is not None:
            return self._effects.call_model(thing.model, site)
        owners = thing.names[:-1]
        name = thing.names[-1] if thing.names else ""
        func = site.node.func
        if not isinstance(func, ast.Attribute):
            if not words_of(name).isdisjoint(MODEL_WORDS):
                return self._effects.call_model(self._objects.as_model(thing), site)
        elif owners:
            owner = self._evaluate(func.value, site.scope)
            try:
                return self._call_method(owner, words_of_all(owners), name, site)
            except NotAMethodError:
                pass
        return self.call_unknown(thing.names, site)

    def _call_method(
        self, owner: Value | None, words: set[str], name: str, site: CallSite
    ) -> Value | None:
        """Call a method of an owner whose names contain these words.

        Raises:
            NotAMethodError: nothing is known about it.
        """
        if "zero_grad" in name or name in ("clear_grad", "zero_"):
            # `zero_` on a gradient, as in `weight.grad.zero_()`
            self._effects.note(EventKind.ZERO, site)
            return None
        if isinstance(owner, Thing):
            is_model = not words.isdisjoint(MODEL_WORDS)
            entry = MODEL_METHODS.get(name)
            if name == "eval" or (name == "train" and is_model):
                return self._switch(owner, name, site)
            if name == "freeze":
                self._objects.as_model(owner).frozen = True
                return None
            if is_model and entry is not None and entry.is_proof:
                self._objects.as_model(owner).proven = True
                is_itself = entry.does in (
                    MethodDoes.RETURN_ITSELF,
                    MethodDoes.SET_REQUIRES_GRAD,
                )
                return owner if is_itself else None
            if name in ("requires_grad_", "retain_grad"):
                owner.wants_grad = not site.is_given_false
                return owner
        return self._call_trainer_method(words, name, site)

    def _switch(self, owner: Thing, name: str, site: CallSite) -> Model:
        model = self._objects.as_model(owner)
        model.proven = True
        self._effects.switch_mode(model, name, site)
        return model

    def _call_trainer_method(
        self, words: set[str], name: str, site: CallSite
    ) -> Value | None:
        """Call a method of an optimizer, a loss, or a trainer.

        Raises:
            NotAMethodError: nothing is known about it.
        """
        if name == "step" and _steps(words, site):
            self._effects.call_back(site)  # the closure of torch.optim.LBFGS
            self._effects.note(EventKind.STEP, site)
            return None
        if name == "backward":
            self._effects.mark_trained(site.given)
            # `loss.backward()` where nothing is known of `loss`.
            if not site.given:
                self._effects.mark_loop_trained()
            is_engine = not words.isdisjoint(ENGINES)
            kind = EventKind.ELSEWHERE if is_engine else EventKind.BACKWARD
            self._effects.note(kind, site)
            return None
        if name in RETURN_ARGUMENTS_METHODS and _has_model(site):
            return Items(site.given) if len(site.given) > 1 else site.given[0]
        raise NotAMethodError

    def call_unknown(self, names: tuple[str, ...], site: CallSite) -> Value | None:
        """Call a function outside of the files. A model among the arguments may come
        back in another mode."""
        last = names[-1] if names else ""
        if last == "error" and "parser" in names:
            # argparse.ArgumentParser.error exits
            self._branching.leave(Exit.RAISE)
        if "zero_grad" in last or last in ("clear_grads", "zero_gradients"):
            self._effects.note(EventKind.ZERO, site)
        self._effects.call_back(site)
        if last not in LOOK_ONLY:
            self._effects.forget_modes(site.given)
        if _trains(words_of_all(names), site):
            self._effects.mark_trained(site.given)
        if last in MEASURE_RESULTS:
            for each in site.given:
                self._effects.mark_measured(each)
        if site.wants_gradient:
            return Thing(names, wants_grad=True)
        return unite_results(site.given)


def _steps(words: set[str], site: CallSite) -> bool:
    """Whether `step` belongs to an optimizer. Schedulers have one, too."""
    is_optimizer = not words.isdisjoint(OPTIMIZER_WORDS)
    is_given_one = any(isinstance(each, Optimizer) for each in site.given)
    return is_optimizer or is_given_one or not words.isdisjoint(STEP_WITH_AN_OPTIMIZER)


def _trains(words: set[str], site: CallSite) -> bool:
    """Whether a function trains with its arguments, judging by the words in its
    name."""
    if not words.isdisjoint(TRAINING_WORDS):
        return True
    return _has_model(site) and not words.isdisjoint(("train", "fit", "loss"))


def _has_model(site: CallSite) -> bool:
    return any(isinstance(each, Model) for each in site.given)
