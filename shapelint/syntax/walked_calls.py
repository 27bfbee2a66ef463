"""What every rule about a failed call reports in the same way: name, shapes, place and
trail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Draft, Related, TrailStep
from shapelint.facts.findings import Candidate, Finding
from shapelint.facts.graph import Call, Failure, Shape, Trace, Walked
from shapelint.facts.kinds import NoPlace
from shapelint.facts.places import Site, Span
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.spans import span_of


def failed_calls(walked: Walked, *ops: str) -> Iterator[tuple[Trace, Call, Failure]]:
    """The calls of these ops that eager refuses, in every mode; of all ops if none is
    named. `batch_norm` stands for its module too."""
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


def trail(trace: Trace, call: Call) -> tuple[TrailStep, ...]:
    """The shapes from the model's input to a call."""
    way = trace.way_to(call)
    first = (way[0] if way else call).main_input
    start = (
        (TrailStep("", "input", shape_text(first.shape)),) if first is not None else ()
    )
    steps = tuple(
        TrailStep(
            step.layer if step.is_module else "",
            step.op,
            shape_text(step.output.shape),
        )
        for step in way
        if step.output is not None
    )
    return start + steps


def name_layer(call: Call) -> str:
    """How a message names a layer, or the function that does the same: `Linear`,
    `F.linear`."""
    return f"`{call.op}`" if call.is_module else f"`F.{call.op}`"


def definition_of(walked: Walked, call: Call) -> tuple[tuple[Site, ...], str]:
    """Sites and class of the layer behind a call; for a functional op on a layer's
    weight, that layer's."""
    if call.definition:
        return call.definition, call.module_class
    for name in call.params:
        owner = walked.params[name].module_path if name in walked.params else ""
        if walked.definitions.get(owner):
            return walked.definitions[owner], walked.classes.get(owner, "")
    return (), call.module_class


def made_by(walked: Walked, call: Call) -> CallExpression | None:
    """The expression in the user's file that made the layer, where its arguments can be
    told apart."""
    sites, class_name = definition_of(walked, call)
    return layer_call(sites, class_name, walked.texts)


def span_of_argument(
    made: CallExpression | None, position: int, *names: str
) -> Span | None:
    """Where an argument of a constructor is written; None where it cannot be told
    apart."""
    written = made.argument(position, *names) if made is not None else None
    if made is None or written is None:
        return None
    return made.span(written)


def located(
    draft: Draft,
    walked: Walked,
    trace: Trace,
    call: Call,
    span: Span | None = None,
) -> Diagnostic:
    """A draft with layer and trail, at `span`, else the layer's definition, else the
    call."""
    sites, _ = definition_of(walked, call)
    texts = walked.texts
    definition = span_of(sites[0], texts) if sites else None
    called = span_of(call.site, texts) if call.site is not None else None
    primary = span or definition or called
    places = {(primary.file, primary.line)} if primary is not None else set()
    outer = [site for site in sites[1:3] if (site.file, site.line) not in places]
    related = tuple(Related(span_of(site, texts), "made from") for site in outer)
    is_same_line = (
        primary is not None and called is not None and called.line == primary.line
    )
    whole = replace(
        draft,
        layer=call.layer,
        related=draft.related + (related if call.definition else ()),
        trail=trail(trace, call),
    )
    return whole.at(primary, None if is_same_line else called, NoPlace.NO_SOURCE)


def at_call(draft: Draft, walked: Walked, trace: Trace, call: Call) -> Diagnostic:
    """A draft with layer and trail, at the user's own calling expression."""
    site = call.site
    span = span_of(site, walked.texts) if site is not None else None
    whole = replace(draft, layer=call.layer, trail=trail(trace, call))
    return whole.at(span, otherwise=NoPlace.NO_SOURCE)


def call_expression(walked: Walked, call: Call) -> CallExpression | None:
    """The user's expression that called."""
    return call_at(call.site, walked.texts)


def finding_at_layer(
    walked: Walked,
    trace: Trace,
    call: Call,
    draft: Draft,
    candidates: Iterable[Candidate],
    argument: Span | None = None,
) -> Finding:
    """The finding at the argument of the layer's constructor, else at its
    definition."""
    placed = located(draft, walked, trace, call, argument)
    return Finding(placed, trace.mode, call.index, tuple(candidates))


def finding_at_call(
    walked: Walked,
    trace: Trace,
    call: Call,
    draft: Draft,
    candidates: Iterable[Candidate],
) -> Finding:
    """The finding at the user's own calling expression."""
    placed = at_call(draft, walked, trace, call)
    return Finding(placed, trace.mode, call.index, tuple(candidates))


def finding_at(
    walked: Walked,
    trace: Trace,
    call: Call,
    draft: Draft,
    candidates: Iterable[Candidate],
) -> Finding:
    """The finding at the definition of a layer, at the call of anything else."""
    place = finding_at_layer if call.is_module else finding_at_call
    return place(walked, trace, call, draft, candidates)
