"""Calls of methods whose owner is known: a model, a result, an optimizer or a list."""

from __future__ import annotations

from shapelint.reading.effects import CallSite, Effects
from shapelint.reading.events import EventKind
from shapelint.reading.library_methods import MODEL_METHODS, RESULT_METHODS, MethodDoes
from shapelint.reading.thing_calls import ThingCalls
from shapelint.reading.values import (
    Instance,
    Items,
    Method,
    Model,
    Optimizer,
    Part,
    Result,
    Thing,
    Value,
    unite_results,
)
from shapelint.reading.vocabulary import TRAINING_WORDS, words_of


class MethodCalls:
    """Calls methods."""

    def __init__(self, effects: Effects, thing_calls: ThingCalls) -> None:
        self._effects = effects
        self._thing_calls = thing_calls

    def call_method(self, method: Method, site: CallSite) -> Value | None:
        """The result of calling a method."""
        owner, name = method.owner, method.name
        if "zero_grad" in name or name == "clear_grad":
            self._effects.note(EventKind.ZERO, site)
            return None
        if isinstance(owner, Model):
            return self._call_on_model(owner, name, site)
        if isinstance(owner, Optimizer):
            self._call_on_optimizer(name, site)
            return None
        if isinstance(owner, Result):
            return self._call_on_result(owner, name, site)
        if isinstance(owner, Items):
            return _call_on_items(owner, name, site)
        if isinstance(owner, Method) and isinstance(owner.owner, Model):
            return self._call_on_part(owner.owner, name, site)
        if isinstance(owner, Instance):
            # A method that is not in the files comes from a base outside of them.
            self._effects.forget_modes([*site.given, *owner.attributes.values()])
            return unite_results(site.given)
        return self._thing_calls.call_unknown((name,), site)

    def _call_on_model(self, model: Model, name: str, site: CallSite) -> Value | None:
        entry = MODEL_METHODS.get(name)
        if entry is None:
            return self._call_other_on_model(model, name, site)
        model.proven = model.proven or entry.is_proof
        if entry.does is MethodDoes.SWITCH_MODE:
            self._effects.switch_mode(model, name, site)
            return model
        if entry.does is MethodDoes.RETURN_ITSELF:
            return model
        if entry.does is MethodDoes.SET_REQUIRES_GRAD:
            model.frozen = site.is_given_false
            return model
        if entry.does is MethodDoes.LOAD_WEIGHTS:
            model.loaded = True
            return None
        if entry.does is MethodDoes.FREEZE:
            model.frozen = name == "freeze" or site.is_given_false
            return None
        return Thing((name,))

    def _call_other_on_model(
        self, model: Model, name: str, site: CallSite
    ) -> Value | None:
        """Call a method that modules do not have: one of the user's class, or of a
        framework."""
        if words_of(name).isdisjoint(TRAINING_WORDS):
            return self._effects.compute(model, name, site, model.made_from)
        # `engine.step()` of a model that DeepSpeed has wrapped, for example.
        model.handled = True
        self._effects.mark_trained(site.given)
        return None

    def _call_on_part(self, model: Model, name: str, site: CallSite) -> Value | None:
        """Call a method of a submodule, whose own mode is not tracked."""
        entry = MODEL_METHODS.get(name)
        if entry is None or entry.does is MethodDoes.FREEZE:
            return self._effects.compute(model, name, site)
        if entry.does is MethodDoes.SWITCH_MODE:
            model.handled = True
        return Part(model, name)

    def _call_on_optimizer(self, name: str, site: CallSite) -> None:
        if name == "step":
            self._effects.call_back(site)  # the closure of torch.optim.LBFGS
            self._effects.note(EventKind.STEP, site)

    def _call_on_result(
        self, result: Result, name: str, site: CallSite
    ) -> Value | None:
        entry = RESULT_METHODS.get(name)
        if entry is None:
            return unite_results([result, *site.given])
        if entry.does is MethodDoes.BACKWARD:
            self._effects.mark_trained([result])
            self._effects.note(EventKind.BACKWARD, site)
            return None
        if entry.does is MethodDoes.WANT_GRADIENT:
            self._effects.mark_differentiated([result])
            return result
        self._effects.mark_measured(result)
        if entry.does is MethodDoes.DETACH:
            return Result(frozenset(), result.calls | result.apart)
        if entry.does is MethodDoes.LEAVE_THE_GRAPH:
            return Thing((name,))
        return unite_results([result, *site.given])


def _call_on_items(items: Items, name: str, site: CallSite) -> Value | None:
    if name in ("append", "add", "extend", "update") and site.given:
        items.members += [each for each in site.given if each is not None]
        return None
    results = unite_results(items.members)
    if results is not None:
        return results
    return items if name in ("items", "values", "keys", "copy") else None
