"""Connects the calls of a walk with the user's source: their layers, where those were
made, and the calls that led there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Draft, Related, TrailStep
from shapelint.facts.findings import Candidate, Finding
from shapelint.facts.graph import Call, Failure, Trace
from shapelint.facts.kinds import NoPlace
from shapelint.facts.places import Site, Span
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts

NOT_REACHED = "`eval()` does not reach a module that is not an attribute"
"""Why a module stays in train mode."""


def find_failed_calls(
    walked: Walked, *ops: str
) -> Iterator[tuple[Trace, Call, Failure]]:
    """Find the failed calls of these ops in every mode, or of all ops if none is named.
    `batch_norm` includes the modules that call it."""
    for trace in walked.traces.values():
        for call in trace.failures:
            failure = call.failure
            if failure is None or not failure.certain:
                continue
            if not ops or failure.op in ops:
                yield trace, call, failure


def shape_text(shape: Shape) -> str:
    """`(1, 32, 8, 8)`."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def product_text(sizes: Shape) -> str:
    """`32 * 8 * 8`."""
    return " * ".join(map(str, sizes))


def count_noun(number: int, noun: str) -> str:
    """`1 channel`, `3 channels`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def trail_to(trace: Trace, call: Call) -> tuple[TrailStep, ...]:
    """The shapes from the model's input to a call, as trail steps."""
    way = trace.way_to(call)
    steps: list[TrailStep] = []
    first = (way[0] if way else call).main_input
    if first is not None:
        steps.append(TrailStep("", "input", shape_text(first.shape)))
    for step in way:
        if step.output is not None:
            layer = step.layer if step.is_module else ""
            steps.append(TrailStep(layer, step.op, shape_text(step.output.shape)))
    return tuple(steps)


def name_layer(call: Call) -> str:
    """How messages name a layer, or the function that does the same: `Linear`,
    `F.linear`."""
    return f"`{call.op}`" if call.is_module else f"`F.{call.op}`"


def definition_of(walked: Walked, call: Call) -> tuple[tuple[Site, ...], str]:
    """The definition sites and the class of the layer behind a call. For a function
    that uses a layer's weight, those of that layer."""
    if call.definition:
        return call.definition, call.module_class
    for name in call.params:
        param = walked.params.get(name)
        owner = param.module_path if param is not None else ""
        sites = walked.definitions.get(owner)
        if sites:
            return sites, walked.classes.get(owner, "")
    return (), call.module_class


def find_constructor_call(walked: Walked, call: Call) -> CallExpression | None:
    """The expression in the user's file that made the layer, if its arguments can be
    identified."""
    sites, class_name = definition_of(walked, call)
    return layer_call(sites, class_name, walked.texts)


def span_of_argument(
    made: CallExpression | None, position: int, *names: str
) -> Span | None:
    """The place of a constructor argument; None if it cannot be identified."""
    written = made.argument(position, *names) if made is not None else None
    if made is None or written is None:
        return None
    return made.span(written)


def locate(
    draft: Draft,
    walked: Walked,
    trace: Trace,
    call: Call,
    span: Span | None = None,
) -> Diagnostic:
    """Place a draft at `span`, or else at the definition of its layer, or else at the
    call. Adds layer and trail."""
    sites, _ = definition_of(walked, call)
    texts = walked.texts
    definition = _span(sites[0] if sites else None, texts)
    called = _span(call.site, texts)
    primary = span or definition or called
    makers = _find_further_makers(sites, primary, texts) if call.definition else ()
    whole = replace(
        draft,
        layer=call.layer,
        related=draft.related + makers,
        trail=trail_to(trace, call),
    )
    if primary is not None and called is not None and called.line == primary.line:
        called = None  # one line is shown once
    return whole.at(primary, called, NoPlace.NO_SOURCE)


def _find_further_makers(
    sites: tuple[Site, ...], shown: Span | None, texts: Texts
) -> tuple[Related, ...]:
    """The next two calls outside the one that made a layer. A third would lead past the
    helper or block, into the model itself."""
    taken = (shown.file, shown.line) if shown is not None else None
    outer = [site for site in sites[1:3] if (site.file, site.line) != taken]
    return tuple(Related(span_of(site, texts), "made from") for site in outer)


def place_at_call(draft: Draft, walked: Walked, trace: Trace, call: Call) -> Diagnostic:
    """Place a draft at the user's expression that made the call. Adds layer and
    trail."""
    span = _span(call.site, walked.texts)
    whole = replace(draft, layer=call.layer, trail=trail_to(trace, call))
    return whole.at(span, otherwise=NoPlace.NO_SOURCE)


def _span(site: Site | None, texts: Texts) -> Span | None:
    return span_of(site, texts) if site is not None else None


def call_expression(walked: Walked, call: Call) -> CallExpression | None:
    """The user's expression that made the call."""
    return call_at(call.site, walked.texts)


def finding_at_layer(
    walked: Walked,
    trace: Trace,
    call: Call,
    draft: Draft,
    candidates: Iterable[Candidate],
    argument: Span | None = None,
) -> Finding:
    """Build a finding at an argument of the layer's constructor, or else at the layer's
    definition."""
    placed = locate(draft, walked, trace, call, argument)
    return Finding(placed, trace.mode, call.index, tuple(candidates))


def finding_at_call(
    walked: Walked,
    trace: Trace,
    call: Call,
    draft: Draft,
    candidates: Iterable[Candidate],
) -> Finding:
    """Build a finding at the user's expression that made the call."""
    placed = place_at_call(draft, walked, trace, call)
    return Finding(placed, trace.mode, call.index, tuple(candidates))


def finding_at(
    walked: Walked,
    trace: Trace,
    call: Call,
    draft: Draft,
    candidates: Iterable[Candidate],
) -> Finding:
    """Build a finding at the definition of a layer, or, for any other op, at its
    call."""
    place = finding_at_layer if call.is_module else finding_at_call
    return place(walked, trace, call, draft, candidates)
