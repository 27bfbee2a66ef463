"""Decides which way a path goes at a condition.

A condition on a name, such as `if args.evaluate`, is decided once for each path and
then keeps its value. On the first path every such condition is true; `script` reads
further paths with some of them false."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from shapelint.reading.branching import Branching
from shapelint.reading.values import (
    Class,
    Constant,
    Evaluate,
    Function,
    Instance,
    Items,
    Model,
    Optimizer,
    Result,
    Scope,
    Thing,
    Value,
    is_none,
)


@dataclass(frozen=True)
class Operand:
    """One side of a comparison: the expression and its value."""

    node: ast.expr
    value: Value | None


class Decisions:
    """Decides conditions. `taken` holds the decisions by the text of the condition:
    first those that were given, then new ones in order."""

    def __init__(
        self, evaluate: Evaluate, branching: Branching, given: dict[str, bool]
    ) -> None:
        self.taken = dict(given)
        self._evaluate = evaluate
        self._branching = branching

    def decide(self, test: ast.expr, scope: Scope) -> bool | None:
        """Whether a condition holds on this path; None if both branches must run."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self.decide(test.operand, scope)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            return self._decide_operands(test.op, test.values, scope)
        value = self._evaluate(test, scope)
        truth = truth_of(value)
        if truth is not None:
            return truth
        if isinstance(test, ast.Compare):
            return self._decide_comparison(test, scope)
        if isinstance(test, (ast.Name, ast.Attribute)):
            return self._choose(_key(Operand(test, value)))
        return None

    def _decide_operands(
        self, op: ast.boolop, tests: list[ast.expr], scope: Scope
    ) -> bool | None:
        """Whether `and` or `or` holds. If an operand is undecided, those after it may
        or may not run."""
        decisive = isinstance(op, ast.Or)
        first, rest = self.decide(tests[0], scope), tests[1:]
        if first is decisive or not rest:
            return first
        if first is not None:
            return self._decide_operands(op, rest, scope)
        # A fork is needed only if the operands may change the state.
        if any(map(may_act, rest)):
            truths = self._branching.fork(
                [lambda: None, lambda: self._decide_operands(op, rest, scope)]
            )
            other = truths[-1]
        else:
            other = self._decide_operands(op, rest, scope)
        return decisive if other is decisive else None

    def _decide_comparison(self, test: ast.Compare, scope: Scope) -> bool | None:
        if len(test.ops) != 1:
            return None
        if isinstance(test.left, ast.Name) and test.left.id == "__name__":
            return True  # a script is run, not imported
        right = test.comparators[0]
        return self.compare(
            test.ops[0],
            Operand(test.left, self._evaluate(test.left, scope)),
            Operand(right, self._evaluate(right, scope)),
        )

    def compare(self, op: ast.cmpop, left: Operand, right: Operand) -> bool | None:
        """Whether a comparison holds; None if that is not known."""
        if isinstance(left.value, Constant):
            if isinstance(right.value, Constant):
                return _compare_constants(op, left.value.value, right.value.value)
            if isinstance(right.value, Items) and isinstance(op, (ast.In, ast.NotIn)):
                return _is_member(op, left.value, right.value)
        # `if optimizer is not None:`, for an object made in the file.
        if is_none(right.value) and isinstance(op, (ast.Is, ast.IsNot)):
            truth = _is_not_none(left.value)
            if truth is not None:
                return truth if isinstance(op, ast.IsNot) else not truth
            if isinstance(left.value, Model):
                return None
        if _is_flag(right.value) and isinstance(left.node, (ast.Name, ast.Attribute)):
            is_equal = self._choose(f"{_key(left)} == {ast.unparse(right.node)}")
            return is_equal is not isinstance(op, (ast.NotEq, ast.IsNot))
        return None

    def _choose(self, key: str) -> bool:
        return self.taken.setdefault(key, True)


def _key(operand: Operand) -> str:
    """The text under which a decision is remembered. It consists of the names of the
    value, so that `flag` and the `args.flag` it was assigned from share a decision."""
    value = operand.value
    if isinstance(value, Thing) and value.names:
        return ".".join(value.names)
    return ast.unparse(operand.node)


def truth_of(value: Value | None) -> bool | None:
    """Whether a value is true; None if it may be either."""
    if isinstance(value, Constant):
        return bool(value.value)
    if isinstance(value, Model):
        return None if value.optional else True
    return True if isinstance(value, (Instance, Optimizer, Function, Class)) else None


def _is_not_none(value: Value | None) -> bool | None:
    """True if a value is never None; None if that is not known."""
    if isinstance(value, Model):
        return None if value.optional else True
    known = (Instance, Optimizer, Result, Function, Class, Items)
    return True if isinstance(value, known) else None


def _is_flag(value: Value | None) -> bool:
    """Whether a value is a constant with which settings are compared."""
    if not isinstance(value, Constant):
        return False
    return value.value is None or isinstance(value.value, (str, bool))


def may_act(node: ast.expr) -> bool:
    """Whether evaluating an expression may change the state, because it calls or binds
    something."""
    return any(isinstance(part, (ast.Call, ast.NamedExpr)) for part in ast.walk(node))


def _is_member(op: ast.cmpop, member: Constant, items: Items) -> bool | None:
    known = [each.value for each in items.members if isinstance(each, Constant)]
    if len(known) < len(items.members):
        return None
    return (member.value in known) is isinstance(op, ast.In)


def _compare_constants(op: ast.cmpop, left: object, right: object) -> bool | None:
    if isinstance(op, (ast.Eq, ast.Is)):
        return bool(left == right)
    if isinstance(op, (ast.NotEq, ast.IsNot)):
        return bool(left != right)
    if not isinstance(op, (ast.In, ast.NotIn)):
        return None
    if isinstance(left, str) and isinstance(right, str):
        return (left in right) is isinstance(op, ast.In)
    return None
