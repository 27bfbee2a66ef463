"""The values of expressions, and the effects of evaluating them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from shapelint.reading.attributes import find_attribute
from shapelint.reading.binding import Binding
from shapelint.reading.branching import Branching, Way
from shapelint.reading.decisions import Decisions, may_act, truth_of
from shapelint.reading.effects import Effects
from shapelint.reading.functions import Functions
from shapelint.reading.grad_contexts import GradContexts
from shapelint.reading.journal import Journal
from shapelint.reading.library_calls import LibraryCalls
from shapelint.reading.method_calls import MethodCalls
from shapelint.reading.path_state import PathState
from shapelint.reading.thing_calls import ThingCalls
from shapelint.reading.value_calls import ValueCalls
from shapelint.reading.values import (
    Constant,
    Function,
    Items,
    Reference,
    Result,
    RunBlock,
    Scope,
    Thing,
    Value,
    unite_results,
)

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions:
    """Evaluates expressions. `run_block` runs the statements of the functions that they
    call."""

    def __init__(
        self,
        state: PathState,
        journal: Journal,
        branching: Branching,
        run_block: RunBlock,
        decided: dict[str, bool],
    ) -> None:
        self._state = state
        self._journal = journal
        self._branching = branching
        self.decisions = Decisions(self.evaluate, branching, decided)
        self.binding = Binding(self.evaluate, state, journal)
        self.grad_contexts = GradContexts(self.evaluate, self.decisions.decide)
        self.functions = Functions(
            self.evaluate, run_block, state, journal, branching, self.grad_contexts
        )
        self.calls = self._make_calls()
        self._by_type = self._list_evaluators()

    def _make_calls(self) -> ValueCalls:
        state, branching, functions = self._state, self._branching, self.functions
        effects = Effects(state, self._journal, functions, self.decisions.decide)
        self._effects = effects
        things = ThingCalls(self.evaluate, state.objects, branching, effects)
        library = LibraryCalls(state, branching, effects, things, self.grad_contexts)
        methods = MethodCalls(effects, things)
        return ValueCalls(
            self.evaluate, state.objects, functions, effects, methods, library, things
        )

    def _list_evaluators(
        self,
    ) -> dict[type[ast.expr], Callable[[ast.expr, Scope], Value | None]]:
        found: dict[type[ast.expr], Callable[..., Value | None]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Tuple: self._sequence,
            ast.List: self._sequence,
            ast.Set: self._sequence,
            ast.Dict: self._dict,
            ast.IfExp: self._conditional,
            ast.BoolOp: self._bool_op,
            ast.Lambda: self._lambda,
            ast.NamedExpr: self._evaluate_walrus,
            ast.Compare: self._compare,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.Call: self._call,
        }
        return found

    def evaluate(self, node: ast.expr | None, scope: Scope) -> Value | None:
        """The value of an expression; None if nothing is known about it."""
        if node is None:
            return None
        self._journal.count_step()
        evaluator = self._by_type.get(type(node))
        if evaluator is not None:
            return evaluator(node, scope)
        parts = ast.iter_child_nodes(node)
        return unite_results(
            [self.evaluate(part, scope) for part in parts if isinstance(part, ast.expr)]
        )

    # -- names and members

    def _constant(self, node: ast.Constant, scope: Scope) -> Constant:
        return Constant(node.value)

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        # A name that nothing binds is a builtin, or comes from an `import *`.
        return scope.find(node.id) or Reference(node.id)

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value | None:
        return find_attribute(self.evaluate(node.value, scope), node.attr)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Value | None:
        owner = self.evaluate(node.value, scope)
        key = self.evaluate(node.slice, scope)
        if isinstance(owner, Items):
            return _find_member(owner, key)
        if isinstance(owner, Result):
            return owner
        names = [*owner.names] if isinstance(owner, Thing) else []
        if isinstance(key, Constant):
            names.append(str(key.value))
        return Thing(tuple(names)) if names else None

    def names_in(self, node: ast.expr, scope: Scope) -> Iterator[str]:
        """All names in an expression, and the names of their values."""
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
                    yield key.value  # `loaders[phase]`, `phase` being "val"

    # -- displays

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set, scope: Scope) -> Items:
        return Items([self.evaluate(each, scope) for each in node.elts])

    def _dict(self, node: ast.Dict, scope: Scope) -> Items:
        keys = [self.evaluate(key, scope) for key in node.keys]
        return Items(
            [self.evaluate(each, scope) for each in node.values], keys or [None]
        )

    def _comprehension(self, node: Comprehension, scope: Scope) -> Value | None:
        inner = Scope(scope.source, {}, scope)
        for generator in node.generators:
            self.evaluate(generator.iter, scope)
            self.binding.bind(generator.target, None, inner)
        members = _members_of(node)
        conditions = [each for generator in node.generators for each in generator.ifs]
        if not conditions:
            return self._unite(members, inner)
        # Without a fork: a condition runs for every member.
        self._unite(conditions, inner)
        return self._evaluate_ways(
            members, [lambda: self._unite(members, inner), lambda: None]
        )

    def _unite(self, nodes: list[ast.expr], scope: Scope) -> Result | None:
        return unite_results([self.evaluate(each, scope) for each in nodes])

    # -- ways

    def _conditional(self, node: ast.IfExp, scope: Scope) -> Value | None:
        truth = self.decisions.decide(node.test, scope)
        if truth is not None:
            return self.evaluate(node.body if truth else node.orelse, scope)
        return self._evaluate_ways(
            [node.body, node.orelse],
            [
                lambda: self.evaluate(node.body, scope),
                lambda: self.evaluate(node.orelse, scope),
            ],
        )

    def _bool_op(self, node: ast.BoolOp, scope: Scope) -> Value | None:
        return self._operands(node.op, node.values, scope)

    def _operands(
        self, op: ast.boolop, nodes: list[ast.expr], scope: Scope
    ) -> Value | None:
        """The value of `and` or `or`. If an operand is undecided, those after it may or
        may not run."""
        first, rest = self.evaluate(nodes[0], scope), nodes[1:]
        if not rest:
            return first
        truth = truth_of(first)
        if truth is None:
            return self._evaluate_ways(
                rest, [lambda: first, lambda: self._operands(op, rest, scope)]
            )
        is_decisive = truth is isinstance(op, ast.Or)
        return first if is_decisive else self._operands(op, rest, scope)

    def _evaluate_ways(
        self, nodes: list[ast.expr], ways: list[Way[Value | None]]
    ) -> Value | None:
        """The value of an expression that goes one of several ways. `nodes`: the parts
        that run only on some of them."""
        # Without a call or a binding no way changes anything, and none needs a fork.
        may_change = any(map(may_act, nodes))
        values = self._branching.fork(ways) if may_change else [way() for way in ways]
        joined = values[0]
        for value in values[1:]:
            joined = self._state.joiner.join_values("", joined, value)
        return joined

    # -- the rest

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Function:
        return Function(node, scope)

    def _evaluate_walrus(self, node: ast.NamedExpr, scope: Scope) -> Value | None:
        value = self.evaluate(node.value, scope)
        self.binding.bind(node.target, value, scope)
        return value

    def _compare(self, node: ast.Compare, scope: Scope) -> None:
        for each in (node.left, *node.comparators):
            self._effects.mark_measured(self.evaluate(each, scope))

    def _call(self, node: ast.Call, scope: Scope) -> Value | None:
        return self.calls.call(self.evaluate(node.func, scope), node, scope)


def _members_of(node: Comprehension) -> list[ast.expr]:
    return [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]


def _find_member(items: Items, key: Value | None) -> Value | None:
    """The member at a literal index or key; otherwise any of the members."""
    if isinstance(key, Constant) and items.keys:
        pairs = zip(reversed(items.keys), reversed(items.members), strict=False)
        for known, member in pairs:  # the last that was set counts
            if isinstance(known, Constant) and known.value == key.value:
                return member
    elif isinstance(key, Constant) and isinstance(key.value, int):
        count = len(items.members)
        return items.members[key.value] if -count <= key.value < count else None
    return unite_results(items.members)
