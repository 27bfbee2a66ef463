"""Assignments to names, attributes and members."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from shapelint.reading.events import EventKind
from shapelint.reading.journal import Journal
from shapelint.reading.modes import UNKNOWN_MODE
from shapelint.reading.path_state import PathState
from shapelint.reading.values import (
    Constant,
    Evaluate,
    Instance,
    Items,
    Model,
    Result,
    Scope,
    Thing,
    Value,
    is_none,
)


class Binding:
    """Assigns values to the targets of assignments."""

    def __init__(self, evaluate: Evaluate, state: PathState, journal: Journal) -> None:
        self._evaluate = evaluate
        self._state = state
        self._journal = journal

    def bind(self, target: ast.expr, value: Value | None, scope: Scope) -> None:
        """Assign a value to a target."""
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value, scope)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value, scope)
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, value, scope)
        elif isinstance(target, ast.Subscript):
            self._bind_member(target, value, scope)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, scope)

    def bind_name(self, name: str, value: Value | None, scope: Scope) -> None:
        """Assign a value to a name. An unknown value becomes a thing with that name."""
        if value is None:
            value = Thing((name,))
        elif isinstance(value, Model) and not value.name:
            value.name = name
        elif isinstance(value, Thing) and value.model is None:
            # Both names say something: `loader = args.val_loader`.
            value = Thing((name, *value.names), wants_grad=value.wants_grad)
        scope.names[name] = value

    def _unpack(
        self, targets: Sequence[ast.expr], value: Value | None, scope: Scope
    ) -> None:
        """Assign each target its member. If a result is unpacked, each target gets the
        result."""
        is_sequence = isinstance(value, Items) and not value.keys
        members = value.members if isinstance(value, Items) and is_sequence else []
        others = value if isinstance(value, Result) else None
        for position, target in enumerate(targets):
            is_known = position < len(members)
            self.bind(target, members[position] if is_known else others, scope)

    def _bind_member(
        self, target: ast.Subscript, value: Value | None, scope: Scope
    ) -> None:
        owner = self._evaluate(target.value, scope)
        if isinstance(owner, Items) and value is not None:
            owner.members.append(value)
            owner.keys.append(self._evaluate(target.slice, scope))

    def _bind_attribute(
        self, target: ast.Attribute, value: Value | None, scope: Scope
    ) -> None:
        owner = self._evaluate(target.value, scope)
        if target.attr == "grad" and is_none(value):
            # zero_grad(set_to_none=True) does the same to each parameter
            self._journal.note_event(EventKind.ZERO, scope, target)
        if isinstance(value, Model) and not value.name:
            value.name = ast.unparse(target)
        if isinstance(owner, Instance):
            owner.attributes[target.attr] = value or Thing((target.attr,))
        elif isinstance(owner, Thing) and target.attr == "requires_grad":
            is_off = isinstance(value, Constant) and value.value is False
            owner.wants_grad = not is_off
        elif isinstance(owner, Model) and target.attr == "training":
            # It reaches the model and none of its layers: no mode is certain.
            self._state.set_mode(owner, UNKNOWN_MODE)
