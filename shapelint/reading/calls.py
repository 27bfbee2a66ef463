"""The expressions of a training script: what a call gives, and what it does to modes
and gradients."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from shapelint.reading.conditions import acts, truth_of
from shapelint.reading.elsewhere import Elsewhere
from shapelint.reading.events import GRAD_ON, GRAD_UNKNOWN, Frame
from shapelint.reading.files import layers_by_mode
from shapelint.reading.values import (
    TRAIN,
    UNKNOWN,
    Class,
    Constant,
    Function,
    Instance,
    Items,
    Method,
    Mode,
    Model,
    Reference,
    Result,
    Scope,
    Thing,
    Where,
)

DEPTH = 8
"""Calls within calls that are followed."""


class Calls(Elsewhere):
    """Evaluates expressions; mixed into what runs statements."""

    instances: list[Instance]

    # what runs statements gives these
    fork: Any
    guarded: Any
    meet: Any
    part_of: Any

    # -- expressions
    # --------------------------------------------------------------------------------

    def value(self, node: ast.expr | None, scope: Scope) -> Any:
        """What an expression is; None where nothing is known."""
        if node is None:
            return None
        self.count()
        evaluate = getattr(self, f"_eval_{type(node).__name__}", None)
        if evaluate is not None:
            return evaluate(node, scope)
        parts = [
            self.value(part, scope)
            for part in ast.iter_child_nodes(node)
            if isinstance(part, ast.expr)
        ]
        return self.union(parts)

    def union(self, values: Iterable[Any]) -> Any:
        """What is made of several values: a result, if there is a model's result in
        them."""
        calls: frozenset[Any] = frozenset()
        apart: frozenset[Any] = frozenset()
        for value in values:
            inner = self.union(value.members) if isinstance(value, Items) else value
            if isinstance(inner, Result):
                calls |= inner.calls
                apart |= inner.apart
        return Result(calls, apart) if calls or apart else None

    def _eval_Constant(self, node: ast.Constant, scope: Scope) -> Any:  # noqa: N802 - named after the node
        return Constant(node.value)

    def _eval_Name(self, node: ast.Name, scope: Scope) -> Any:  # noqa: N802
        known = scope.find(node.id)
        if known is not None:
            return known
        if node.id in ("True", "False", "None"):
            return None
        return Reference(node.id)

    def _eval_Attribute(self, node: ast.Attribute, scope: Scope) -> Any:  # noqa: N802
        owner = self.value(node.value, scope)
        if isinstance(owner, Result) and node.attr in (
            "data",
            "shape",
            "device",
            "dtype",
        ):
            return Thing((node.attr,))
        return self.attribute(owner, node.attr, scope)

    def _eval_Subscript(self, node: ast.Subscript, scope: Scope) -> Any:  # noqa: N802
        owner, key = self.value(node.value, scope), self.value(node.slice, scope)
        if isinstance(owner, Items):
            if isinstance(key, Constant) and owner.keys:
                for known, member in zip(
                    reversed(owner.keys), reversed(owner.members), strict=False
                ):
                    if isinstance(known, Constant) and known.value == key.value:
                        return member
            if (
                isinstance(key, Constant)
                and isinstance(key.value, int)
                and not owner.keys
            ):
                inside = -len(owner.members) <= key.value < len(owner.members)
                return owner.members[key.value] if inside else None
            return self.union(owner.members)
        if isinstance(owner, Result):
            return owner
        names = owner.names if isinstance(owner, Thing) else ()
        own = (str(key.value),) if isinstance(key, Constant) else ()
        return Thing((*names, *own)) if names or own else None

    def _eval_Tuple(self, node: ast.Tuple, scope: Scope) -> Any:  # noqa: N802
        return Items([self.value(each, scope) for each in node.elts])

    _eval_List = _eval_Tuple  # noqa: N815
    _eval_Set = _eval_Tuple  # noqa: N815

    def _eval_Dict(self, node: ast.Dict, scope: Scope) -> Any:  # noqa: N802
        keys = [
            self.value(key, scope) if key is not None else None for key in node.keys
        ]
        return Items([self.value(each, scope) for each in node.values], keys or [None])

    def _eval_IfExp(self, node: ast.IfExp, scope: Scope) -> Any:  # noqa: N802
        truth = self.decide(node.test, scope)
        if truth is not None:
            return self.value(node.body if truth else node.orelse, scope)
        return self._either(
            [node.body, node.orelse],
            [
                lambda: self.value(node.body, scope),
                lambda: self.value(node.orelse, scope),
            ],
        )

    def _eval_BoolOp(self, node: ast.BoolOp, scope: Scope) -> Any:  # noqa: N802
        return self._operands(node.op, node.values, scope)

    def _operands(self, op: ast.boolop, nodes: list[ast.expr], scope: Scope) -> Any:
        """What `and` or `or` gives: an operand that the one before does not decide may
        not be run."""
        first, rest = self.value(nodes[0], scope), nodes[1:]
        if not rest:
            return first
        truth = truth_of(first)
        if truth is not None and truth is isinstance(op, ast.Or):
            return first
        if truth is not None:
            return self._operands(op, rest, scope)
        return self._either(
            rest, [lambda: first, lambda: self._operands(op, rest, scope)]
        )

    def _either(self, nodes: list[ast.expr], ways: list[Callable[[], Any]]) -> Any:
        """The value of an expression that goes one of several ways; `nodes`: what is
        not run on each of them."""
        values = self.fork(ways) if any(map(acts, nodes)) else [way() for way in ways]
        joined = values[0]
        for value in values[1:]:
            joined = self.meet("", joined, value)
        return joined

    def _eval_Lambda(self, node: ast.Lambda, scope: Scope) -> Any:  # noqa: N802
        return Function(node, scope)

    def _eval_NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> Any:  # noqa: N802
        value = self.value(node.value, scope)
        self.bind(node.target, value, scope)
        return value

    def _eval_Compare(self, node: ast.Compare, scope: Scope) -> Any:  # noqa: N802
        for value in [
            self.value(each, scope) for each in (node.left, *node.comparators)
        ]:
            self.measured(value)
        return None

    def _comprehension(self, node: Any, scope: Scope) -> Any:
        inner = Scope(scope.file, {}, scope)
        for generator in node.generators:
            self.value(generator.iter, scope)
            self.bind(generator.target, None, inner)
        members = (
            [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        )
        conditions = [each for generator in node.generators for each in generator.ifs]
        if not conditions:
            return self._each(members, inner)
        self._each(conditions, inner)
        return self._either(members, [lambda: self._each(members, inner), lambda: None])

    def _each(self, nodes: list[ast.expr], scope: Scope) -> Any:
        return self.union([self.value(each, scope) for each in nodes])

    _eval_ListComp = _comprehension  # noqa: N815
    _eval_SetComp = _comprehension  # noqa: N815
    _eval_GeneratorExp = _comprehension  # noqa: N815
    _eval_DictComp = _comprehension  # noqa: N815

    def measured(self, value: Any) -> None:
        """A result is held against something, or taken out of the graph: nothing is
        trained with that."""
        if isinstance(value, Result):
            for call in value.calls:
                call.measured = True

    # -- calls
    # --------------------------------------------------------------------------------------

    def _eval_Call(self, node: ast.Call, scope: Scope) -> Any:  # noqa: N802
        callee = self.value(node.func, scope)
        if isinstance(callee, Function) and not isinstance(callee.node, ast.Lambda):
            return self.run(callee, node, scope)
        return self.called(callee, node, scope)

    def called(self, callee: Any, node: ast.Call, scope: Scope) -> Any:
        """What a call gives, of anything but a function of the file."""
        arguments = [
            self.value(each.value if isinstance(each, ast.Starred) else each, scope)
            for each in node.args
        ]
        named = {word.arg: self.value(word.value, scope) for word in node.keywords}
        given = [*arguments, *named.values()]
        if isinstance(callee, Model):
            parts = [
                part
                for each in given
                for part in (each.members if isinstance(each, Items) else [each])
            ]
            if any(
                isinstance(part, Model) for part in parts
            ):  # made of models: it is what makes one
                return None
            return self.forward(callee, node, scope, given)
        if isinstance(callee, Method):
            return self._of_method(callee, node, scope, given)
        if isinstance(callee, Class):
            return self._made(callee, node, scope, given)
        if isinstance(callee, Reference):
            return self._of_library(callee, node, scope, given)
        if isinstance(callee, Thing):
            return self._of_thing(callee, node, scope, given)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return self._of_unknown((name,) if name else (), node, scope, given)

    def run(self, function: Function, node: ast.Call, scope: Scope) -> Any:
        """Run a function of the file in place of its call."""
        frames = [each.function.node for each in self.stack if isinstance(each, Frame)]
        if len(frames) >= DEPTH or function.node in frames:
            for each in (*node.args, *(word.value for word in node.keywords)):
                self.value(each, scope)
            return None
        inner = Scope(function.scope.file, {}, function.scope)
        self.bind_arguments(function, node, scope, inner)
        return self.execute(function, inner, self.where(scope, node))

    def execute(self, function: Function, inner: Scope, called_at: Where | None) -> Any:
        """Run a function's body in a scope of its own."""
        self.visited.add(id(function.node))
        given, may_switch = self.decorated(function)
        before, modes = self.grad, {model: model.modes for model in self.models}
        self.stack.append(Frame(function, called_at))
        try:
            if given or may_switch:
                self.guarded(
                    lambda: self._decorated(function, inner, given, may_switch),
                    lambda: self._set_grad(before),
                )
            else:
                self._body(function, inner)
        finally:
            self.stack.pop()
        self.grad = before
        if may_switch:
            for model, known in modes.items():
                model.modes = known
        return inner.names.get("return")

    def _decorated(
        self, function: Function, inner: Scope, given: str, may_switch: bool
    ) -> None:
        """Run a body with what its decorators make of gradients and modes."""
        self.grad = given or (GRAD_UNKNOWN if self.grad == GRAD_ON else self.grad)
        if may_switch:
            self._unknown_modes(self.models)
        self._body(function, inner)

    def _body(self, function: Function, inner: Scope) -> None:
        if isinstance(function.node.body, list):
            self.part_of(function.node.body, inner)

    def _set_grad(self, grad: str) -> None:
        self.grad = grad

    def bind_arguments(
        self, function: Function, node: ast.Call, scope: Scope, inner: Scope
    ) -> None:
        """Give a function's parameters what a call hands in, else their defaults."""
        spec = function.node.args
        names = [arg.arg for arg in [*spec.posonlyargs, *spec.args]]
        is_static = any(
            getattr(each, "id", "") == "staticmethod"
            for each in getattr(function.node, "decorator_list", [])
        )
        if function.bound is not None and names and not is_static:
            inner.names[names.pop(0)] = function.bound
        defaults = dict(
            zip(
                reversed([arg.arg for arg in [*spec.posonlyargs, *spec.args]]),
                reversed(spec.defaults),
                strict=False,
            )
        )
        defaults |= {
            arg.arg: value
            for arg, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
            if value is not None
        }
        for name, default in defaults.items():
            inner.names.setdefault(name, self.value(default, function.scope))
        for name, given in zip(names, node.args, strict=False):
            if isinstance(given, ast.Starred):
                break
            self._bind_argument(name, given, scope, inner)
        for word in node.keywords:
            if word.arg is not None:
                self._bind_argument(word.arg, word.value, scope, inner)
        for name in [*names, *(arg.arg for arg in spec.kwonlyargs)]:
            inner.names.setdefault(name, Thing((name,)))

    def _bind_argument(
        self, name: str, given: ast.expr, scope: Scope, inner: Scope
    ) -> None:
        value = self.value(given, scope)
        spelled = (
            given.attr if isinstance(given, ast.Attribute) else getattr(given, "id", "")
        )
        if value is None or isinstance(value, Reference):
            value = (
                value
                if isinstance(value, Reference) and not spelled
                else Thing((spelled or name,))
            )
        inner.names[name] = value

    def method_of(
        self, owner: Instance, name: str, node: ast.Call, scope: Scope
    ) -> None:
        """Run a method of an object of the file without arguments."""
        method = owner.made_from.method(name)
        if method is not None:
            function = Function(method, owner.made_from.scope, owner)
            inner = Scope(owner.made_from.scope.file, {}, owner.made_from.scope)
            self.bind_arguments(function, ast.Call(node.func, [], []), scope, inner)
            self.execute(function, inner, self.where(scope, node))

    def _made(
        self, owner: Class, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
        if owner.kind == "module":
            known = owner.layers if owner.layers is not None else layers_by_mode(owner)
            model = self.new_model("", node, scope, known)
            model.made_from = owner
            return model
        made = self.new_instance(owner)
        if owner.kind == "framework":
            self._unknown_modes(given)
            return made
        init = owner.method("__init__")
        if init is not None:
            self.run(Function(init, owner.scope, made), node, scope)
        return made

    def new_instance(self, owner: Class) -> Instance:
        """An object of a class of the files."""
        made = Instance(owner)
        self.instances.append(made)
        return made

    def new_model(
        self,
        name: str,
        node: ast.AST,
        scope: Scope,
        layers: tuple[str, ...] | None,
        mode: str = TRAIN,
    ) -> Model:
        """A model that is made here."""
        model = Model(name, self.where(scope, node), layers, frozenset({Mode(mode)}))
        self.models.append(model)
        return model

    def as_model(self, thing: Thing) -> Model:
        """A thing that is used as a model is one, of unknown mode."""
        if thing.model is None:
            thing.model = Model(
                thing.names[0] if thing.names else "",
                None,
                None,
                frozenset({Mode(UNKNOWN)}),
            )
            thing.model.proven = False
            self.models.append(thing.model)
        return thing.model
