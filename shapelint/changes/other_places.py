"""The other places of a failure: where its layer was made, and where its input got its
shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes.assigned_values import values_before
from shapelint.changes.failed_sizes import Aspect, aspect_of, odd_one_out
from shapelint.changes.made_tensors import find_tensor_sizes
from shapelint.changes.window_values import window_of
from shapelint.facts.graph import Call, Raised, Trace
from shapelint.facts.places import Site, Span
from shapelint.facts.tensors import TensorFact
from shapelint.facts.walked_target import Walked
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import parse_file
from shapelint.syntax.walked_calls import definition_of, shape_text

STEPS = 16
"""How many calls are traced back from a failure to the layer that made its input."""

WINDOWS = 8
"""The most places named at which the size of an image changes."""


@dataclass(frozen=True)
class OtherPlace:
    """A place, and its relation to the failure. `is_always_named`: it is named however
    many places there are."""

    span: Span
    message: str
    is_always_named: bool = False


def other_places_of(
    walked: Walked, broken: Call, raised: Raised | None
) -> Iterator[OtherPlace]:
    """The other places of a failed call, nearest to the failure first. If an exception
    was `raised` outside of any call, `broken` is the last call before it."""
    if raised is None:
        yield from _places_of_operation(walked, broken)
    elif raised.sites:
        yield from find_earlier_assignments(raised.sites[0], walked.texts)
    trace = _trace_with(broken, walked)
    if trace is not None:
        yield from _find_upstream_places(walked, trace, broken, raised)
        may_be_spatial = aspect_of(broken) is not Aspect.CHANNELS
        if raised is not None or may_be_spatial:
            yield from _places_of_windows(walked, trace, broken)
    if broken.site is not None:
        yield OtherPlace(span_of(broken.site, walked.texts), "called here")


def _trace_with(call: Call, walked: Walked) -> Trace | None:
    traces = walked.traces.values()
    return next((trace for trace in traces if call in trace.calls), None)


def _places_of_operation(walked: Walked, broken: Call) -> Iterator[OtherPlace]:
    """Where the failed layer was made, or the tables that the user's own expression
    uses."""
    sites, class_name = definition_of(walked, broken)
    if sites:
        made = f"`{class_name or broken.op}` made here"
        yield OtherPlace(span_of(sites[0], walked.texts), made)
    if broken.module_path:
        return
    for fact in broken.inputs:
        yield from _place_of_table(walked, fact)


def _place_of_table(walked: Walked, fact: TensorFact) -> Iterator[OtherPlace]:
    """Where a parameter or buffer was made."""
    if not fact.name:
        return
    path, _, attribute = fact.name.rpartition(".")
    place = next(find_tensor_sizes(walked, path, attribute), None)
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
    raised: Raised | None,
) -> Iterator[OtherPlace]:
    """The rearrangements on the way, and the layers that made the inputs of the failing
    call."""
    taken, _ = definition_of(walked, broken)
    starts = [broken.index] if raised is not None else broken.producers
    for index in dict.fromkeys(starts):
        if 0 <= index < len(trace.calls):
            yield from _trace_back(walked, trace, trace.calls[index], taken)


def _trace_back(
    walked: Walked, trace: Trace, start: Call, taken: tuple[Site, ...]
) -> Iterator[OtherPlace]:
    """The places on the way back from a call to the nearest layer with weights."""
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
            yield from _place_of_table(walked, current.input)
        current = before


def _place_of_rearranging(walked: Walked, call: Call) -> Iterator[OtherPlace]:
    """The place of a call whose own numbers set the shape of its result."""
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
    """Where a layer was made whose weights set the shape of its result. `taken`: where
    the failed layer was made."""
    sites, class_name = definition_of(walked, call)
    is_layer = bool(sites) and bool(call.params)
    if not is_layer or call.output is None or ops.keeps_shape(class_name):
        return
    name = class_name or call.op
    message = f"{shape_text(call.output.shape)} comes from this `{name}`"
    yield OtherPlace(span_of(sites[0], walked.texts), message)
    apart = _find_divergence(sites, taken)
    if apart is not None and apart != sites[0]:
        message = f"this `{name}` is made from here"
        yield OtherPlace(span_of(apart, walked.texts), message)


def _find_divergence(sites: tuple[Site, ...], others: tuple[Site, ...]) -> Site | None:
    """The outermost frame that made one layer but not the other: where the user wrote
    the two side by side."""
    shared = {(site.file, site.line) for site in others}
    for site in reversed(sites):
        if (site.file, site.line) not in shared:
            return site
    return None


# -- windows -----------------------------------------------------------------------------


def _places_of_windows(
    walked: Walked, trace: Trace, broken: Call
) -> Iterator[OtherPlace]:
    """The last places at which the size of an image changes before the failure, in
    order."""
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
    """Whether a window changes the height or width of an image."""
    if window_of(call) is None or call.input is None or call.output is None:
        return False
    return call.input.shape[2:] != call.output.shape[2:]


def _list_steps_back(trace: Trace, broken: Call) -> Iterator[Call]:
    """The calls that led to a failure, from there backwards, starting with the operand
    that differs."""
    odd = odd_one_out(broken)
    # the way along main arguments comes by that one anyway
    if odd is not None and odd != broken.main_argument:
        yield from _way_back_from(trace, trace.producer(broken, odd))
    steps = trace.way_to(broken, limit=len(trace.calls))
    if any(window_of(step) for step in steps):
        yield from reversed(steps)
        return
    # nothing that was fed in went through a window: a table may have been cut by the
    # sizes of an image, and what was called last gave them
    earlier = reversed(trace.calls[: broken.index])
    before = next((call for call in earlier if window_of(call)), None)
    if before is None:
        yield from reversed(steps)
    else:
        yield from _way_back_from(trace, before)


def _way_back_from(trace: Trace, call: Call | None) -> Iterator[Call]:
    """A call, and the calls that led to it, backwards."""
    if call is not None:
        yield call
        yield from reversed(trace.way_to(call, limit=len(trace.calls)))


# -- assignments -------------------------------------------------------------------------


def find_earlier_assignments(site: Site, texts: Texts) -> Iterator[OtherPlace]:
    """Where the names in an expression got their values: the nearest earlier
    assignments in the same function."""
    source = parse_file(site.file, texts)
    if source is None:
        return
    for name, value in values_before(source, site):
        yield OtherPlace(source.span(value), f"`{name}` comes from here")
