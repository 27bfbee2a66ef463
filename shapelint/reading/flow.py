"""One path through a training script: its statements in order, with what is known of each value.

Loops run twice, so that what the end of one round does to the next is seen. Conditions on a name are decided once
for a path; of others both branches run, and what they leave is joined.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shapelint.reading.calls import Calls
from shapelint.reading.conditions import Conditions
from shapelint.reading.contexts import Contexts
from shapelint.reading.events import GRAD_OFF, GRAD_ON, GRAD_UNKNOWN, Event, Forward, Frame, Loop, Path
from shapelint.reading.files import Files
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
    purpose,
)

STEPS = 4000
"""Statements and calls of one path."""

ROUNDS = 2
UNROLLED = 4
"""Members of a written list that a loop goes through."""


class OutOfStepsError(Exception):
    """The path is too long; what was seen of it counts for nothing."""


@dataclass
class Flow(Calls, Conditions, Contexts):
    """Runs statements. `decisions`: conditions that are decided already, by their text; new ones are true."""

    files: Files
    decisions: dict[str, bool] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    path: Path = field(default_factory=Path)
    models: list[Model] = field(default_factory=list)
    stack: list[Loop | Frame] = field(default_factory=list)
    grad: str = GRAD_ON
    visited: set[int] = field(default_factory=set)
    steps: int = 0

    # -- statements ---------------------------------------------------------------------------------

    def block(self, body: Iterable[ast.stmt], scope: Scope) -> str:
        """Run statements; how they ended: `` for the end, else `return`, `break`, `continue`, `raise`."""
        for node in body:
            ended = self.statement(node, scope)
            if ended:
                return ended
        return ""

    def statement(self, node: ast.stmt, scope: Scope) -> str:
        """Run one statement."""
        self.count()
        run = getattr(self, f"_run_{type(node).__name__}", None)
        return (run(node, scope) or "") if run is not None else ""

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
        return Where(scope.file, node)

    def _run_Expr(self, node: ast.Expr, scope: Scope) -> None:  # noqa: N802 - named after the node
        self.value(node.value, scope)
        for call in self.path.forwards[-1:]:
            call.dropped = call.dropped or call.at.node is node.value

    def _run_Return(self, node: ast.Return, scope: Scope) -> str:  # noqa: N802
        value = self.value(node.value, scope) if node.value is not None else None
        known = scope.names.get("return")
        scope.names["return"] = value if known is None else self.union([known, value])
        return "return"

    def _run_Raise(self, node: ast.Raise, scope: Scope) -> str:  # noqa: N802
        return "raise"

    def _run_Break(self, node: ast.Break, scope: Scope) -> str:  # noqa: N802
        return "break"

    def _run_Continue(self, node: ast.Continue, scope: Scope) -> str:  # noqa: N802
        return "continue"

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
        if isinstance(added, Result) or isinstance(self.value(node.target, scope), Result):
            self.bind(node.target, self.union([self.value(node.target, scope), added]), scope)

    def _run_If(self, node: ast.If, scope: Scope) -> str:  # noqa: N802
        truth = self.decide(node.test, scope)
        if truth is not None:
            return self.block(node.body if truth else node.orelse, scope)
        before = self._kept(scope)
        ended = self.block(node.body, scope)
        after = self._kept(scope)
        self._restore(before, scope)
        other = self.block(node.orelse, scope)
        if other and not ended:
            self._restore(after, scope)
        elif not other and not ended:
            self._join(after, scope)
        return ended if ended == other else ""

    def _run_For(self, node: ast.For, scope: Scope) -> str:  # noqa: N802
        items = self.value(node.iter, scope)
        names = [*self.names_in(node.iter, scope)]
        rounds: list[Any] = [None] * ROUNDS
        if isinstance(items, Items) and items.members and not items.keys:
            rounds = items.members[:UNROLLED] if len(items.members) > 1 else items.members * ROUNDS
        loop = Loop(self.where(scope, node), purpose(names), len(self.models))
        ended = ""
        for member in rounds:
            self.bind(node.target, member, scope)
            ended = self._round(loop, node.body, scope)
            if ended in ("return", "break"):
                break
        self.block(node.orelse, scope)
        return ""  # a `return` in a loop is one that some round does not reach

    _run_AsyncFor = _run_For  # noqa: N815

    def _run_While(self, node: ast.While, scope: Scope) -> str:  # noqa: N802
        loop = Loop(self.where(scope, node), purpose(self.names_in(node.test, scope)), len(self.models))
        for _ in range(ROUNDS):
            self.value(node.test, scope)
            if self._round(loop, node.body, scope) in ("return", "break"):
                break
        return ""

    def _round(self, loop: Loop, body: list[ast.stmt], scope: Scope) -> str:
        self.stack.append(loop)
        try:
            return self.block(body, scope)
        finally:
            self.stack.pop()

    def _run_Try(self, node: ast.Try, scope: Scope) -> str:  # noqa: N802
        ended = self.block(node.body, scope)
        if ended == "raise":
            ended = ""
        ended = ended or self.block(node.orelse, scope)
        return self.block(node.finalbody, scope) or ended

    _run_TryStar = _run_Try  # noqa: N815

    def _run_Match(self, node: ast.Match, scope: Scope) -> str:  # noqa: N802
        self.value(node.subject, scope)
        before = self._kept(scope)
        for case in node.cases:
            self._restore(before, scope)
            self.block(case.body, scope)
        return ""

    def _run_With(self, node: ast.With, scope: Scope) -> str:  # noqa: N802
        exits = [self.entered(item, scope) for item in node.items]
        try:
            return self.block(node.body, scope)
        finally:
            for leave in reversed(exits):
                leave()

    _run_AsyncWith = _run_With  # noqa: N815

    def _run_Delete(self, node: ast.Delete, scope: Scope) -> None:  # noqa: N802
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.names.pop(target.id, None)

    # -- joins --------------------------------------------------------------------------------------

    def _kept(self, scope: Scope) -> tuple[dict[Model, frozenset[Mode]], dict[str, Any], str]:
        return {model: model.modes for model in self.models}, dict(scope.names), self.grad

    def _restore(self, kept: tuple[dict[Model, frozenset[Mode]], dict[str, Any], str], scope: Scope) -> None:
        modes, names, self.grad = kept
        for model, known in modes.items():
            model.modes = known
        scope.names.clear()
        scope.names.update(names)

    def _join(self, other: tuple[dict[Model, frozenset[Mode]], dict[str, Any], str], scope: Scope) -> None:
        modes, names, grad = other
        for model, known in modes.items():
            model.modes |= known
        for name, value in names.items():
            here = scope.names.get(name)
            if here is None or isinstance(here, (Thing, Constant)):
                scope.names[name] = value
            elif isinstance(here, Result) and isinstance(value, Result):
                scope.names[name] = self.union([here, value])
        if grad != self.grad:
            self.grad = GRAD_UNKNOWN

    # -- names --------------------------------------------------------------------------------------

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
            members = value.members if isinstance(value, Items) and not value.keys else []
            shared = value if isinstance(value, Result) else None
            for position, each in enumerate(target.elts):
                self.bind(each, members[position] if position < len(members) else shared, scope)
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
        if target.attr == "grad" and isinstance(value, Constant) and value.value is None:
            self.event("zero", scope, target)
        if isinstance(value, Model) and not value.name:
            value.name = ast.unparse(target)
        if isinstance(owner, Instance):
            owner.attributes[target.attr] = value if value is not None else Thing((target.attr,))
        elif isinstance(owner, Thing) and target.attr == "requires_grad":
            owner.wants_grad = not (isinstance(value, Constant) and value.value is False)
        elif isinstance(owner, Model) and target.attr == "training":
            owner.modes = frozenset({Mode(UNKNOWN)})

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
        self.path.events.append(Event(kind, self.where(scope, node), loops, len(self.models)))

    def forward(self, model: Model, node: ast.AST, scope: Scope, arguments: list[Any], records: bool = True) -> Result:
        """A call of a model; `records`: whether nothing in it may see to it that no gradients are recorded."""
        grad = GRAD_OFF if model.frozen or not records else self.grad
        call = Forward(self.where(scope, node), model, model.modes, grad, tuple(self.stack))
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
        model.modes = frozenset({Mode(mode, where)})
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
            return Function(method, owner.made_from.scope, owner) if method is not None else Method(owner, name)
        if isinstance(owner, Model) and name == "training":
            known = {mode.name for mode in owner.modes}
            return Constant(known == {TRAIN}) if known in ({TRAIN}, {EVAL}) else Thing((owner.name, name))
        if isinstance(owner, Model):
            return owner if name in ("module", "_orig_mod") else Method(owner, name)
        if isinstance(owner, (Result, Optimizer, Part, Items, Method)):
            return Method(owner, name)
        if isinstance(owner, Thing):
            return Thing((*owner.names, name)) if owner.model is None else Method(owner.model, name)
        return Method(owner, name) if owner is not None else None
