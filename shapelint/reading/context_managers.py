"""The effects of entering and leaving a `with`, and whether it swallows exceptions."""

from __future__ import annotations

import ast

from shapelint.reading.branching import Way
from shapelint.reading.class_bodies import find_method
from shapelint.reading.expressions import Expressions
from shapelint.reading.functions import Arguments
from shapelint.reading.library_contexts import SWALLOWING_CONTEXTS
from shapelint.reading.modes import Recording, Where
from shapelint.reading.path_state import PathState
from shapelint.reading.values import Class, Function, Instance, Scope


class ContextManagers:
    """Enters context managers."""

    def __init__(self, state: PathState, expressions: Expressions) -> None:
        self._state = state
        self._expressions = expressions
        self._functions = expressions.functions

    def enter(self, item: ast.withitem, scope: Scope) -> Way[None]:
        """Enter a context. Return a function that leaves it again."""
        node = item.context_expr
        before = self._state.grad
        grad = self._expressions.grad_contexts.find_recording(node, scope)
        if grad is not None:
            self._state.grad = grad
            return lambda: self._set_grad(before)
        leave = self._enter_own(node, scope) if isinstance(node, ast.Call) else None
        if leave is not None:
            return leave
        value = self._expressions.evaluate(node, scope)
        if item.optional_vars is not None:
            self._expressions.binding.bind(item.optional_vars, value, scope)
        return _do_nothing

    def _set_grad(self, grad: Recording) -> None:
        self._state.grad = grad

    def _enter_own(self, node: ast.Call, scope: Scope) -> Way[None] | None:
        """Enter a context manager that the files define; None for any other."""
        callee = self._expressions.evaluate(node.func, scope)
        if isinstance(callee, Class):
            return self._enter_class(callee, node, scope)
        if not isinstance(callee, Function) or isinstance(callee.node, ast.Lambda):
            return None
        inner = self._functions.bind_arguments(callee, Arguments.of(node, scope))
        # contextlib.contextmanager: up to its `yield` a generator is `__enter__`, then
        # `__exit__`.
        before, after = _split_at_yield(callee.node.body)
        self._functions.visited.add(id(callee.node))
        self._functions.run_body(before, inner)
        return lambda: self._functions.run_body(after, inner)

    def _enter_class(self, owner: Class, node: ast.Call, scope: Scope) -> Way[None]:
        made = self._expressions.calls.call(owner, node, scope)
        if not isinstance(made, Instance) or find_method(owner, "__enter__") is None:
            return _do_nothing
        manager, where = made, Where(scope.source, node)
        self._functions.run_method(manager, "__enter__", where)
        return lambda: self._functions.run_method(manager, "__exit__", where)

    def swallows(self, node: ast.expr, scope: Scope) -> bool:
        """Whether a context may swallow an exception. An unknown one does not."""
        func = node.func if isinstance(node, ast.Call) else node
        if isinstance(func, (ast.Name, ast.Attribute)):
            value = self._expressions.evaluate(func, scope)
            if isinstance(value, Class):
                return _swallows_in_exit(value)
            if isinstance(value, Function):
                return _swallows_around_yield(value)
        name = self._expressions.grad_contexts.resolve_dotted_name(func, scope)
        return name.rpartition(".")[2] in SWALLOWING_CONTEXTS


def _do_nothing() -> None:
    """Leave a context that changed nothing."""


def _swallows_in_exit(owner: Class) -> bool:
    """Whether `__exit__` may return a true value."""
    leave = find_method(owner, "__exit__")
    if leave is None:
        return False
    returns = [part for part in ast.walk(leave.node) if isinstance(part, ast.Return)]
    return any(_may_be_true(each.value) for each in returns)


def _may_be_true(node: ast.expr | None) -> bool:
    if node is None:
        return False
    return not isinstance(node, ast.Constant) or bool(node.value)


def _swallows_around_yield(function: Function) -> bool:
    """Whether a generator yields inside a `try` with handlers."""
    parts = [part for part in ast.walk(function.node) if isinstance(part, ast.Try)]
    return any(part.handlers and _yields(*part.body) for part in parts)


def _yields(*statements: ast.stmt) -> bool:
    return any(
        isinstance(part, (ast.Yield, ast.YieldFrom))
        for statement in statements
        for part in ast.walk(statement)
    )


def _split_at_yield(
    body: list[ast.stmt],
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements of a generator before its `yield`, and those after it."""
    for position, node in enumerate(body):
        if not _yields(node):
            continue
        before, after = body[:position], body[position + 1 :]
        if not isinstance(node, (ast.Try, ast.With)):
            return before, after
        inner_before, inner_after = _split_at_yield(node.body)
        # A `with` around the `yield` ends there too, but changes nothing that is followed.
        final = node.finalbody if isinstance(node, ast.Try) else []
        return [*before, *inner_before], [*inner_after, *final, *after]
    return body, []
