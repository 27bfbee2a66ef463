"""Runs the functions of the files where they are called."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shapelint.reading.branching import Branching, Catch, Exit
from shapelint.reading.class_bodies import find_method
from shapelint.reading.grad_contexts import Decoration, GradContexts
from shapelint.reading.journal import Journal
from shapelint.reading.modes import UNKNOWN_MODE, Recording, Where
from shapelint.reading.path_state import PathState
from shapelint.reading.values import (
    Evaluate,
    Frame,
    Function,
    FunctionNode,
    Instance,
    Reference,
    RunBlock,
    Scope,
    Thing,
    Value,
)

DEPTH = 8
"""How deeply nested calls are followed: a script's main, its epochs, its batches, and a
few wrappers around each."""

RETURNED = "return"
"""The name under which a function's scope holds its return value. A script cannot use
it."""


@dataclass(frozen=True)
class Arguments:
    """The arguments of a call, and the scope around it."""

    positional: Sequence[ast.expr]
    keywords: Sequence[ast.keyword]
    scope: Scope

    @staticmethod
    def of(call: ast.Call, scope: Scope) -> Arguments:
        """The arguments of a call node."""
        return Arguments(call.args, call.keywords, scope)


class Functions:
    """Runs functions. `visited`: the ids of the nodes of those that ran."""

    def __init__(
        self,
        evaluate: Evaluate,
        run_block: RunBlock,
        state: PathState,
        journal: Journal,
        branching: Branching,
        grad_contexts: GradContexts,
    ) -> None:
        self.visited: set[int] = set()
        self._evaluate = evaluate
        self._run_block = run_block
        self._state = state
        self._journal = journal
        self._branching = branching
        self._grad_contexts = grad_contexts

    def run(
        self, function: Function, arguments: Arguments | None, called_at: Where
    ) -> Value | None:
        """Run a function where it is called. Return its result."""
        if self._is_too_deep(function):
            if arguments is not None:
                values = (word.value for word in arguments.keywords)
                for node in (*arguments.positional, *values):
                    self._evaluate(node, arguments.scope)
            return None
        inner = self.bind_arguments(function, arguments)
        return self.execute(function, inner, called_at)

    def _is_too_deep(self, function: Function) -> bool:
        frames = [each for each in self._journal.stack if isinstance(each, Frame)]
        # A recursion is not followed: its second round knows no more than the first.
        is_recursive = any(each.function.node is function.node for each in frames)
        return is_recursive or len(frames) >= DEPTH

    def run_method(self, owner: Instance, name: str, called_at: Where | None) -> None:
        """Run a method of an object without arguments, if it has that method."""
        function = bind_method(owner, name)
        if function is not None:
            self.execute(function, self.bind_arguments(function, None), called_at)

    def execute(
        self, function: Function, inner: Scope, called_at: Where | None
    ) -> Value | None:
        """Run a function's body in a scope that holds its arguments."""
        self.visited.add(id(function.node))
        decoration = self._grad_contexts.read_decorators(function)
        grad = self._state.grad
        modes = {model: model.modes for model in self._state.objects.models}
        with self._journal.inside(Frame(function, called_at)):
            if decoration.grad or decoration.may_switch:
                self._branching.guard(
                    lambda: self._run_decorated(function, inner, decoration),
                    lambda: self._set_grad(grad),
                )
            else:
                self._run_function(function, inner)
        if decoration.may_switch:
            for model, known in modes.items():
                model.modes = known
        return inner.own(RETURNED)

    def _run_decorated(
        self, function: Function, inner: Scope, decoration: Decoration
    ) -> None:
        if decoration.grad is not None:
            self._state.grad = decoration.grad
        elif self._state.grad is Recording.ON:
            self._state.grad = Recording.UNKNOWN
        if decoration.may_switch:
            for model in self._state.objects.models:
                self._state.set_mode(model, UNKNOWN_MODE)
        self._run_function(function, inner)

    def _set_grad(self, grad: Recording) -> None:
        self._state.grad = grad

    def _run_function(self, function: Function, inner: Scope) -> None:
        if not isinstance(function.node, ast.Lambda):
            self.run_body(function.node.body, inner)

    def run_body(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Run the statements of a function in its scope, up to a `return`."""
        before = self._state.fork()
        self._state.scopes.append(scope)
        try:
            with self._branching.catch_exits(Catch(frozenset({Exit.RETURN}))) as catch:
                ends = self._branching.end_of(lambda: self._run_block(body, scope))
        finally:
            self._state.scopes.pop()
        self._state.join(before, [*catch.take(Exit.RETURN), *ends])

    # -- arguments

    def bind_arguments(self, function: Function, arguments: Arguments | None) -> Scope:
        """Make a scope in which each parameter has its argument, or else its default,
        or else a thing with its name."""
        inner = Scope(function.scope.source, {}, function.scope)
        spec = function.node.args
        positional = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
        names = [*positional]
        if function.bound is not None and names and not _is_static(function.node):
            inner.names[names.pop(0)] = function.bound
        for name, default in _defaults(spec, positional).items():
            inner.names.setdefault(name, self._evaluate(default, function.scope))
        if arguments is not None:
            self._bind_given(names, arguments, inner)
        for name in [*names, *(arg.arg for arg in spec.kwonlyargs)]:
            inner.names.setdefault(name, Thing((name,)))
        return inner

    def _bind_given(self, names: list[str], arguments: Arguments, inner: Scope) -> None:
        for name, node in zip(names, arguments.positional, strict=False):
            # Behind `*args` it is not known which parameter an argument is for.
            if isinstance(node, ast.Starred):
                break
            inner.names[name] = self._argument(name, node, arguments.scope)
        for word in arguments.keywords:
            if word.arg is not None:
                value = self._argument(word.arg, word.value, arguments.scope)
                inner.names[word.arg] = value

    def _argument(self, name: str, node: ast.expr, scope: Scope) -> Value:
        """The value of an argument. An unknown value gets its name at the call, because
        `evaluate(val_loader)` says more than the parameter `loader`."""
        value = self._evaluate(node, scope)
        spelled = ""
        if isinstance(node, ast.Attribute):
            spelled = node.attr
        elif isinstance(node, ast.Name):
            spelled = node.id
        is_unread = isinstance(value, Reference) and bool(spelled)
        if value is None or is_unread:
            return Thing((spelled or name,))
        return value


def bind_method(owner: Instance, name: str) -> Function | None:
    """A method of an object of the files, bound to that object."""
    method = find_method(owner.made_from, name)
    return Function(method.node, method.scope, owner) if method is not None else None


def _is_static(node: FunctionNode) -> bool:
    if isinstance(node, ast.Lambda):
        return False
    return any(
        isinstance(each, ast.Name) and each.id == "staticmethod"
        for each in node.decorator_list
    )


def _defaults(spec: ast.arguments, positional: list[str]) -> dict[str, ast.expr]:
    """The defaults by parameter name. Positional defaults belong to the last positional
    parameters."""
    last = positional[len(positional) - len(spec.defaults) :]
    # in the order of writing from the end, as the first parameter may be bound already
    found = dict(zip(reversed(last), reversed(spec.defaults), strict=True))
    for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if default is not None:
            found[arg.arg] = default
    return found
