"""The place of a model call, the statements around it, and the name of the called
model."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.facts.diagnostics import Related
from shapelint.facts.places import Span
from shapelint.reading.modes import Where
from shapelint.reading.values import Forward
from shapelint.reading.vocabulary import Purpose

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


def span_of_where(where: Where) -> Span:
    """Convert a node's place to a span."""
    assert isinstance(where.node, (ast.expr, ast.stmt))
    return where.source.span(where.node)


def heading_of(where: Where) -> Span:
    """The first line of a compound statement."""
    return Span(where.file, where.line)


def find_surroundings(call: Forward) -> tuple[Related, ...]:
    """The loop around a call of a model, and the place where its function was
    called."""
    found = [Related(heading_of(loop.at), "in this loop") for loop in call.loops[-1:]]
    calls = [frame.called_at for frame in call.frames if frame.called_at is not None]
    found += [Related(heading_of(called_at), "called here") for called_at in calls[-1:]]
    # A place on the finding's own line would only repeat it.
    own_line = (call.at.file, call.at.line)
    return tuple(each for each in found if (each.span.file, each.span.line) != own_line)


def nodes_around(where: Where) -> Iterator[ast.AST]:
    """A node and all nodes around it, innermost first."""
    node: ast.AST | None = where.node
    while node is not None:
        yield node
        node = where.source.parents.get(node)


def find_statement(where: Where) -> ast.stmt | None:
    """The statement that contains a node."""
    for node in nodes_around(where):
        if isinstance(node, ast.stmt):
            return node
    return None


def find_outermost_block(call: Forward) -> ast.stmt | None:
    """The outermost loop or `with` around a call that serves the same purpose, within
    its function; or else the call's own statement."""
    loops = [loop.at.node for loop in call.loops if loop.purpose is not Purpose.TRAIN]
    statement: ast.stmt | None = None
    for node in nodes_around(call.at):
        if isinstance(node, ast.stmt):
            is_block = isinstance(node, (ast.With, ast.AsyncWith))
            # `eval()` before each batch would be right, but nobody writes it there.
            is_own_loop = node in loops and not _is_over_epochs(node)
            if statement is None or is_block or is_own_loop:
                statement = node
        if isinstance(node, _DEFINITIONS):
            break
    return statement


def _is_over_epochs(node: ast.AST) -> bool:
    """Whether a loop runs over epochs, and so contains both training and validation."""
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return "epoch" in ast.unparse(node.target).lower()
    return isinstance(node, ast.While)


def text_of_model(call: Forward) -> str:
    """The called model as written: `model`, `self.net`."""
    if not isinstance(call.at.node, ast.Call):
        return call.model.name or "the model"
    text = call.at.source.segment(call.at.node.func)
    return text.removesuffix(".forward").removesuffix(".__call__")
