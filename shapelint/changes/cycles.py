"""A model that holds itself: its forward runs, but `train()` and `eval()` never come to
an end."""

from __future__ import annotations

import ast
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Cycle, Trace, Walked
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile, parse_file


def runs_in_circles(walked: Walked, trace: Trace) -> bool:
    """Whether switching the mode went round for ever."""
    raised = trace.raised
    return (
        bool(walked.cycles)
        and raised is not None
        and raised.error_type == "RecursionError"
    )


def circle(
    walked: Walked, diagnostic: Diagnostic
) -> tuple[Diagnostic, tuple[Candidate, ...]]:
    """What is said of the first circle, and how it would be broken."""
    cycle = walked.cycles[0]
    owner = walked.homes[cycle.holder][1]
    around = (
        f"`{cycle.held}`, which it is part of" if cycle.held else "the model itself"
    )
    message = (
        f"`{owner}.{cycle.attribute}` is {around}: `train()` and `eval()` never end"
    )
    said = replace(diagnostic, message=message, layer=cycle.holder)
    source, found = _assignment(walked, cycle)
    if source is None or found is None:
        hint = "a module that is kept in a list, or set by `object.__setattr__`, is not registered"
        return replace(said, span=None, called_at=None, notes=(hint,)), ()
    value = source.segment(found.value)
    text = f'object.__setattr__({source.segment(_target(found).value)}, "{cycle.attribute}", {value})'
    span = source.span(found)
    candidate = Candidate(
        f"`{text}`", (replacement(source, found, text),), cycle.holder, likely=1.0
    )
    return replace(said, span=span, called_at=None), (candidate,)


def _assignment(
    walked: Walked, cycle: Cycle
) -> tuple[ParsedFile | None, ast.Assign | None]:
    """Where the attribute is set: in the holder's own class, else in that of another
    module of the model."""
    home = walked.homes[cycle.holder]
    for file, owner in dict.fromkeys((home, *walked.homes.values())):
        source = (
            parse_file(file, walked.texts)
            if file and "site-packages" not in file
            else None
        )
        for node in ast.walk(source.tree) if source is not None else ():
            if isinstance(node, ast.ClassDef) and node.name == owner:
                for statement in ast.walk(node):
                    if isinstance(statement, ast.Assign) and _sets(
                        statement, cycle.attribute
                    ):
                        return source, statement
    return None, None


def _sets(statement: ast.Assign, attribute: str) -> bool:
    target = statement.targets[0]
    return (
        len(statement.targets) == 1
        and isinstance(target, ast.Attribute)
        and target.attr == attribute
    )


def _target(statement: ast.Assign) -> ast.Attribute:
    target = statement.targets[0]
    assert isinstance(target, ast.Attribute)
    return target
