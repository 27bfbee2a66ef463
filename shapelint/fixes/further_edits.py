"""Finds the edits after which a walk reaches further: the first bugs fixed, or the
model's own `raise` removed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Severity
from shapelint.facts.graph import Raised, Trace
from shapelint.facts.places import Site
from shapelint.facts.walked_target import Walked
from shapelint.rules import catalogue
from shapelint.syntax.edits import replacement, try_edits
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file


def edits_to_see_further(walked: Walked, found: list[Diagnostic]) -> tuple[Edit, ...]:
    """The edits after which the next walk reaches further; empty if there is nothing
    further to see."""
    for trace in walked.traces.values():
        raised = trace.raised
        # if the time ran out, the walk of a fixed copy would not get further either
        if raised is None or trace.out_of_time:
            continue
        if not raised.sites and not _fixes_of_raise(found):
            continue
        return _edits_for(walked.texts, trace, raised, found)
    return ()


def _edits_for(
    texts: Texts, trace: Trace, raised: Raised, found: list[Diagnostic]
) -> tuple[Edit, ...]:
    # after a failed call, what is raised may come of the shape that was guessed for it
    is_of_call = raised.call is not None
    has_failed_calls = next(trace.failures, None) is not None
    mended: tuple[Edit, ...] = ()
    if is_of_call or has_failed_calls:
        mended = _first_fixes(texts, found)
    if mended or is_of_call:
        return mended
    return _edits_past_raise(texts, raised.sites, found)


def _first_fixes(texts: Texts, found: list[Diagnostic]) -> tuple[Edit, ...]:
    """The first fix of every error, except those that overlap an earlier one. Empty if
    the input is wrong."""
    errors = [item for item in found if item.severity is Severity.ERROR and item.fixes]
    if any(item.fixes[0].inputs for item in errors):
        return ()
    edits: tuple[Edit, ...] = ()
    for item in errors:
        first = next((fix.edits for fix in item.fixes if fix.edits), ())
        together = (*edits, *first)
        if try_edits(texts, together) is not None:
            edits = together
    return edits


def _edits_past_raise(
    texts: Texts, sites: tuple[Site, ...], found: list[Diagnostic]
) -> tuple[Edit, ...]:
    """The first fix of the model's own exception, or else the removal of the statement
    that raised. Empty if another input is enough."""
    fixes = _fixes_of_raise(found)
    if any(fix.inputs and fix.runs for fix in fixes):
        return ()
    if fixes and fixes[0].edits:
        return fixes[0].edits
    source = parse_file(sites[0].file, texts) if sites else None
    return _without_raise(source, sites[0].line) if source is not None else ()


def _fixes_of_raise(found: list[Diagnostic]) -> list[Fix]:
    """The fixes of the finding about the model's own statement."""
    rules = catalogue().rules
    own = [item for item in found if rules[item.code].is_of_raise]
    return [fix for item in own for fix in item.fixes]


def _without_raise(source: ParsedFile, line: int) -> tuple[Edit, ...]:
    """The edit that removes the raising statement on a line."""
    statements: Iterator[ast.stmt] = source.nodes_on(line, ast.Raise, ast.Assert)
    node = next(statements, None)
    if node is None:
        return ()
    # as many lines as before, so that later places stay
    breaks = "\n" * ((node.end_lineno or node.lineno) - node.lineno)
    return (replacement(source, node, f"pass{breaks}"),)
