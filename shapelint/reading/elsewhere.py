"""What methods give, and what is not in the files: libraries, and things of unknown
make."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from shapelint.reading.events import Frame, Loop, Path
from shapelint.reading.files import Files, makes_a_model, of_expression
from shapelint.reading.values import (
    EVAL,
    TRAIN,
    UNKNOWN,
    Class,
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
    words_of,
)
from shapelint.reading.words import (
    COMPUTES,
    DATA,
    ENDS_THE_PROCESS,
    GIVES_ITSELF,
    LOOKS_ONLY,
    MEASURES,
    MODEL_WORDS,
    NO_FORWARD,
    OPTIMIZER_WORDS,
    PARTS,
    PROVES,
    TRAINING_WORDS,
    WRAPPERS,
)


def _freezes(node: ast.Call) -> bool:
    """Whether `requires_grad_` is called with False."""
    given = [*node.args, *(each.value for each in node.keywords)]
    return any(isinstance(each, ast.Constant) and each.value is False for each in given)


def _wants_gradient(node: ast.Call) -> bool:
    """Whether a tensor is made with `requires_grad=True`."""
    words = [each.value for each in node.keywords if each.arg == "requires_grad"]
    return any(getattr(each, "value", True) is not False for each in words)


class Elsewhere:
    """Calls of methods and of what is imported; mixed into what evaluates
    expressions."""

    files: Files
    path: Path
    models: list[Model]
    stack: list[Loop | Frame]
    grad: str
    visited: set[int]
    bind: Any
    block: Any
    count: Any
    decide: Any
    decorated: Any
    dotted: Any
    attribute: Any
    event: Any
    forward: Any
    leave: Any
    set_mode: Any
    switch: Any
    where: Any
    _gradients: Any
    value: Any
    union: Any
    measured: Any
    new_model: Any
    as_model: Any
    run: Any

    # -- of methods
    # ---------------------------------------------------------------------------------

    def _of_method(
        self, method: Method, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
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
            return self.union(owner.members) or (
                owner if name in ("items", "values", "keys", "copy") else None
            )
        if isinstance(owner, Method) and isinstance(owner.owner, Model):
            return self._of_part(owner.owner, name, node, scope, given)
        if isinstance(owner, Instance):
            self._unknown_modes([*given, *owner.attributes.values()])
            return self.union(given)
        return self._of_unknown((name,), node, scope, given)

    def _of_model(
        self, model: Model, name: str, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
        model.proven = model.proven or name in PROVES
        if name in ("eval", "train"):
            return self._switched(model, name, node, scope)
        if name in GIVES_ITSELF:
            model.frozen = _freezes(node) if name == "requires_grad_" else model.frozen
            return model
        if name == "load_state_dict":
            model.loaded = True
            return None
        if name in NO_FORWARD:
            return Thing((name,))
        if name in ("requires_grad", "freeze"):
            model.frozen = name == "freeze" or _freezes(node)
            return None
        if words_of(name) & TRAINING_WORDS:  # a framework's engine
            model.handled = True
            self._trained(given)
            return None
        return self._computed(model, name, node, scope, given, model.made_from)

    def _computed(
        self,
        model: Model,
        name: str,
        node: ast.Call,
        scope: Scope,
        given: list[Any],
        owner: Class | None = None,
    ) -> Any:
        """What a method or a part of a model gives: `encode(x)` calls the model,
        `device()` or `enable_hooks()` not.

        `owner`: the class that the method is of, if it is known. A method that is not
        in the files, as `generate`, may see to the gradients itself."""
        words = words_of(name)
        if not words & (COMPUTES | PARTS):
            return self.union(given)
        method = owner.method(name) if owner is not None else None
        sees_to_it = method is None or any(
            word in ast.unparse(method) for word in ("no_grad", "inference_mode")
        )
        records = "grad" not in words and (
            bool(words & PARTS) or name == "forward" or not sees_to_it
        )
        return self.forward(model, node, scope, given, records)

    def _switched(self, model: Model, name: str, node: ast.Call, scope: Scope) -> Model:
        mode = EVAL if name == "eval" else TRAIN
        is_data = any(
            word in DATA for arg in node.args for word in words_of(ast.unparse(arg))
        )
        if (
            len(node.args) > 1
            or is_data
            or any(each.arg != "mode" for each in node.keywords)
        ):
            model.handled = True  # a framework's `train(dataset=...)`
        flag = next(
            (each.value for each in node.keywords if each.arg == "mode"),
            node.args[0] if node.args else None,
        )
        if name == "train" and flag is not None:
            truth = self.decide(flag, scope)
            mode = UNKNOWN if truth is None else (TRAIN if truth else EVAL)
        self.switch(model, mode, node, scope)
        return model

    def _of_part(
        self, model: Model, name: str, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
        """A method of a submodule: its own modes are not followed."""
        if name in ("eval", "train"):
            model.handled = True
            return Part(model, name)
        if name in GIVES_ITSELF or name in NO_FORWARD or name == "load_state_dict":
            return Part(model, name)
        return self._computed(model, name, node, scope, given)

    def _of_result(
        self, result: Result, name: str, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
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
            if name == "detach":
                return Result(frozenset(), result.calls | result.apart)
            if name in ("item", "tolist", "numpy", "argmax", "eq", "argsort"):
                return Thing((name,))
        return self.union([result, *given])

    def _trained(self, values: Iterable[Any]) -> None:
        found = self.union(values)
        for call in found.calls if isinstance(found, Result) else ():
            call.trained = True
            call.model.trained = True
        for call in found.apart if isinstance(found, Result) else ():
            call.trained_with = True

    # -- of what is not in the files
    # ------------------------------------------------------------------

    def _of_library(
        self, callee: Reference, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
        dotted, last = callee.dotted, callee.last
        if dotted in ENDS_THE_PROCESS:
            self.leave("raise")
        if last in WRAPPERS and any(isinstance(each, Model) for each in given):
            return (
                given[0]
                if len(given) == 1 or last not in ("prepare", "initialize", "setup")
                else Items(given)
            )
        if dotted.startswith("torch.optim.") or (
            last[:1].isupper() and last.endswith(("Adam", "AdamW", "SGD"))
        ):
            return Optimizer(last)
        if dotted.startswith(
            ("torch.nn.functional.", "torch.nn.utils.", "torch.nn.init.")
        ):
            return self.union(given)
        if dotted.startswith("torch.nn.") and last[:1].isupper():
            return self._torch_layer(last, node, scope)
        if makes_a_model(dotted) or dotted in ("torch.load", "torch.jit.load"):
            mode = (
                EVAL
                if last == "from_pretrained"
                else (UNKNOWN if last == "load" else TRAIN)
            )
            return self.new_model("", node, scope, None, mode)
        if dotted == "copy.deepcopy" and given and isinstance(given[0], Model):
            model = self.new_model("", node, scope, given[0].layers)
            model.modes = given[0].modes
            return model
        if dotted in (
            "torch.autograd.backward",
            "torch.autograd.grad",
            "torch.func.grad",
        ):
            self._trained(given)
            found = self.union(given)
            for call in found.calls if isinstance(found, Result) else ():
                call.for_gradient = True
            self.event("backward", scope, node)
            return None
        if last == "set_grad_enabled":
            self.grad = self._gradients(node, scope) or self.grad
            return None
        if dotted.startswith("torch."):
            return self._of_torch(last, node, given)
        return self._of_unknown(tuple(dotted.split(".")), node, scope, given)

    def _of_torch(self, name: str, node: ast.Call, given: list[Any]) -> Any:
        if name in ("argmax", "max", "topk", "eq", "argsort"):
            for each in given:
                self.measured(each)
        if _wants_gradient(node):
            return Thing((name,), wants_grad=True)
        return self.union(given) if name != "argmax" else None

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
        return self.new_model(
            "", node, scope, tuple(found) if found or not unknown else None
        )

    def _of_thing(
        self, thing: Thing, node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
        if thing.model is not None:
            return self.forward(thing.model, node, scope, given)
        owner, name = thing.names[:-1], thing.names[-1] if thing.names else ""
        is_method = isinstance(node.func, ast.Attribute)
        if is_method and owner:
            base = (
                self.value(node.func.value, scope)
                if isinstance(node.func, ast.Attribute)
                else None
            )
            found = self._of_thing_method(base, owner, name, node, scope, given)
            if found is not NotImplemented:
                return found
        elif words_of(thing.names[-1]) & MODEL_WORDS and not is_method:
            return self.forward(self.as_model(thing), node, scope, given)
        return self._of_unknown(thing.names, node, scope, given)

    def _of_thing_method(
        self,
        base: Any,
        owner: tuple[str, ...],
        name: str,
        node: ast.Call,
        scope: Scope,
        given: list[Any],
    ) -> Any:
        words = {word for each in owner for word in words_of(each)}
        if isinstance(base, Thing) and (
            name == "eval" or (name == "train" and words & MODEL_WORDS)
        ):
            model = self.as_model(base)
            model.proven = True
            return self._switched(model, name, node, scope)
        if "zero_grad" in name or name in ("clear_grad", "zero_"):
            self.event("zero", scope, node)
            return None
        if name == "freeze" and isinstance(base, Thing):
            self.as_model(base).frozen = True
            return None
        if name in PROVES and isinstance(base, Thing) and words & MODEL_WORDS:
            self.as_model(base).proven = True
            return base if name in GIVES_ITSELF else None
        if name in ("requires_grad_", "retain_grad") and isinstance(base, Thing):
            base.wants_grad = not _freezes(node)
            return base
        if name == "step" and (
            words & OPTIMIZER_WORDS
            or any(isinstance(each, Optimizer) for each in given)
        ):
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
            self.event(
                "backward" if not words & {"engine", "deepspeed"} else "elsewhere",
                scope,
                node,
            )
            return None
        if name in ("prepare", "setup", "setup_module") and any(
            isinstance(each, Model) for each in given
        ):
            return Items(given) if len(given) > 1 else given[0]
        return NotImplemented

    def _all_of_this_loop(self) -> None:
        """A loss whose way is not known: whatever was called in this loop may be in
        it."""
        loop = next(
            (each for each in reversed(self.stack) if isinstance(each, Loop)), None
        )
        for call in self.path.forwards:
            if loop is None or loop in call.stack:
                call.trained = True
                call.model.trained = True

    def _of_unknown(
        self, names: tuple[str, ...], node: ast.Call, scope: Scope, given: list[Any]
    ) -> Any:
        """Something from elsewhere: a model handed to it may come back in another
        mode."""
        last = names[-1] if names else ""
        if last == "error" and "parser" in names:  # argparse leaves the process
            self.leave("raise")
        if "zero_grad" in last or last in ("clear_grads", "zero_gradients"):
            self.event("zero", scope, node)
        self._call_back(given, node, scope)
        if last not in LOOKS_ONLY:
            self._unknown_modes(given)
        words = {word for name in names for word in words_of(name)}
        if words & TRAINING_WORDS or (
            words & {"train", "fit", "loss"}
            and any(isinstance(e, Model) for e in given)
        ):
            self._trained(given)
        if last in ("accuracy_score", "f1_score", "accuracy"):
            for each in given:
                self.measured(each)
        return (
            Thing(names, wants_grad=True)
            if _wants_gradient(node)
            else self.union(given)
        )

    def _call_back(self, given: list[Any], node: ast.Call, scope: Scope) -> None:
        """Functions of the file that are handed on are called there."""
        for each in given:
            if isinstance(each, Function) and not isinstance(each.node, ast.Lambda):
                self.run(
                    each, ast.copy_location(ast.Call(node.func, [], []), node), scope
                )

    def _unknown_modes(self, values: Iterable[Any]) -> None:
        for value in values:
            model = value.model if isinstance(value, Thing) else value
            if isinstance(model, Model):
                self.set_mode(model, Mode(UNKNOWN))
            elif isinstance(value, Instance):
                self._unknown_modes(
                    [
                        each
                        for each in value.attributes.values()
                        if isinstance(each, Model)
                    ]
                )
