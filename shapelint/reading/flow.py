"""One path through a training script: its statements in order, with what is known of
each value.

Loops run twice, so that what the end of one round does to the next is seen. Conditions
on a name are decided once for a path; of others both branches run, and what they leave
is joined."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shapelint.reading.branches import Branches, Catch
from shapelint.reading.calls import Calls
from shapelint.reading.events import (
    GRAD_OFF,
    GRAD_ON,
    Event,
    Forward,
    Frame,
    Loop,
    Path,
)
from shapelint.reading.files import Files
from shapelint.reading.states import Kept
from shapelint.reading.values import (
    EVAL,
    TRAIN,
    UNKNOWN,
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
)

STEPS = 8000
"""Statements and calls of one path."""


_CHANGES = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete, ast.Expr)
"""Statements that change what is known; others are made of them, or leave all as it
is."""


class OutOfStepsError(Exception):
    """The path is too long; what was seen of it counts for nothing."""


@dataclass
class Flow(Calls, Branches):
    """Runs statements. `decisions`: conditions that are decided already, by their text;
    new ones are true."""

    files: Files
    decisions: dict[str, bool] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    path: Path = field(default_factory=Path)
    models: list[Model] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    met: dict[frozenset[Model], Model] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    catches: list[Catch] = field(default_factory=list)
    turns: int = 0
    kept: dict[int, Kept] = field(default_factory=dict)
    stack: list[Loop | Frame] = field(default_factory=list)
    grad: str = GRAD_ON
    visited: set[int] = field(default_factory=set)
    steps: int = 0

    # -- statements
    # ---------------------------------------------------------------------------------

    def block(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Run statements in order."""
        for node in body:
            self.statement(node, scope)

    def part_of(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Run statements of a function, in a scope of its own; `return` ends them."""
        before = self.state()
        self.scopes.append(scope)
        try:
            with self.catching(Catch(("return",))) as catch:
                ends = self.end_of(lambda: self.block(body, scope))
        finally:
            self.scopes.pop()
        self.resume(before, [*catch.take("return"), *ends])

    def statement(self, node: ast.stmt, scope: Scope) -> None:
        """Run one statement."""
        self.count()
        run = getattr(self, f"_run_{type(node).__name__}", None)
        if run is not None:
            run(node, scope)
        if isinstance(node, _CHANGES):
            self.may_raise()

    def count(self) -> None:
        """One more step.

        Raises:
            OutOfStepsError: there were too many.
        """
        self.steps += 1
        if self.steps > STEPS:
            raise OutOfStepsError

    def where(self, scope: Scope, node: ast.AST) -> Where:
        """A node as a place."""
        return Where(scope.file, node, self.files.texts)

    def _run_Expr(self, node: ast.Expr, scope: Scope) -> None:  # noqa: N802 - named after the node
        self.value(node.value, scope)
        for call in self.path.forwards[-1:]:
            call.dropped = call.dropped or call.at.node is node.value

    def _run_Return(self, node: ast.Return, scope: Scope) -> None:  # noqa: N802
        scope.names["return"] = (
            self.value(node.value, scope) if node.value is not None else None
        )
        self.leave("return")

    def _run_Raise(self, node: ast.Raise, scope: Scope) -> None:  # noqa: N802
        self.leave("raise")

    def _run_Break(self, node: ast.Break, scope: Scope) -> None:  # noqa: N802
        self.leave("break")

    def _run_Continue(self, node: ast.Continue, scope: Scope) -> None:  # noqa: N802
        self.leave("continue")

    def _run_Assert(self, node: ast.Assert, scope: Scope) -> None:  # noqa: N802
        if isinstance(node.test, ast.Constant) and not node.test.value:
            self.leave("raise")

    def _run_Import(self, node: ast.Import, scope: Scope) -> None:  # noqa: N802
        self.files.imported(scope, node)

    def _run_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:  # noqa: N802
        self.files.imported(scope, node)

    def _run_FunctionDef(self, node: ast.FunctionDef, scope: Scope) -> None:  # noqa: N802
        scope.names[node.name] = Function(node, scope)

    def _run_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:  # noqa: N802
        scope.names.setdefault(node.name, self.files.class_of(node, scope))

    def _run_Assign(self, node: ast.Assign, scope: Scope) -> None:  # noqa: N802
        value = self.value(node.value, scope)
        for target in node.targets:
            self.bind(target, value, scope)

    def _run_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:  # noqa: N802
        if node.value is not None:
            self.bind(node.target, self.value(node.value, scope), scope)

    def _run_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:  # noqa: N802
        added = self.value(node.value, scope)
        if isinstance(added, Result) or isinstance(
            self.value(node.target, scope), Result
        ):
            self.bind(
                node.target, self.union([self.value(node.target, scope), added]), scope
            )
        elif isinstance(
            self.value(node.target, scope), Constant
        ):  # a counter, now another number
            self.bind(node.target, None, scope)

    def _run_Delete(self, node: ast.Delete, scope: Scope) -> None:  # noqa: N802
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.names.pop(target.id, None)

    # -- names
    # --------------------------------------------------------------------------------------

    def bind(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Give a name, an attribute or a tuple of them a value."""
        if isinstance(target, ast.Name):
            if value is None:
                value = Thing((target.id,))
            elif isinstance(value, Model) and not value.name:
                value.name = target.id
            elif isinstance(value, Thing) and value.model is None:
                value = Thing((target.id, *value.names), wants_grad=value.wants_grad)
            scope.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            members = (
                value.members if isinstance(value, Items) and not value.keys else []
            )
            shared = value if isinstance(value, Result) else None
            for position, each in enumerate(target.elts):
                self.bind(
                    each,
                    members[position] if position < len(members) else shared,
                    scope,
                )
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, value, scope)
        elif isinstance(target, ast.Subscript):
            owner = self.value(target.value, scope)
            if isinstance(owner, Items) and value is not None:
                owner.members.append(value)
                owner.keys.append(self.value(target.slice, scope))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, scope)

    def _bind_attribute(self, target: ast.Attribute, value: Any, scope: Scope) -> None:
        owner = self.value(target.value, scope)
        if (
            target.attr == "grad"
            and isinstance(value, Constant)
            and value.value is None
        ):
            self.event("zero", scope, target)
        if isinstance(value, Model) and not value.name:
            value.name = ast.unparse(target)
        if isinstance(owner, Instance):
            owner.attributes[target.attr] = (
                value if value is not None else Thing((target.attr,))
            )
        elif isinstance(owner, Thing) and target.attr == "requires_grad":
            owner.wants_grad = not (
                isinstance(value, Constant) and value.value is False
            )
        elif isinstance(owner, Model) and target.attr == "training":
            self.set_mode(owner, Mode(UNKNOWN))

    def names_in(self, node: ast.expr, scope: Scope) -> Iterable[str]:
        """All names in an expression, and those that what they stand for goes by."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                value = scope.find(part.id)
                yield from value.names if isinstance(value, Thing) else ()
                yield part.id
            elif isinstance(part, ast.Attribute):
                yield part.attr
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
            elif isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Name):
                key = scope.find(part.slice.id)
                if isinstance(key, Constant) and isinstance(key.value, str):
                    yield key.value

    def event(self, kind: str, scope: Scope, node: ast.AST) -> None:
        """Note that something happened."""
        loops = tuple(each for each in self.stack if isinstance(each, Loop))
        self.path.events.append(
            Event(kind, self.where(scope, node), loops, len(self.models))
        )

    def forward(
        self,
        model: Model,
        node: ast.AST,
        scope: Scope,
        arguments: list[Any],
        records: bool = True,
    ) -> Result:
        """A call of a model; `records`: whether nothing in it may see to it that no
        gradients are recorded."""
        grad = GRAD_OFF if model.frozen or not records else self.grad
        call = Forward(
            self.where(scope, node), model, model.modes, grad, tuple(self.stack)
        )
        call.for_gradient = model.differentiates or any(
            isinstance(each, Thing) and each.wants_grad for each in arguments
        )
        call.after_training = model.trained
        self.path.forwards.append(call)
        own = frozenset({call})
        given = [each for each in arguments if isinstance(each, Result)]
        apart = frozenset(each for result in given for each in result.apart)
        return Result(own.union(*(each.calls for each in given)), apart)

    def switch(self, model: Model, mode: str, node: ast.AST, scope: Scope) -> None:
        """A model's mode is set."""
        where = self.where(scope, node)
        self.set_mode(model, Mode(mode, where))
        if mode in (TRAIN, EVAL):
            self.path.switches.append((where, model, mode))

    def attribute(self, owner: Any, name: str, scope: Scope) -> Any:
        """An attribute of a value."""
        if isinstance(owner, Reference):
            return Reference(f"{owner.dotted}.{name}")
        if isinstance(owner, Scope):
            return owner.own(name) or Reference(name)
        if isinstance(owner, Instance):
            if name in owner.attributes:
                return owner.attributes[name]
            method = owner.made_from.method(name)
            return (
                Function(method, owner.made_from.scope, owner)
                if method is not None
                else Method(owner, name)
            )
        if isinstance(owner, Model) and name == "training":
            known = {mode.name for mode in owner.modes}
            return (
                Constant(known == {TRAIN})
                if known in ({TRAIN}, {EVAL})
                else Thing((owner.name, name))
            )
        if isinstance(owner, Model):
            return owner if name in ("module", "_orig_mod") else Method(owner, name)
        if isinstance(owner, (Result, Optimizer, Part, Items, Method)):
            return Method(owner, name)
        if isinstance(owner, Thing):
            return (
                Thing((*owner.names, name))
                if owner.model is None
                else Method(owner.model, name)
            )
        return Method(owner, name) if owner is not None else None
