"""Calls of values of every kind."""

from __future__ import annotations

import ast

from shapelint.reading.effects import CallSite, Effects
from shapelint.reading.functions import Arguments, Functions, bind_method
from shapelint.reading.library_calls import LibraryCalls
from shapelint.reading.method_calls import MethodCalls
from shapelint.reading.mode_layers import layers_of_class
from shapelint.reading.modes import Where
from shapelint.reading.objects import Objects
from shapelint.reading.thing_calls import ThingCalls
from shapelint.reading.values import (
    Class,
    ClassKind,
    Evaluate,
    Function,
    Instance,
    Items,
    Method,
    Model,
    Reference,
    Scope,
    Thing,
    Value,
)


class ValueCalls:
    """Calls values of any kind."""

    def __init__(
        self,
        evaluate: Evaluate,
        objects: Objects,
        functions: Functions,
        effects: Effects,
        method_calls: MethodCalls,
        library_calls: LibraryCalls,
        thing_calls: ThingCalls,
    ) -> None:
        self._evaluate = evaluate
        self._objects = objects
        self._functions = functions
        self._effects = effects
        self._method_calls = method_calls
        self._library_calls = library_calls
        self._thing_calls = thing_calls

    def call(self, callee: Value | None, node: ast.Call, scope: Scope) -> Value | None:
        """The result of a call."""
        if isinstance(callee, Function) and not isinstance(callee.node, ast.Lambda):
            where = Where(scope.source, node)
            return self._functions.run(callee, Arguments.of(node, scope), where)
        site = CallSite(node, scope, self._evaluate_arguments(node, scope))
        if isinstance(callee, Model):
            return self._call_model(callee, site)
        if isinstance(callee, Method):
            return self._method_calls.call_method(callee, site)
        if isinstance(callee, Class):
            return self._make(callee, site)
        if isinstance(callee, Reference):
            return self._library_calls.call_library(callee, site)
        if isinstance(callee, Thing):
            return self._thing_calls.call_thing(callee, site)
        names = (node.func.attr,) if isinstance(node.func, ast.Attribute) else ()
        return self._thing_calls.call_unknown(names, site)

    def _evaluate_arguments(self, node: ast.Call, scope: Scope) -> list[Value | None]:
        given = []
        for each in node.args:
            argument = each.value if isinstance(each, ast.Starred) else each
            given.append(self._evaluate(argument, scope))
        # Of `**first, **second` the last stands for both, as they have no names.
        named = {word.arg: self._evaluate(word.value, scope) for word in node.keywords}
        return [*given, *named.values()]

    def _call_model(self, model: Model, site: CallSite) -> Value | None:
        """Call a model. If models are among its arguments, the result is another model
        made of them."""
        for each in site.given:
            members = each.members if isinstance(each, Items) else [each]
            if any(isinstance(member, Model) for member in members):
                return None
        return self._effects.call_model(model, site)

    def _make(self, owner: Class, site: CallSite) -> Model | Instance:
        """Make an instance of a class of the files."""
        if owner.kind is ClassKind.MODULE:
            layers = (
                owner.layers if owner.layers is not None else layers_of_class(owner)
            )
            model = self._objects.make_model(site.where, layers)
            model.made_from = owner
            return model
        made = self._objects.make_instance(owner)
        if owner.kind is ClassKind.FRAMEWORK:
            self._effects.forget_modes(site.given)
            return made
        constructor = bind_method(made, "__init__")
        if constructor is not None:
            arguments = Arguments.of(site.node, site.scope)
            self._functions.run(constructor, arguments, site.where)
        return made
