"""Merges the findings of all rules, of both modes and of several looks, so that each
bug gives one finding."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.findings import Finding
from shapelint.facts.kinds import Mode, Route
from shapelint.facts.walked_target import Walked
from shapelint.fixes.mended_copy import MendedCopy
from shapelint.rules import catalogue

_OTHERS_NAMED = 3
"""How many further layers with the same bug are named. There may be dozens."""


def run_rules(walked: Walked, selected: set[str]) -> list[Finding]:
    """The findings of the selected rules, without superseded ones, and with those of
    both modes merged."""
    rules = catalogue().rules
    found = [finding for rule in rules.values() for finding in rule.check(walked)]
    kept = [finding for finding in found if not _is_superseded(finding, found)]
    kept = [finding for finding in kept if not _follows(finding, kept, walked)]
    merged = _merge_modes(kept, walked)
    return [finding for finding in merged if finding.diagnostic.code in selected]


def _is_superseded(finding: Finding, others: list[Finding]) -> bool:
    """Whether another rule with a finding at the same call supersedes this one's."""
    if finding.call is None:
        return False
    rules, code = catalogue().rules, finding.diagnostic.code
    in_mode = [other for other in others if other.mode == finding.mode]
    at_call = [other for other in in_mode if other.call == finding.call]
    return any(code in rules[other.diagnostic.code].supersedes for other in at_call)


def _follows(finding: Finding, others: list[Finding], walked: Walked) -> bool:
    """Whether a finding is only the consequence of an earlier one on the way to its
    call, such as a wrong number of features after a window without room."""
    causes = catalogue().rules[finding.diagnostic.code].follows
    if finding.call is None or not causes:
        return False
    trace = walked.trace_of(finding.mode)
    way = {step.index for step in trace.way_to(trace.calls[finding.call])}
    in_mode = [other for other in others if other.mode == finding.mode]
    earlier = [other for other in in_mode if other.call in way]
    return any(other.diagnostic.code in causes for other in earlier)


NOT_IN_KERNEL = "not in eval mode without gradients, where torch takes its fused path"

_ON_ROUTES = {
    Route.FUSED: "only in eval mode without gradients, where torch takes its fused path",
    Route.PARTS: f"only with gradients: {NOT_IN_KERNEL}",
}
"""When a finding occurs that is about one way of computing attention."""


@dataclass
class _Bug:
    """The first finding of a bug, and all modes and layers that show it."""

    first: Finding
    modes: list[Mode] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    routes: set[Route] = field(default_factory=set)

    def add(self, finding: Finding, route: Route) -> None:
        self.routes.add(route)
        layer = finding.diagnostic.layer
        if layer not in self.layers:
            self.layers.append(layer)
        if finding.mode and finding.mode not in self.modes:
            self.modes.append(finding.mode)

    def merge(self, is_in_several_modes: bool) -> Finding:
        """Merge all into one finding. `is_in_several_modes`: the model was walked in
        more than one mode."""
        notes = list(self.first.diagnostic.notes)
        is_in_one = is_in_several_modes and len(self.modes) == 1
        if Route.EVERY not in self.routes and len(self.routes) == 1:
            notes.append(_ON_ROUTES[next(iter(self.routes))])
        elif Route.PARTS in self.routes:
            notes.append(NOT_IN_KERNEL)
        elif is_in_one:
            notes.append(f"only in {self.modes[0]} mode")
        others = self.layers[1:]
        if others:
            more = ["..."] if len(others) > _OTHERS_NAMED else []
            named = ", ".join([*others[:_OTHERS_NAMED], *more])
            notes.append(f"the same here: {named}")
        diagnostic = replace(
            self.first.diagnostic,
            modes=tuple(self.modes),
            notes=tuple(notes),
            at_call=self.first.call,
        )
        return replace(self.first, diagnostic=diagnostic, layers=tuple(self.layers))


def _merge_modes(findings: list[Finding], walked: Walked) -> list[Finding]:
    """Merge the findings of each bug, in both modes or in several calls of a layer."""
    bugs: dict[tuple[str, ...], _Bug] = {}
    for finding in findings:
        bug = bugs.setdefault(_identity(finding.diagnostic), _Bug(finding))
        bug.add(finding, _route_of(finding, walked))
    return [bug.merge(len(walked.traces) > 1) for bug in bugs.values()]


def _route_of(finding: Finding, walked: Walked) -> Route:
    """The way of computing attention that fails, if a finding is about one."""
    if finding.call is None:
        return Route.EVERY
    failure = walked.trace_of(finding.mode).calls[finding.call].failure
    return failure.route if failure is not None else Route.EVERY


def _identity(diagnostic: Diagnostic) -> tuple[str, ...]:
    """The key that all findings of one bug share: their place; without a place, the
    layer and the message."""
    place = diagnostic.place
    # a helper's line called from two places is two bugs
    related = str(diagnostic.related)
    said = "" if place else diagnostic.layer + diagnostic.message
    return diagnostic.code, str(place), related, said


def merge_looks(
    earlier: list[Diagnostic],
    waiting: list[Diagnostic],
    later: list[Diagnostic],
    copy: MendedCopy,
    is_first_walk: bool = False,
    is_sure: bool = True,
) -> list[Diagnostic]:
    """Merge the findings of the looks so far with those of the next look, at a fixed
    copy.

    An error seen only after fixing another one counts if an edit fixes it; otherwise it
    may be a consequence. `waiting`: findings seen earlier and left to this look.
    `is_first_walk`: no earlier look could walk the model. `is_sure`: the copy was
    fixed as the user would."""
    known = {(item.code, item.span, item.message) for item in earlier}
    seen = {(item.code, item.layer) for item in waiting}
    found = list(earlier)
    for item in later:
        was_waiting = (item.code, item.layer) in seen
        may_be_new = is_sure and _stands_alone(item)
        if not (is_first_walk or was_waiting or may_be_new):
            continue
        placed = copy.original_diagnostic(item)
        if not was_waiting and item.severity is Severity.ERROR:
            placed = replace(placed, is_after_fix=True)
        if (item.code, placed.span, item.message) not in known:
            found.append(placed)
    return sorted(found, key=lambda item: item.sort_key)


def _stands_alone(item: Diagnostic) -> bool:
    """Whether a finding is not a consequence of another one: it is not an error, or an
    edit fixes it."""
    return item.severity is not Severity.ERROR or any(fix.edits for fix in item.fixes)
