"""A constructor that refuses its numbers: heads that do not divide the width, groups
not the channels."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint.asked.request import Walk
from shapelint.asked.target import Target
from shapelint.changes.other_places import assigned_before, values_before
from shapelint.changes.other_values import constant, small_values
from shapelint.changes.plausibility import roundness
from shapelint.changes.rewrites import shown
from shapelint.changes.upstream_calls import arguments
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Related
from shapelint.facts.findings import Candidate
from shapelint.facts.kinds import NoPlace, Safety
from shapelint.facts.places import Site, Span
from shapelint.fixes.verify import TRIAL, out_of_time, trial_texts
from shapelint.loading.model import NotLoadableError, load
from shapelint.loading.model_inputs import feed_for
from shapelint.rules import catalogue
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place, callers_of, origins
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file
from shapelint.tracing.costs import walk_budget
from shapelint.tracing.members import modules_of
from shapelint.tracing.walk import Walker

TRIALS = 60
"""Changes tried for a constructor that refuses."""

WORK = 20_000
"""For all of them, in calls walked and modules made: not seconds, so that each run
tries the same."""

SHOWN = 3

_WITH_DIMENSIONS = {
    "flatten",
    "cat",
    "stack",
    "transpose",
    "squeeze",
    "unsqueeze",
    "sum",
    "mean",
    "swapaxes",
}
"""Calls whose whole numbers are dimensions."""


def refused(
    request: Walk,
    target: Target,
    texts: Texts,
    error: NotLoadableError,
    deadline: float,
) -> tuple[Diagnostic, tuple[Edit, ...]]:
    """The diagnostic for a target that gave no model, and the edits with which it gives
    one."""
    diagnostic = _named(error)
    if not request.fixes or not error.sites:
        return diagnostic, ()
    mended = _mended(request, target, texts, error.sites, deadline)
    ends: list[Related] = []
    if mended:
        edit = mended[0].edits[0]
        cause = Span(
            edit.file,
            edit.start.line,
            edit.start.column,
            edit.end.line,
            edit.end.column,
        )
        if diagnostic.span is not None and diagnostic.span.line != cause.line:
            ends.append(Related(diagnostic.span, "raises here"))
        diagnostic = replace(diagnostic, span=cause, label=mended[0].says)
    ends += [Related(span_of(site, texts), "made from") for site in error.sites[1:3]]
    ends += [
        Related(span, what) for span, what in assigned_before(error.sites[0], texts)
    ]
    places = (
        {(diagnostic.span.file, diagnostic.span.line)}
        if diagnostic.span is not None
        else set()
    )
    ends = [end for end in ends if (end.span.file, end.span.line) not in places]
    fixes = tuple(
        Fix(each.title, Safety.UNSAFE, True, each.edits, "new weights")
        for each in mended
    )
    diagnostic = replace(diagnostic, fixes=fixes, related=tuple(ends))
    return diagnostic, mended[0].edits if mended else ()


def _mended(
    request: Walk,
    target: Target,
    texts: Texts,
    sites: tuple[Site, ...],
    deadline: float,
) -> list[Candidate]:
    """The changes with which there is a model, those first after which it runs."""
    found: list[tuple[int, Candidate]] = []
    taken: set[str] = set()
    work = 0
    for candidate in candidates(sites, texts)[:TRIALS]:
        enough = sum(count == 0 for count, _ in found) >= SHOWN
        if enough or work > WORK or out_of_time(deadline):
            break
        if candidate.group in taken:
            continue
        trial = _tried(request, target, texts, candidate)
        work += TRIAL if trial is None else trial.work
        if trial is not None:
            found.append((trial.failures, candidate))
        if trial is not None and not trial.failures:
            taken.add(candidate.group)
    found.sort(key=lambda item: item[0])
    fewest = found[0][0] if found else 0
    best = [candidate for count, candidate in found if count == fewest]
    shown: dict[str, Candidate] = {}
    for candidate in best:
        shown.setdefault(candidate.group, candidate)
    return list(shown.values())[:SHOWN]


def _named(error: NotLoadableError) -> Diagnostic:
    """The rule of the layer that refused; else that the target could not be loaded."""
    layer = error.refused_by
    rules = catalogue().rules.values()
    own = next((rule for rule in rules if layer.startswith(rule.constructors)), None)
    if own is None:
        return not_loadable(str(error), error.span, error.hint)
    reason = str(error).partition(" raised ")[2].partition(": ")[2]
    message = (
        f"`{layer}` cannot be made: {reason}" if reason else f"`{layer}` cannot be made"
    )
    return own.diagnostic(message).at(error.span, otherwise=NoPlace.NO_SOURCE)


@dataclass(frozen=True)
class _Trial:
    """How many calls of a model fail that an edited file gives, and what it cost to
    find out."""

    failures: int
    work: int


def _tried(
    request: Walk, target: Target, texts: Texts, candidate: Candidate
) -> _Trial | None:
    """What a change comes to; None where the edited file gives no model."""
    changed = trial_texts(texts, candidate)
    if changed is None:
        return None
    try:
        loaded = load(target, changed, trial=True)
        feed = feed_for(loaded, request.inputs, request.input_factory)
        walker = Walker(
            loaded.model,
            feed.make,
            loaded.ownership,
            loaded.definitions.of,
            walk_budget,
        )
        with loaded.importable():
            traces = [walker.walk(mode) for mode in request.modes]
        work = (
            TRIAL
            + sum(1 for _ in modules_of(loaded.model))
            + sum(trace.work for trace in traces)
        )
        return _Trial(max(trace.failure_count for trace in traces), work)
    except Exception:  # a change that cannot be tried is not one to show
        return None


def candidates(sites: tuple[Site, ...], texts: Texts) -> list[Candidate]:
    """Other numbers for the statement that raised and for what was handed in to it, the
    likeliest first."""
    found: dict[object, Candidate] = {}
    for place, likely in _places(sites, texts):
        for depth, origin in enumerate(origins(place)):
            for candidate in _values(origin, likely - 0.2 * depth):
                known = found.get(candidate.edits)
                if known is None or known.likely < candidate.likely:
                    found[candidate.edits] = candidate
    return sorted(found.values(), key=lambda item: -item.likely)


def _values(place: Place, likely: float) -> Iterator[Candidate]:
    value = constant(place.node)
    parent = place.source.parents.get(place.node)
    if (
        isinstance(parent, ast.Call)
        and CallExpression(place.source, parent).name in _WITH_DIMENSIONS
    ):
        for new in (1, 0, 2, -1, 3) if value is not None else ():
            if new != value:
                yield _written(
                    place,
                    str(new),
                    likely + (0.3 if new == 1 else 0.0) - 0.1 * abs(new),
                )
        return
    if isinstance(place.node, ast.BinOp) and isinstance(place.node.right, ast.Constant):
        yield _written(place, place.source.segment(place.node.left), likely + 0.8)
    if value is None or value < 1:
        return
    near = [
        each
        for step in (8, 16, 64)
        for each in (value // step * step, (value // step + 1) * step)
    ]
    for new in dict.fromkeys([*small_values(value), *near]):
        if new >= 1 and new != value:
            gain = roundness(new) - roundness(value)
            yield _written(
                place, str(new), likely + gain - 0.4 * abs(new - value) / value
            )


def _written(place: Place, text: str, likely: float) -> Candidate:
    edit = replacement(place.source, place.node, text)
    group = f"{edit.start.line}:{edit.start.column}"
    return Candidate(
        f"`{shown(place, text)}`",
        (edit,),
        "",
        group,
        likely=likely,
        says=f"`{text}` fits",
    )


def _places(sites: tuple[Site, ...], texts: Texts) -> Iterator[tuple[Place, float]]:
    """The numbers of the expression that raised: a layer's arguments, or the names of
    an assertion."""
    callers = callers_of(sites)
    call = call_at(sites[0], texts)
    if call is not None:
        named = arguments(call)
        nodes = [node for _, node in named] or call.node.args
        for node in nodes:
            yield Place(call.source, node, callers, callers), 1.0
    source = parse_file(sites[0].file, texts)
    if source is not None:
        yield from _of_the_way(source, sites[0], callers)
    for statement in ast.walk(source.tree) if source is not None else ():
        if isinstance(statement, (ast.Assert, ast.If)) and _covers(
            statement, sites[0].line
        ):
            for part in ast.walk(statement.test):
                if isinstance(part, (ast.Name, ast.Attribute)) and source is not None:
                    yield Place(source, part, callers, callers), 0.9


def _of_the_way(
    source: ParsedFile, site: Site, callers: tuple[Site, ...]
) -> Iterator[tuple[Place, float]]:
    """The names of the statement that raised, and the dimensions in what they were
    assigned."""
    for statement in ast.walk(source.tree):
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr)) and _covers(
            statement, site.line
        ):
            for part in ast.walk(statement.value):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                    yield Place(source, part, callers, callers), 0.6
    for _, value in values_before(source, site):
        for call in ast.walk(value):
            if isinstance(call, (ast.Name, ast.Attribute)):
                yield Place(source, call, callers, callers), 0.5
            if (
                isinstance(call, ast.Call)
                and CallExpression(source, call).name in _WITH_DIMENSIONS
            ):
                for node in call.args:
                    yield Place(source, node, callers, callers), 0.8


def _covers(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or statement.lineno)
