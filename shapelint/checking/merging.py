"""The findings of all rules that are on: one for each bug."""

from __future__ import annotations

from dataclasses import replace

from shapelint.facts.findings import Finding
from shapelint.facts.graph import Walked
from shapelint.facts.kinds import Mode
from shapelint.rules import catalogue


def run_rules(walked: Walked, selected: set[str]) -> list[Finding]:
    """The findings of all selected rules: superseded ones dropped, those of both modes
    merged."""
    rules = catalogue().rules
    found = [finding for rule in rules.values() for finding in rule.check(walked)]
    kept = [finding for finding in found if not _superseded(finding, found)]
    kept = [finding for finding in kept if not _follows(finding, kept, walked)]
    merged = _merged(kept, tuple(walked.traces))
    return [finding for finding in merged if finding.diagnostic.code in selected]


def _superseded(finding: Finding, others: list[Finding]) -> bool:
    rules = catalogue().rules
    return finding.call is not None and any(
        (other.mode, other.call) == (finding.mode, finding.call)
        and finding.diagnostic.code in rules[other.diagnostic.code].supersedes
        for other in others
    )


def _follows(finding: Finding, others: list[Finding], walked: Walked) -> bool:
    """Whether a finding is only the consequence of one earlier on the way: a wrong count
    of features, of a map that had no room."""
    causes = catalogue().rules[finding.diagnostic.code].follows
    if finding.call is None or not causes:
        return False
    trace = walked.trace_of(finding.mode)
    way = {step.index for step in trace.way_to(trace.calls[finding.call])}
    return any(
        other.diagnostic.code in causes
        and other.mode == finding.mode
        and other.call in way
        for other in others
    )


def _merged(findings: list[Finding], modes: tuple[Mode, ...]) -> list[Finding]:
    """One finding for one bug, whether both modes or several calls of the same layer
    show it."""
    first: dict[tuple[str, ...], Finding] = {}
    seen_in: dict[tuple[str, ...], list[Mode]] = {}
    layers: dict[tuple[str, ...], list[str]] = {}
    for finding in findings:
        diagnostic = finding.diagnostic
        place = diagnostic.place
        key: tuple[str, ...] = (
            diagnostic.code,
            str(place),
            str(
                diagnostic.related
            ),  # a helper's line called from two places is two bugs
            "" if place else diagnostic.layer + diagnostic.message,
        )
        first.setdefault(key, finding)
        if diagnostic.layer not in layers.setdefault(key, []):
            layers[key].append(diagnostic.layer)
        if finding.mode and finding.mode not in seen_in.setdefault(key, []):
            seen_in[key].append(finding.mode)
    merged = []
    for key, finding in first.items():
        seen = tuple(seen_in.get(key, ()))
        diagnostic = replace(finding.diagnostic, modes=seen)
        if len(modes) > 1 and len(seen) == 1:
            diagnostic = replace(
                diagnostic, notes=(*diagnostic.notes, f"only in {seen[0]} mode")
            )
        if len(layers[key]) > 1:
            others = ", ".join(layers[key][1:4]) + (
                ", ..." if len(layers[key]) > 4 else ""
            )
            diagnostic = replace(
                diagnostic, notes=(*diagnostic.notes, f"the same here: {others}")
            )
        merged.append(
            replace(finding, diagnostic=diagnostic, layers=tuple(layers[key]))
        )
    return merged
