"""A model that holds itself: its forward runs, but `train()` and `eval()` never come to an end."""

from __future__ import annotations

import ast
from dataclasses import replace

from shapelint.diagnostics import Diagnostic, Span
from shapelint.graph import Cycle, Trace, Walked
from shapelint.rules import Candidate
from shapelint.syntax.calls import ParsedFile, parsed, replacement, span_of_node


def runs_in_circles(walked: Walked, trace: Trace) -> bool:
    """Whether switching the mode went round for ever."""
    raised = trace.raised
    return bool(walked.cycles) and raised is not None and raised.error_type == "RecursionError"


def circle(walked: Walked, diagnostic: Diagnostic) -> tuple[Diagnostic, tuple[Candidate, ...]]:
    """What is said of the first circle, and how it would be broken."""
    cycle = walked.cycles[0]
    file, owner = walked.homes[cycle.holder]
    around = f"`{cycle.held}`, which it is part of" if cycle.held else "the model itself"
    message = f"`{owner}.{cycle.attribute}` is {around}: `train()` and `eval()` never end"
    said = replace(diagnostic, message=message, layer=cycle.holder)
    source = parsed(file)
    found = _assignment(source, cycle) if source is not None else None
    if source is None or found is None:
        hint = "a module that is kept in a list, or set by `object.__setattr__`, is not registered"
        return replace(said, span=None, called_at=None, notes=(hint,)), ()
    value = source.segment(found.value)
    text = f'object.__setattr__({source.segment(_target(found).value)}, "{cycle.attribute}", {value})'
    span: Span = span_of_node(file, found)
    candidate = Candidate(f"`{text}`", (replacement(file, found, text),), cycle.holder, likely=1.0)
    return replace(said, span=span, called_at=None), (candidate,)


def _assignment(source: ParsedFile, cycle: Cycle) -> ast.Assign | None:
    for node in ast.walk(source.tree):
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        if isinstance(node, ast.Assign) and isinstance(target, ast.Attribute) and target.attr == cycle.attribute:
            return node
    return None


def _target(statement: ast.Assign) -> ast.Attribute:
    target = statement.targets[0]
    assert isinstance(target, ast.Attribute)
    return target
