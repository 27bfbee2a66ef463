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
    fork: Any

    def decide(self, test: ast.expr, scope: Scope) -> bool | None:
        """Whether a condition holds on this path; None where both branches are to be
        run."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self.decide(test.operand, scope)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            return self._decide_all(test.op, test.values, scope)
        value = self.value(test, scope)
        known = truth_of(value)
        if known is not None:
            return known
        if isinstance(test, ast.Compare):
            return self._compared(test, scope)
        if isinstance(test, (ast.Name, ast.Attribute)):
            return self._choose(self._key(test, value))
        return None

    def _decide_all(
        self, op: ast.boolop, tests: list[ast.expr], scope: Scope
    ) -> bool | None:
        """Whether `and` or `or` holds; what follows an operand that is not decided is
        run or not."""
        decisive = isinstance(op, ast.Or)
        first, rest = self.decide(tests[0], scope), tests[1:]
        if first is decisive or not rest:
            return first
        if first is not None:
            return self._decide_all(op, rest, scope)
        if any(map(acts, rest)):
            found = self.fork([lambda: None, lambda: self._decide_all(op, rest, scope)])
            other = found[-1]
        else:
            other = self._decide_all(op, rest, scope)
        return decisive if other is decisive else None

    def _compared(self, test: ast.Compare, scope: Scope) -> bool | None:
        if len(test.ops) != 1:
            return None
        if isinstance(test.left, ast.Name) and test.left.id == "__name__":
            return True
        sides = [
            (each, self.value(each, scope)) for each in (test.left, test.comparators[0])
        ]
        return self.compare(test.ops[0], sides[0], sides[1])

    def compare(
        self, op: ast.cmpop, one: tuple[ast.expr, Any], other: tuple[ast.expr, Any]
    ) -> bool | None:
        """Whether two expressions with their values compare so; a name with a flag is
        decided once for a path."""
        (node, left), (flag_node, right) = one, other
        if isinstance(left, Constant) and isinstance(right, Constant):
            return _compare(op, left.value, right.value)
        if (
            isinstance(left, Constant)
            and isinstance(right, Items)
            and isinstance(op, (ast.In, ast.NotIn))
        ):
            known = [
                member.value for member in right.members if isinstance(member, Constant)
            ]
            return (
                (left.value in known) == isinstance(op, ast.In)
                if len(known) == len(right.members)
                else None
            )
        is_none = (
            isinstance(right, Constant)
            and right.value is None
            and isinstance(op, (ast.Is, ast.IsNot))
        )
        if is_none and isinstance(
            left, (Model, Instance, Optimizer, Result, Function, Class, Items)
        ):
            if isinstance(left, Model) and left.optional:
                return None
            return isinstance(op, ast.IsNot)
        flag = isinstance(right, Constant) and isinstance(
            right.value, (str, bool, type(None))
        )
        if flag and isinstance(node, (ast.Name, ast.Attribute)):
            turned = isinstance(op, (ast.NotEq, ast.IsNot))
            chosen = self._choose(
                f"{self._key(node, left)} == {ast.unparse(flag_node)}"
            )
            return chosen != turned
        return None

    def _key(self, test: ast.expr, value: Any) -> str:
        return (
            ".".join(value.names)
            if isinstance(value, Thing) and value.names
            else ast.unparse(test)
        )

    def _choose(self, key: str) -> bool:
        if key not in self.decisions:
            self.decisions[key] = True
            self.asked.append(key)
        return self.decisions[key]


def truth_of(value: Any) -> bool | None:
    """Whether a value is true; None where it may be either."""
    if isinstance(value, Constant):
        return bool(value.value)
    if isinstance(value, (Model, Instance, Optimizer, Function, Class)):
        return None if isinstance(value, Model) and value.optional else True
    return None


def acts(node: ast.expr) -> bool:
    """Whether an expression may change what is known: something is called in it, or
    bound."""
    return any(isinstance(part, (ast.Call, ast.NamedExpr)) for part in ast.walk(node))


def _compare(op: ast.cmpop, left: Any, right: Any) -> bool | None:
    if isinstance(op, (ast.Eq, ast.Is)):
        return bool(left == right)
    if isinstance(op, (ast.NotEq, ast.IsNot)):
        return bool(left != right)
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, (str, tuple, list)):
        return (left in right) == isinstance(op, ast.In)
    return None
