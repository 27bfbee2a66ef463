"""Which way a path goes at a condition."""

from __future__ import annotations

import ast
from typing import Any

from shapelint.reading.values import (
    Class,
    Constant,
    Function,
    Instance,
    Items,
    Model,
    Optimizer,
    Result,
    Scope,
    Thing,
)


class Conditions:
    """Decides conditions; mixed into what runs statements."""

    value: Any
    decisions: dict[str, bool]
    asked: Any

    def decide(self, test: ast.expr, scope: Scope) -> bool | None:
        """Whether a condition holds on this path; None where both branches are to be run."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self.decide(test.operand, scope)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            return self._decide_all(test, scope)
        value = self.value(test, scope)
        if isinstance(value, Constant):
            return bool(value.value)
        if isinstance(value, (Model, Instance, Optimizer, Function, Class)):
            return True
        if isinstance(test, ast.Compare):
            return self._compared(test, scope)
        if isinstance(test, (ast.Name, ast.Attribute)):
            return self._choose(self._key(test, value))
        return None

    def _decide_all(self, test: ast.BoolOp, scope: Scope) -> bool | None:
        found = [self.decide(each, scope) for each in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in found:
            return decisive
        return None if None in found else not decisive

    def _compared(self, test: ast.Compare, scope: Scope) -> bool | None:
        if len(test.ops) != 1:
            return None
        left, right = self.value(test.left, scope), self.value(test.comparators[0], scope)
        op = test.ops[0]
        if isinstance(test.left, ast.Name) and test.left.id == "__name__":
            return True
        if isinstance(left, Constant) and isinstance(right, Constant):
            return _compare(op, left.value, right.value)
        if isinstance(left, Constant) and isinstance(right, Items) and isinstance(op, (ast.In, ast.NotIn)):
            known = [member.value for member in right.members if isinstance(member, Constant)]
            return (left.value in known) == isinstance(op, ast.In) if len(known) == len(right.members) else None
        is_none = isinstance(right, Constant) and right.value is None and isinstance(op, (ast.Is, ast.IsNot))
        if is_none and isinstance(left, (Model, Instance, Optimizer, Result, Function, Class, Items)):
            return isinstance(op, ast.IsNot)
        flag = isinstance(right, Constant) and isinstance(right.value, (str, bool, type(None)))
        if flag and isinstance(test.left, (ast.Name, ast.Attribute)):
            turned = isinstance(op, (ast.NotEq, ast.IsNot))
            chosen = self._choose(f"{self._key(test.left, left)} == {ast.unparse(test.comparators[0])}")
            return chosen != turned
        return None

    def _key(self, test: ast.expr, value: Any) -> str:
        return ".".join(value.names) if isinstance(value, Thing) and value.names else ast.unparse(test)

    def _choose(self, key: str) -> bool:
        if key not in self.decisions:
            self.decisions[key] = True
            self.asked.append(key)
        return self.decisions[key]


def _compare(op: ast.cmpop, left: Any, right: Any) -> bool | None:
    if isinstance(op, (ast.Eq, ast.Is)):
        return bool(left == right)
    if isinstance(op, (ast.NotEq, ast.IsNot)):
        return bool(left != right)
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, (str, tuple, list)):
        return (left in right) == isinstance(op, ast.In)
    return None
