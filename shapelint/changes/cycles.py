"""Models that contain themselves: the forward runs, but `train()` and `eval()` recurse
without end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes import weights
from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Trace
from shapelint.facts.walked_target import Cycle, Walked
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile, parse_file


def runs_in_circles(walked: Walked, trace: Trace) -> bool:
    """Whether switching the mode recursed without end."""
    raised = trace.raised
    if raised is None or not walked.cycles:
        return False
    return raised.error_type == "RecursionError"


def explain_cycle(
    walked: Walked, diagnostic: Diagnostic
) -> tuple[Diagnostic, tuple[Candidate, ...]]:
    """Build the diagnostic for the first cycle, and the changes that break it."""
    cycle = walked.cycles[0]
    owner = walked.homes[cycle.holder][1]
    around = "the model itself"
    if cycle.held:
        around = f"`{cycle.held}`, which it is part of"
    attribute = f"`{owner}.{cycle.attribute}`"
    message = f"{attribute} is {around}: `train()` and `eval()` never end"
    explained = replace(diagnostic, message=message, layer=cycle.holder, called_at=None)
    found = next(_assignments(walked, cycle), None)
    if found is None:
        hint = "a module that is kept in a list, or set by `object.__setattr__`, is not registered"
        return replace(explained, span=None, notes=(hint,)), ()
    source, statement, target = found
    owner, value = source.segment(target.value), source.segment(statement.value)
    text = f'object.__setattr__({owner}, "{cycle.attribute}", {value})'
    candidate = Candidate(
        f"`{text}`",
        (replacement(source, statement, text),),
        cycle.holder,
        likely=weights.REGISTERED_NOWHERE,
    )
    return replace(explained, span=source.span(statement)), (candidate,)


def _assignments(
    walked: Walked, cycle: Cycle
) -> Iterator[tuple[ParsedFile, ast.Assign, ast.Attribute]]:
    """The statements that set the attribute: in the holder's class first, then in the
    classes of other modules."""
    home = walked.homes[cycle.holder]
    for file, owner in dict.fromkeys((home, *walked.homes.values())):
        # installed packages are not edited
        is_users = file and "site-packages" not in file
        source = parse_file(file, walked.texts) if is_users else None
        if source is None:
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and node.name == owner:
                for statement, target in _assignments_in(node, cycle.attribute):
                    yield source, statement, target


def _assignments_in(
    owner: ast.ClassDef, attribute: str
) -> Iterator[tuple[ast.Assign, ast.Attribute]]:
    """The statements of a class that set this attribute and nothing else."""
    for statement in ast.walk(owner):
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Attribute) and target.attr == attribute:
            yield statement, target
