"""The other ends of a failure: where its layer was made, and where what arrives got the
shape it has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes.failed_sizes import Aspect, aspect_of, odd_one_out
from shapelint.changes.made_tensors import find_made_tensor
from shapelint.changes.window_values import window_of
from shapelint.facts.graph import Call, Raised, Trace
from shapelint.facts.places import Site, Span
from shapelint.facts.tensors import TensorFact
from shapelint.facts.walked_target import Walked
from shapelint.syntax.origins import assignments
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file
from shapelint.syntax.walked_calls import definition_of, shape_text

STEPS = 16
"""Calls looked at on the way from a failure to the layer that made what arrives."""

WINDOWS = 8
"""Places named at which the size of an image changes on its way."""

NAMES = 3
"""Names of an expression whose values are looked up."""


@dataclass(frozen=True)
class OtherPlace:
    """A place and what it has to do with a failure. `is_always_named`: however many
    there are."""

    span: Span
    message: str
    is_always_named: bool = False


def other_places_of(
    walked: Walked, broken: Call, raised: Raised | None
) -> Iterator[OtherPlace]:
    """The other places of a failed call, those nearest to the failure first; of what
    was `raised` outside of any call, `broken` is the last one before."""
    texts = walked.texts
    sites, class_name = definition_of(walked, broken)
    if raised is not None and raised.sites:
        yield from find_earlier_assignments(raised.sites[0], texts)
    if raised is None and sites:
        made = f"`{class_name or broken.op}` made here"
        yield OtherPlace(span_of(sites[0], texts), made)
    if raised is None and not broken.module_path:
        for fact in broken.inputs:
            yield from _table(walked, fact)
    traces = walked.traces.values()
    trace = next((trace for trace in traces if broken in trace.calls), None)
    if trace is not None:
        yield from _find_upstream_places(walked, trace, broken, sites, raised)
        if raised is not None or aspect_of(broken) is not Aspect.CHANNELS:
            yield from _windows(walked, trace, broken)
    if broken.site is not None:
        yield OtherPlace(span_of(broken.site, texts), "called here")


def _table(walked: Walked, fact: TensorFact) -> Iterator[OtherPlace]:
    """Where a parameter or buffer was made."""
    if not fact.name:
        return
    path, _, attribute = fact.name.rpartition(".")
    place = next(find_made_tensor(walked, path, attribute), None)
    if place is None:
        return
    source, node = place.source, place.node
    yield OtherPlace(source.span(node), f"`{attribute}` comes from here")
    at = Site(source.file, "", node.lineno, None, node.end_lineno)
    yield from find_earlier_assignments(at, walked.texts)


# -- what arrives ------------------------------------------------------------------------


def _find_upstream_places(
    walked: Walked,
    trace: Trace,
    broken: Call,
    taken: tuple[Site, ...],
    raised: Raised | None,
) -> Iterator[OtherPlace]:
    """What was rearranged on the way, and the layers that gave what the failing one was
    fed with."""
    starts = [broken.index] if raised is not None else broken.producers
    for index in dict.fromkeys(starts):
        if 0 <= index < len(trace.calls):
            yield from _trace_back(walked, trace, trace.calls[index], taken)


def _trace_back(
    walked: Walked, trace: Trace, start: Call, taken: tuple[Site, ...]
) -> Iterator[OtherPlace]:
    """The places on the way back from a call to the layer with weights before it."""
    current: Call | None = start
    for _ in range(STEPS):
        if current is None or current.output is None:
            return
        yield from _place_of_rearranging(walked, current)
        layer = list(_places_of_layer(walked, current, taken))
        yield from layer
        if layer:
            return
        before = trace.producer(current, current.main_argument or 0)
        if before is None and current.input is not None:
            yield from _table(walked, current.input)
        current = before


def _place_of_rearranging(walked: Walked, call: Call) -> Iterator[OtherPlace]:
    """The call itself, where its own numbers say what shape it gives."""
    rearranges = ops.of(call.op).family.rearranges
    if not rearranges or call.site is None or call.output is None:
        return
    is_module = call.is_module
    sites = definition_of(walked, call)[0] if is_module else (call.site,)
    if sites:
        message = f"{shape_text(call.output.shape)} comes from this `{call.op}`"
        yield OtherPlace(span_of(sites[0], walked.texts), message)


def _places_of_layer(
    walked: Walked, call: Call, taken: tuple[Site, ...]
) -> Iterator[OtherPlace]:
    """Where a layer was made whose weights say what it gives; `taken`: where the failed
    layer was made."""
    sites, class_name = definition_of(walked, call)
    keeps_shape = ops.keeps_shape(class_name)
    if not sites or not call.params or keeps_shape or call.output is None:
        return
    name = class_name or call.op
    message = f"{shape_text(call.output.shape)} comes from this `{name}`"
    yield OtherPlace(span_of(sites[0], walked.texts), message)
    apart = _find_divergence(sites, taken)
    if apart is not None and apart != sites[0]:
        message = f"this `{name}` is made from here"
        yield OtherPlace(span_of(apart, walked.texts), message)


def _find_divergence(sites: tuple[Site, ...], others: tuple[Site, ...]) -> Site | None:
    """The outermost frame that made one layer and not the other: where the user wrote
    the two side by side."""
    shared = {(site.file, site.line) for site in others}
    own = (site for site in reversed(sites) if (site.file, site.line) not in shared)
    return next(own, None)


# -- windows -----------------------------------------------------------------------------


def _windows(walked: Walked, trace: Trace, broken: Call) -> Iterator[OtherPlace]:
    """The last places at which the size of an image changes on its way to the failure,
    in the order of the way."""
    found: dict[tuple[str, int], Span] = {}
    for call in _list_steps_back(trace, broken):
        if len(found) >= WINDOWS:
            break
        if not _changes_size(call):
            continue
        sites, _ = definition_of(walked, call)
        site = sites[0] if sites else call.site
        if site is not None:
            line = (site.file, site.line)
            found.setdefault(line, span_of(site, walked.texts))
    for span in reversed(found.values()):
        yield OtherPlace(span, "the spatial size changes here", is_always_named=True)


def _changes_size(call: Call) -> bool:
    """Whether a window gives an image of another height or width."""
    if window_of(call) is None or call.input is None or call.output is None:
        return False
    return call.input.shape[2:] != call.output.shape[2:]


def _list_steps_back(trace: Trace, broken: Call) -> Iterator[Call]:
    """What led to a failure, from there back: to the operand that differs first; where
    nothing that was fed in led to it, as to a table cut by the sizes of an image, to
    what was called just before."""
    everything = len(trace.calls)
    odd = odd_one_out(broken)
    other = trace.producer(broken, odd) if odd is not None else None
    if other is not None and odd != broken.main_argument:
        yield other
        yield from reversed(trace.way_to(other, limit=everything))
    steps = trace.way_to(broken, limit=everything)
    if not any(window_of(step) for step in steps):
        earlier = reversed(trace.calls[: broken.index])
        before = next((call for call in earlier if window_of(call)), None)
        if before is not None:
            steps = [*trace.way_to(before, limit=everything), before]
    yield from reversed(steps)


# -- assignments -------------------------------------------------------------------------


def find_earlier_assignments(site: Site, texts: Texts) -> Iterator[OtherPlace]:
    """Where the names in an expression got their values: in the same function, the
    nearest assignment before."""
    source = parse_file(site.file, texts)
    if source is None:
        return
    for name, value in values_before(source, site):
        yield OtherPlace(source.span(value), f"`{name}` comes from here")


def values_before(source: ParsedFile, site: Site) -> Iterator[tuple[str, ast.expr]]:
    """The names in an expression and what was assigned to them, and those in what was
    assigned."""
    scope = _function_around(source, site)
    names = _names_at(source, site)
    seen: set[str] = set()
    for _ in range(2):  # what they were made from, too
        further: list[str] = []
        for name in dict.fromkeys(names):
            value = _value_before(scope, name, site)
            if value is None or name in seen or len(seen) >= NAMES:
                continue
            seen.add(name)
            yield name, value
            parts = ast.walk(value)
            further += [part.id for part in parts if isinstance(part, ast.Name)]
        names = further


def _function_around(source: ParsedFile, site: Site) -> ast.AST:
    """The innermost function in which a frame stands, else the file."""
    scope: ast.AST = source.tree
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        if node.lineno <= site.line <= (node.end_lineno or 0):
            scope = node  # the walk goes outside in
    return scope


def _names_at(source: ParsedFile, site: Site) -> list[str]:
    """The names on the lines of a frame."""
    last = site.end_line or site.line
    return [
        node.id
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and site.line <= node.lineno <= last
    ]


def _value_before(scope: ast.AST, name: str, site: Site) -> ast.expr | None:
    """The last value assigned to a name before a frame's line."""
    values = [
        value
        for target, value in assignments(scope)
        if isinstance(target, ast.Name)
        and target.id == name
        and value.lineno < site.line
    ]
    return values[-1] if values else None
