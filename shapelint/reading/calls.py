"""The expressions of a training script: what a call gives, and what it does to modes and gradients."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from shapelint.reading.events import GRAD_ON, GRAD_UNKNOWN, Frame, Loop, Path
from shapelint.reading.files import Files, layers_by_mode, makes_a_model, of_expression
from shapelint.reading.values import (
    EVAL,
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
    Optimizer,
    Part,
    Reference,
    Result,
    Scope,
    Thing,
    Where,
    words_of,
)
from shapelint.reading.words import (
    GIVES_ITSELF,
    LOOKS_ONLY,
    MEASURES,
    MODEL_WORDS,
    NO_FORWARD,
    OPTIMIZER_WORDS,
    TRAINING_WORDS,
    WRAPPERS,
)

DEPTH = 8
"""Calls within calls that are followed."""


class Calls:
    """Evaluates expressions; mixed into what runs statements."""

    files: Files
    path: Path
    models: list[Model]
    stack: list[Loop | Frame]
    grad: str
    visited: set[int]

    # what runs statements gives these
    bind: Any
    block: Any
    count: Any
    decide: Any
    decorated: Any
    dotted: Any
    attribute: Any
    event: Any
    forward: Any
    switch: Any
    where: Any
    _gradients: Any

    # -- expressions --------------------------------------------------------------------------------

    def value(self, node: ast.expr | None, scope: Scope) -> Any:
        """What an expression is; None where nothing is known."""
        if node is None:
            return None
        self.count()
        evaluate = getattr(self, f"_eval_{type(node).__name__}", None)
        if evaluate is not None:
            return evaluate(node, scope)
        parts = [self.value(part, scope) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return self.union(parts)

    def union(self, values: Iterable[Any]) -> Any:
        """What is made of several values: a result, if there is a model's result in them."""
        calls: frozenset[Any] = frozenset()
        for value in values:
            if isinstance(value, Result):
                calls |= value.calls
            elif isinstance(value, Items):
                inner = self.union(value.members)
                calls |= inner.calls if isinstance(inner, Result) else frozenset()
        return Result(calls) if calls else None

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
        if isinstance(owner, Result) and node.attr in ("data", "shape", "device", "dtype"):
            return Thing((node.attr,))
        return self.attribute(owner, node.attr, scope)

    def _eval_Subscript(self, node: ast.Subscript, scope: Scope) -> Any:  # noqa: N802
        owner, key = self.value(node.value, scope), self.value(node.slice, scope)
        if isinstance(owner, Items):
            if isinstance(key, Constant) and owner.keys:
                for known, member in zip(reversed(owner.keys), reversed(owner.members), strict=False):
                    if isinstance(known, Constant) and known.value == key.value:
                        return member
            if isinstance(key, Constant) and isinstance(key.value, int) and not owner.keys:
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
        keys = [self.value(key, scope) if key is not None else None for key in node.keys]
        return Items([self.value(each, scope) for each in node.values], keys or [None])

    def _eval_IfExp(self, node: ast.IfExp, scope: Scope) -> Any:  # noqa: N802
        truth = self.decide(node.test, scope)
        if truth is not None:
            return self.value(node.body if truth else node.orelse, scope)
        first, second = self.value(node.body, scope), self.value(node.orelse, scope)
        return self.union([first, second]) or (first if first is not None else second)

    def _eval_Lambda(self, node: ast.Lambda, scope: Scope) -> Any:  # noqa: N802
        return Function(node, scope)

    def _eval_NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> Any:  # noqa: N802
        value = self.value(node.value, scope)
        self.bind(node.target, value, scope)
        return value

    def _eval_Compare(self, node: ast.Compare, scope: Scope) -> Any:  # noqa: N802
        for value in [self.value(each, scope) for each in (node.left, *node.comparators)]:
            self.measured(value)
        return None

    def _comprehension(self, node: Any, scope: Scope) -> Any:
        inner = Scope(scope.file, {}, scope)
        for generator in node.generators:
            self.value(generator.iter, scope)
            self.bind(generator.target, None, inner)
        if isinstance(node, ast.DictComp):
            return self.union([self.value(node.key, inner), self.value(node.value, inner)])
        return self.union([self.value(node.elt, inner)])

    _eval_ListComp = _comprehension  # noqa: N815
    _eval_SetComp = _comprehension  # noqa: N815
    _eval_GeneratorExp = _comprehension  # noqa: N815
    _eval_DictComp = _comprehension  # noqa: N815

    def measured(self, value: Any) -> None:
        """A result is held against something, or taken out of the graph: nothing is trained with that."""
        if isinstance(value, Result):
            for call in value.calls:
                call.measured = True

    # -- calls --------------------------------------------------------------------------------------

    def _eval_Call(self, node: ast.Call, scope: Scope) -> Any:  # noqa: N802
        callee = self.value(node.func, scope)
        if isinstance(callee, Function) and not isinstance(callee.node, ast.Lambda):
            return self.run(callee, node, scope)
        return self.called(callee, node, scope)

    def called(self, callee: Any, node: ast.Call, scope: Scope) -> Any:
        """What a call gives, of anything but a function of the file."""
        arguments = [self.value(each.value if isinstance(each, ast.Starred) else each, scope) for each in node.args]
        named = {word.arg: self.value(word.value, scope) for word in node.keywords}
        given = [*arguments, *named.values()]
        if isinstance(callee, Model):
            return self.forward(callee, node, scope, given)
        if isinstance(callee, Method):
            return self._of_method(callee, node, scope, given)
        if isinstance(callee, Class):
            return self._made(callee, node, scope, given)
        if isinstance(callee, Reference):
            return self._of_library(callee, node, scope, given)
        if isinstance(callee, Thing):
            return self._of_thing(callee, node, scope, given)
        return self._of_unknown((), node, scope, given)

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
        self.grad = given or (GRAD_UNKNOWN if may_switch and self.grad == GRAD_ON else self.grad)
        if may_switch:
            self._unknown_modes(self.models)
        self.stack.append(Frame(function, called_at))
        try:
            body = function.node.body
            if isinstance(body, list):
                self.block(body, inner)
        finally:
            self.stack.pop()
            self.grad = before
        if may_switch:
            for model, known in modes.items():
                model.modes = known
        return inner.names.get("return")

    def bind_arguments(self, function: Function, node: ast.Call, scope: Scope, inner: Scope) -> None:
        """Give a function's parameters what a call hands in, else their defaults."""
        spec = function.node.args
        names = [arg.arg for arg in [*spec.posonlyargs, *spec.args]]
        is_static = any(
            getattr(each, "id", "") == "staticmethod" for each in getattr(function.node, "decorator_list", [])
        )
        if function.bound is not None and names and not is_static:
            inner.names[names.pop(0)] = function.bound
        defaults = dict(
            zip(reversed([arg.arg for arg in [*spec.posonlyargs, *spec.args]]), reversed(spec.defaults), strict=False)
        )
        defaults |= {
            arg.arg: value for arg, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if value is not None
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

    def _bind_argument(self, name: str, given: ast.expr, scope: Scope, inner: Scope) -> None:
        value = self.value(given, scope)
        spelled = given.attr if isinstance(given, ast.Attribute) else getattr(given, "id", "")
        if value is None or isinstance(value, Reference):
            value = value if isinstance(value, Reference) and not spelled else Thing((spelled or name,))
        inner.names[name] = value

    def method_of(self, owner: Instance, name: str, node: ast.Call, scope: Scope) -> None:
        """Run a method of an object of the file without arguments."""
        method = owner.made_from.method(name)
        if method is not None:
            function = Function(method, owner.made_from.scope, owner)
            inner = Scope(owner.made_from.scope.file, {}, owner.made_from.scope)
            self.bind_arguments(function, ast.Call(node.func, [], []), scope, inner)
            self.execute(function, inner, self.where(scope, node))

    def _made(self, owner: Class, node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        if owner.kind == "module":
            known = owner.layers if owner.layers is not None else layers_by_mode(owner)
            return self.new_model("", node, scope, known)
        made = Instance(owner)
        if owner.kind == "framework":
            self._unknown_modes(given)
            return made
        init = owner.method("__init__")
        if init is not None:
            self.run(Function(init, owner.scope, made), node, scope)
        return made

    def new_model(
        self, name: str, node: ast.AST, scope: Scope, layers: tuple[str, ...] | None, mode: str = TRAIN
    ) -> Model:
        """A model that is made here."""
        model = Model(name, self.where(scope, node), layers, frozenset({Mode(mode)}))
        self.models.append(model)
        return model

    def as_model(self, thing: Thing) -> Model:
        """A thing that is used as a model is one, of unknown mode."""
        if thing.model is None:
            thing.model = Model(thing.names[0] if thing.names else "", None, None, frozenset({Mode(UNKNOWN)}))
            self.models.append(thing.model)
        return thing.model

    # -- of methods ---------------------------------------------------------------------------------

    def _of_method(self, method: Method, node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        owner, name = method.owner, method.name
        if "zero_grad" in name or name == "clear_grad":
            self.event("zero", scope, node)
            return None
        if isinstance(owner, Model):
            return self._of_model(owner, name, node, scope, given)
        if isinstance(owner, Optimizer):
            if name == "step":
                self._call_back(given, node, scope)
                self.event("step", scope, node)
            return None
        if isinstance(owner, Result):
            return self._of_result(owner, name, node, scope, given)
        if isinstance(owner, Items):
            if name in ("append", "add", "extend", "update") and given:
                owner.members += [each for each in given if each is not None]
                return None
            return self.union(owner.members) or (owner if name in ("items", "values", "keys", "copy") else None)
        if isinstance(owner, Method) and isinstance(owner.owner, Model):
            return self._of_part(owner.owner, name, node, scope, given)
        if isinstance(owner, Instance):
            self._unknown_modes([*given, *owner.attributes.values()])
            return self.union(given)
        return self._of_unknown((name,), node, scope, given)

    def _of_model(self, model: Model, name: str, node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        if name in ("eval", "train"):
            return self._switched(model, name, node, scope)
        if name in GIVES_ITSELF:
            return model
        if name == "load_state_dict":
            model.loaded = True
            return None
        if name in NO_FORWARD:
            return Thing((name,))
        if name in ("requires_grad", "freeze"):
            return None
        if words_of(name) & TRAINING_WORDS:  # a framework's engine
            model.handled = True
            self._trained(given)
            return None
        return self.forward(model, node, scope, given)

    def _switched(self, model: Model, name: str, node: ast.Call, scope: Scope) -> Model:
        mode = EVAL if name == "eval" else TRAIN
        flag = next((each.value for each in node.keywords if each.arg == "mode"), node.args[0] if node.args else None)
        if name == "train" and flag is not None:
            truth = self.decide(flag, scope)
            mode = UNKNOWN if truth is None else (TRAIN if truth else EVAL)
        self.switch(model, mode, node, scope)
        return model

    def _of_part(self, model: Model, name: str, node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        """A method of a submodule: its own modes are not followed."""
        if name in ("eval", "train"):
            model.handled = True
            return Part(model, name)
        if name in GIVES_ITSELF or name in NO_FORWARD or name == "load_state_dict":
            return Part(model, name)
        return self.forward(model, node, scope, given)

    def _of_result(self, result: Result, name: str, node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        if name == "backward":
            self._trained([result])
            self.event("backward", scope, node)
            return None
        if name in ("requires_grad_", "retain_grad"):
            for call in result.calls:
                call.for_gradient = True
            return result
        if name in MEASURES:
            self.measured(result)
            if name in ("detach", "item", "tolist", "numpy", "argmax", "eq", "argsort"):
                return Thing((name,))
        return self.union([result, *given])

    def _trained(self, values: Iterable[Any]) -> None:
        found = self.union(values)
        for call in found.calls if isinstance(found, Result) else ():
            call.trained = True
            call.model.trained = True

    # -- of what is not in the files ------------------------------------------------------------------

    def _of_library(self, callee: Reference, node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        dotted, last = callee.dotted, callee.last
        if last in WRAPPERS and any(isinstance(each, Model) for each in given):
            return given[0] if len(given) == 1 or last not in ("prepare", "initialize", "setup") else Items(given)
        if dotted.startswith("torch.optim.") or (last[:1].isupper() and last.endswith(("Adam", "AdamW", "SGD"))):
            return Optimizer(last)
        if dotted.startswith(("torch.nn.functional.", "torch.nn.utils.", "torch.nn.init.")):
            return self.union(given)
        if dotted.startswith("torch.nn.") and last[:1].isupper():
            return self._torch_layer(last, node, scope)
        if makes_a_model(dotted) or dotted in ("torch.load", "torch.jit.load"):
            mode = EVAL if last == "from_pretrained" else (UNKNOWN if last == "load" else TRAIN)
            return self.new_model("", node, scope, None, mode)
        if dotted == "copy.deepcopy" and given and isinstance(given[0], Model):
            model = self.new_model("", node, scope, given[0].layers)
            model.modes = given[0].modes
            return model
        if dotted in ("torch.autograd.backward", "torch.autograd.grad", "torch.func.grad"):
            self._trained(given)
            self.event("backward", scope, node)
            return None
        if last == "set_grad_enabled":
            self.grad = self._gradients(node, scope) or self.grad
            return None
        if dotted.startswith("torch."):
            if last in ("argmax", "max", "topk", "eq", "argsort"):
                for each in given:
                    self.measured(each)
            return self.union(given) if last != "argmax" else None
        return self._of_unknown(tuple(dotted.split(".")), node, scope, given)

    def _torch_layer(self, name: str, node: ast.Call, scope: Scope) -> Any:
        if name.endswith("Loss") or name in (
            "Parameter",
            "Flatten",
            "Softmax",
            "Sigmoid",
            "Upsample",
            "CosineSimilarity",
        ):
            return Thing((name,))
        found: dict[str, None] = {}
        unknown = False
        for part in ast.walk(node):
            inner = of_expression(part, scope)
            unknown = unknown or inner is None
            found.update(dict.fromkeys(inner or ()))
        return self.new_model("", node, scope, tuple(found) if found or not unknown else None)

    def _of_thing(self, thing: Thing, node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        if thing.model is not None:
            return self.forward(thing.model, node, scope, given)
        owner, name = thing.names[:-1], thing.names[-1] if thing.names else ""
        is_method = isinstance(node.func, ast.Attribute)
        if is_method and owner:
            base = self.value(node.func.value, scope) if isinstance(node.func, ast.Attribute) else None
            found = self._of_thing_method(base, owner, name, node, scope, given)
            if found is not NotImplemented:
                return found
        elif words_of(thing.names[-1]) & MODEL_WORDS and not is_method:
            return self.forward(self.as_model(thing), node, scope, given)
        return self._of_unknown(thing.names, node, scope, given)

    def _of_thing_method(
        self, base: Any, owner: tuple[str, ...], name: str, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
        words = {word for each in owner for word in words_of(each)}
        if isinstance(base, Thing) and (name == "eval" or (name == "train" and words & MODEL_WORDS)):
            model = self.as_model(base)
            return self._switched(model, name, node, scope)
        if "zero_grad" in name or name in ("clear_grad", "zero_"):
            self.event("zero", scope, node)
            return None
        if name == "step" and (words & OPTIMIZER_WORDS or any(isinstance(each, Optimizer) for each in given)):
            self._call_back(given, node, scope)
            self.event("step", scope, node)
            return None
        if name == "step" and words & {"scaler", "accelerator", "fabric"}:
            self.event("step", scope, node)
            return None
        if name == "backward":
            self._trained(given)
            if not given:
                self._all_of_this_loop()
            self.event("backward" if not words & {"engine", "deepspeed"} else "elsewhere", scope, node)
            return None
        if name in ("prepare", "setup", "setup_module") and any(isinstance(each, Model) for each in given):
            return Items(given) if len(given) > 1 else given[0]
        return NotImplemented

    def _all_of_this_loop(self) -> None:
        """A loss whose way is not known: whatever was called in this loop may be in it."""
        loop = next((each for each in reversed(self.stack) if isinstance(each, Loop)), None)
        for call in self.path.forwards:
            if loop is None or loop in call.stack:
                call.trained = True
                call.model.trained = True

    def _of_unknown(self, names: tuple[str, ...], node: ast.Call, scope: Scope, given: list[Any]) -> Any:
        """Something from elsewhere: a model handed to it may come back in another mode."""
        last = names[-1] if names else ""
        if "zero_grad" in last or last in ("clear_grads", "zero_gradients"):
            self.event("zero", scope, node)
        self._call_back(given, node, scope)
        if last not in LOOKS_ONLY:
            self._unknown_modes(given)
        words = {word for name in names for word in words_of(name)}
        if words & TRAINING_WORDS or (words & {"train", "fit", "loss"} and any(isinstance(e, Model) for e in given)):
            self._trained(given)
        if last in ("accuracy_score", "f1_score", "accuracy"):
            for each in given:
                self.measured(each)
        return self.union(given)

    def _call_back(self, given: list[Any], node: ast.Call, scope: Scope) -> None:
        """Functions of the file that are handed on are called there."""
        for each in given:
            if isinstance(each, Function) and not isinstance(each.node, ast.Lambda):
                self.run(each, ast.copy_location(ast.Call(node.func, [], []), node), scope)

    def _unknown_modes(self, values: Iterable[Any]) -> None:
        for value in values:
            model = value.model if isinstance(value, Thing) else value
            if isinstance(model, Model):
                model.modes = frozenset({Mode(UNKNOWN)})
            elif isinstance(value, Instance):
                self._unknown_modes([each for each in value.attributes.values() if isinstance(each, Model)])
