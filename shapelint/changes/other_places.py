"""The other ends of a failure: where its layer was made, and where what arrives got the
shape it has."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.changes.other_values import aspect, odd_one_out, window_of
from shapelint.changes.rewrites import made_tensor
from shapelint.facts.graph import Call, Raised, TensorFact, Trace, Walked
from shapelint.facts.places import Site, Span
from shapelint.syntax.origins import assignments
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file
from shapelint.syntax.walked_calls import definition_of, shape_text

End = tuple[Span, str]
"""A place and what it is to the failure."""

_KEEPING = {
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LayerNorm",
    "GroupNorm",
    "PReLU",
    "InstanceNorm2d",
}
"""Layers with weights that give what they were given."""

_REARRANGING = {
    *(
        "view",
        "reshape",
        "flatten",
        "unflatten",
        "permute",
        "transpose",
        "swapaxes",
        "movedim",
        "cat",
        "concat",
    ),
    *(
        "stack",
        "chunk",
        "split",
        "squeeze",
        "unsqueeze",
        "expand",
        "repeat",
        "Flatten",
        "Unflatten",
        "rearrange",
    ),
    *(
        "Rearrange",
        "unfold",
        "fold",
        "pixel_shuffle",
        "pixel_unshuffle",
        "t",
        "mT",
        "T",
        "narrow",
    ),
}
"""Ops whose own numbers say what shape they give."""

STEPS = 16
"""Calls looked at on the way from a failure to the layer that made what arrives."""

WINDOWS = 8
"""Places named at which the size of an image changes on its way."""

CHANGES_SIZE = "the size changes on the way"
"""Said of convolutions and poolings before a failure."""


def ends_of(walked: Walked, broken: Call, raised: Raised | None) -> Iterator[End]:
    """Each place with what it is, those nearest to the failure first."""
    trace = next(
        (trace for trace in walked.traces.values() if broken in trace.calls), None
    )
    sites, class_name = definition_of(walked, broken)
    if sites and raised is None:
        yield span_of(sites[0], walked.texts), f"`{class_name or broken.op}` made here"
    if raised is not None and raised.sites:
        yield from assigned_before(raised.sites[0], walked.texts)
    for fact in broken.inputs if raised is None and not broken.module_path else ():
        yield from _table(walked, fact)
    if trace is not None:
        yield from _arriving(walked, trace, broken, sites, raised)
        if raised is not None or aspect(broken) != "channels":
            yield from _windows(walked, trace, broken)
    if broken.site is not None:
        yield span_of(broken.site, walked.texts), "called here"


def _table(walked: Walked, fact: TensorFact) -> Iterator[End]:
    """Where a parameter or buffer was made."""
    path, _, attribute = fact.name.rpartition(".")
    for place in made_tensor(walked, path, attribute) if fact.name else ():
        yield (
            place.source.span(place.node),
            f"`{attribute}` comes from here",
        )
        at = Site(place.source.file, "", place.node.lineno, None, place.node.end_lineno)
        yield from assigned_before(at, walked.texts)
        break


def _arriving(
    walked: Walked,
    trace: Trace,
    broken: Call,
    taken: tuple[Site, ...],
    raised: Raised | None,
) -> Iterator[End]:
    """What was rearranged on the way, and the layers that gave what the failing one was
    fed with."""
    starts = (
        [broken.index] if raised is not None else list(dict.fromkeys(broken.producers))
    )
    for index in starts:
        current = trace.calls[index] if 0 <= index < len(trace.calls) else None
        for _ in range(STEPS):
            if current is None or current.output is None:
                break
            shape = shape_text(current.output.shape)
            if current.op in _REARRANGING and current.site is not None:
                sites = (
                    definition_of(walked, current)[0]
                    if current.is_module
                    else (current.site,)
                )
                if sites:
                    yield (
                        span_of(sites[0], walked.texts),
                        f"{shape} comes from this `{current.op}`",
                    )
            sites, class_name = definition_of(walked, current)
            if sites and current.params and class_name not in _KEEPING:
                name = class_name or current.op
                yield (
                    span_of(sites[0], walked.texts),
                    f"{shape} comes from this `{name}`",
                )
                apart = _apart(sites, taken)
                if apart is not None and apart != sites[0]:
                    yield (
                        span_of(apart, walked.texts),
                        f"this `{name}` is made from here",
                    )
                break
            before = trace.producer(current, current.main_argument or 0)
            if before is None and current.input is not None:
                yield from _table(walked, current.input)
            current = before


def _apart(sites: tuple[Site, ...], others: tuple[Site, ...]) -> Site | None:
    """The outermost frame that made one layer and not the other: where the user wrote
    the two side by side."""
    shared = {(site.file, site.line) for site in others}
    return next(
        (site for site in reversed(sites) if (site.file, site.line) not in shared), None
    )


def _windows(walked: Walked, trace: Trace, broken: Call) -> Iterator[End]:
    """The last places at which the size of an image changes on its way to the failure,
    in the order of the way."""
    found: dict[tuple[str, int], Span] = {}
    for call in _ways(trace, broken):
        if (
            window_of(call) is None
            or call.input is None
            or call.output is None
            or len(found) >= WINDOWS
        ):
            continue
        if call.input.shape[2:] == call.output.shape[2:]:
            continue
        sites, _ = definition_of(walked, call)
        site = sites[0] if sites else call.site
        if site is not None and (site.file, site.line) not in found:
            found[(site.file, site.line)] = span_of(site, walked.texts)
    yield from ((span, CHANGES_SIZE) for span in reversed(found.values()))


def _ways(trace: Trace, broken: Call) -> Iterator[Call]:
    """What led to a failure, from there back: to the operand that differs first; where
    nothing that was fed in led to it, as to a table cut by the sizes of an image, to
    what was called just before."""
    everything = len(trace.calls)
    odd = odd_one_out(broken)
    other = trace.producer(broken, odd) if odd is not None else None
    if other is not None and odd != broken.main_argument:
        yield from (other, *reversed(trace.way_to(other, limit=everything)))
    steps = trace.way_to(broken, limit=everything)
    before = next(
        (call for call in reversed(trace.calls[: broken.index]) if window_of(call)),
        None,
    )
    if before is not None and not any(window_of(step) for step in steps):
        steps = [*trace.way_to(before, limit=everything), before]
    yield from reversed(steps)


def assigned_before(site: Site, texts: Texts, limit: int = 3) -> Iterator[End]:
    """Where the names in an expression got their values: in the same function, the
    nearest assignment before."""
    source = parse_file(site.file, texts)
    if source is None:
        return
    for name, value in values_before(source, site, limit):
        yield source.span(value), f"`{name}` comes from here"


def values_before(
    source: ParsedFile, site: Site, limit: int = 3
) -> Iterator[tuple[str, ast.expr]]:
    """The names in an expression and what was assigned to them, and those in what was
    assigned."""
    names: list[str] = []
    scope: ast.AST = source.tree
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and node.lineno <= site.line <= (
            node.end_lineno or 0
        ):
            scope = node
        is_here = isinstance(node, ast.Name) and site.line <= node.lineno <= (
            site.end_line or site.line
        )
        if is_here and isinstance(node, ast.Name):
            names.append(node.id)
    seen: set[str] = set()
    for _ in range(2):  # what they were made from, too
        further: list[str] = []
        for name in dict.fromkeys(names):
            values = [
                value
                for target, value in assignments(scope)
                if isinstance(target, ast.Name)
                and target.id == name
                and value.lineno < site.line
            ]
            if not values or name in seen or len(seen) >= limit:
                continue
            seen.add(name)
            yield name, values[-1]
            further += [
                part.id for part in ast.walk(values[-1]) if isinstance(part, ast.Name)
            ]
        names = further
