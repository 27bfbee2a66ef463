"""The effect of contexts and decorators on autograd's recording, and whether a
decorator may switch modes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from shapelint.reading.library_contexts import HARMLESS_DECORATORS, NOT_RECORDING
from shapelint.reading.modes import Recording
from shapelint.reading.scopes import read_dotted_name
from shapelint.reading.values import Evaluate, Function, Reference, Scope

Decide = Callable[[ast.expr, Scope], bool | None]


@dataclass(frozen=True)
class Decoration:
    """The effect of a function's decorators. `may_switch`: one of them is unknown, and
    may switch the modes of models while the function runs."""

    grad: Recording | None
    may_switch: bool


class GradContexts:
    """Reads contexts and decorators."""

    def __init__(self, evaluate: Evaluate, decide: Decide) -> None:
        self._evaluate = evaluate
        self._decide = decide

    def find_recording(self, node: ast.expr, scope: Scope) -> Recording | None:
        """The recording that a context or decorator sets; None if it does not change
        it."""
        if isinstance(node, ast.IfExp):
            return self._recording_of_choice(node, scope)
        call = node if isinstance(node, ast.Call) else None
        name = self.resolve_dotted_name(node, scope).rpartition(".")[2]
        if name == "enable_grad":
            return Recording.ON
        if name in NOT_RECORDING:
            return Recording.ON if call and _is_inference_off(call) else Recording.OFF
        if name == "set_grad_enabled" and call is not None:
            return self._recording_set(call, scope)
        return None

    def _recording_of_choice(self, node: ast.IfExp, scope: Scope) -> Recording | None:
        # `no_grad() if not training else nullcontext()`: undecided, either may be it.
        truth = self._decide(node.test, scope)
        if truth is not None:
            return self.find_recording(node.body if truth else node.orelse, scope)
        ways = [self.find_recording(way, scope) for way in (node.body, node.orelse)]
        return ways[0] if ways[0] is ways[1] else Recording.DOUBTED

    def _recording_set(self, call: ast.Call, scope: Scope) -> Recording | None:
        given = [*call.args, *(word.value for word in call.keywords)]
        if not given:
            return None
        truth = self._decide(given[0], scope)
        if truth is None:
            return Recording.DOUBTED
        return Recording.ON if truth else Recording.OFF

    def resolve_dotted_name(self, node: ast.expr, scope: Scope) -> str:
        """The dotted name of an import, or of the import that a call calls; for a local
        name, its text."""
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, (ast.Name, ast.Attribute)):
            value = self._evaluate(node, scope)
            if isinstance(value, Reference):
                return value.dotted
        return read_dotted_name(node)

    def read_decorators(self, function: Function) -> Decoration:
        """The combined effect of a function's decorators."""
        grad: Recording | None = None
        may_switch = False
        if isinstance(function.node, ast.Lambda):
            return Decoration(grad, may_switch)
        for node in function.node.decorator_list:
            given = self.find_recording(node, function.scope)
            names = self.resolve_dotted_name(node, function.scope).split(".")
            is_harmless = not HARMLESS_DECORATORS.isdisjoint(names)
            grad = given or grad
            # A decorator that is not known may do anything before and after the function.
            may_switch = may_switch or not (given or is_harmless)
        return Decoration(grad, may_switch)


def _is_inference_off(call: ast.Call) -> bool:
    """Whether a call is `inference_mode(False)`, under which autograd records."""
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and first.value is False
