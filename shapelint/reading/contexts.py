"""Contexts and decorators: gradients on and off, modes that are switched and
restored."""

from __future__ import annotations

import ast
from typing import Any

from shapelint.reading.events import GRAD_DOUBTED, GRAD_OFF, GRAD_ON
from shapelint.reading.files import dotted_name
from shapelint.reading.values import Class, Function, Instance, Reference, Scope

_HARMLESS_DECORATORS = {
    *(
        "staticmethod",
        "classmethod",
        "property",
        "wraps",
        "lru_cache",
        "cache",
        "main",
        "command",
        "option",
        "argument",
    ),
    *(
        "overload",
        "dataclass",
        "abstractmethod",
        "contextmanager",
        "timer",
        "script",
        "record",
        "compile",
        "export",
    ),
    *(
        "custom_fwd",
        "custom_bwd",
        "fixture",
        "cached_property",
        "setter",
        "beartype",
        "ex",
        "hydra",
        "task",
    ),
}

_SWALLOWING = {"suppress", "raises", "assertRaises", "assertRaisesRegex"}
"""Contexts that exceptions end at."""


class Contexts:
    """Enters and leaves contexts; mixed into what runs statements."""

    value: Any
    decide: Any
    bind: Any
    block: Any
    part_of: Any
    called: Any
    method_of: Any
    bind_arguments: Any
    visited: Any
    grad: Any

    def entered(self, item: ast.withitem, scope: Scope) -> Any:
        """Enter a context; what leaves it again."""
        node = item.context_expr
        before = self.grad
        given = self._gradients(node, scope)
        if given:
            self.grad = given
            return lambda: setattr(self, "grad", before)
        leave = self._own_context(node, scope)
        if leave is not None:
            return leave
        value = self.value(node, scope)
        if item.optional_vars is not None:
            self.bind(item.optional_vars, value, scope)
        return lambda: None

    def _gradients(self, node: ast.expr, scope: Scope) -> str:
        """What a context or decorator makes of gradients; nothing where it is
        another."""
        if isinstance(node, ast.IfExp):
            truth = self.decide(node.test, scope)
            if truth is not None:
                return self._gradients(node.body if truth else node.orelse, scope)
            ways = {self._gradients(way, scope) for way in (node.body, node.orelse)}
            return ways.pop() if len(ways) == 1 else GRAD_DOUBTED
        call = node if isinstance(node, ast.Call) else None
        dotted = self.dotted(call.func if call is not None else node, scope)
        last = dotted.rpartition(".")[2]
        if last in ("no_grad", "inference_mode"):
            off = call.args[0] if call is not None and call.args else None
            return (
                GRAD_ON
                if isinstance(off, ast.Constant) and off.value is False
                else GRAD_OFF
            )
        if last == "enable_grad":
            return GRAD_ON
        if (
            last == "set_grad_enabled"
            and call is not None
            and (call.args or call.keywords)
        ):
            truth = self.decide(
                call.args[0] if call.args else call.keywords[0].value, scope
            )
            return GRAD_DOUBTED if truth is None else (GRAD_ON if truth else GRAD_OFF)
        return ""

    def _own_context(self, node: ast.expr, scope: Scope) -> Any:
        """A context manager of the file: what it does before and after."""
        if not isinstance(node, ast.Call):
            return None
        callee = self.value(node.func, scope)
        if isinstance(callee, Class):
            made = self.called(callee, node, scope)
            if isinstance(made, Instance) and callee.method("__enter__") is not None:
                self.method_of(made, "__enter__", node, scope)
                return lambda: self.method_of(made, "__exit__", node, scope)
            return lambda: None
        if not isinstance(callee, Function) or isinstance(callee.node, ast.Lambda):
            return None
        inner = Scope(callee.scope.file, {}, callee.scope)
        self.bind_arguments(callee, node, scope, inner)
        before, after = _around_yield(callee.node.body)
        self.visited.add(id(callee.node))
        self.part_of(before, inner)
        return lambda: self.part_of(after, inner)

    def context_of(self, node: ast.expr, scope: Scope) -> Any:
        """What makes a context: a class or function of the files, or the dotted name of
        another."""
        func = node.func if isinstance(node, ast.Call) else node
        value = (
            self.value(func, scope)
            if isinstance(func, (ast.Name, ast.Attribute))
            else None
        )
        return (
            value if isinstance(value, (Class, Function)) else self.dotted(func, scope)
        )

    def dotted(self, node: ast.expr, scope: Scope) -> str:
        """The dotted name of what is imported; of a local name its text."""
        value = (
            self.value(node, scope)
            if isinstance(node, (ast.Name, ast.Attribute))
            else None
        )
        return value.dotted if isinstance(value, Reference) else dotted_name(node)

    def decorated(self, function: Function) -> tuple[str, bool]:
        """What the decorators of a function make of gradients, and whether one may
        switch modes."""
        grad, may_switch = "", False
        for node in getattr(function.node, "decorator_list", []):
            given = self._gradients(node, function.scope)
            dotted = self.dotted(
                node.func if isinstance(node, ast.Call) else node, function.scope
            )
            known = set(dotted.split(".")) & _HARMLESS_DECORATORS
            grad = given or grad
            may_switch = may_switch or not (given or known)
        return grad, may_switch


def swallows(context: Any) -> bool:
    """Whether an exception may end at a context; those from elsewhere that are not
    known for it let it pass."""
    if isinstance(context, Class):
        leave = context.method("__exit__")
        returned = (
            [part.value for part in ast.walk(leave) if isinstance(part, ast.Return)]
            if leave is not None
            else []
        )
        return any(not (value is None or _is_false(value)) for value in returned)
    if isinstance(context, Function):
        tried = [
            part
            for part in ast.walk(context.node)
            if isinstance(part, ast.Try) and part.handlers
        ]
        inside = [
            each
            for part in tried
            for statement in part.body
            for each in ast.walk(statement)
        ]
        return any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in inside)
    return str(context).rpartition(".")[2] in _SWALLOWING


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _around_yield(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements of a generator before its `yield`, and those after it."""
    for position, node in enumerate(body):
        if not any(
            isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(node)
        ):
            continue
        before, after = body[:position], body[position + 1 :]
        if isinstance(node, (ast.Try, ast.With)):
            inner_before, inner_after = _around_yield(node.body)
            final = node.finalbody if isinstance(node, ast.Try) else []
            return [*before, *inner_before], [*inner_after, *final, *after]
        return before, after
    return body, []
