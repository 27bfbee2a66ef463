"""The rules: one file each, registered by being there.

A rule looks at what was walked (plain data, no torch) and yields findings. Its docstring is its page,
its examples are its tests.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

from shapelint.diagnostics import Diagnostic, Edit, Severity
from shapelint.errors import UsageError
from shapelint.graph import Walked


@dataclass(frozen=True)
class Example:
    """A model file a person could have written, and what to feed it.

    `raises`: how the exception of eager begins, in the forward; not before the backward if `backward` is true, and
    only once the model was moved to another device if `moved` is.
    """

    source: str
    inputs: tuple[str, ...]
    target: str = "Net"
    raises: str = ""
    backward: bool = False
    moved: bool = False


@dataclass(frozen=True)
class Candidate:
    """A change that might mend a finding; shown only if it does.

    Of the candidates of one `group` only the first that holds is shown. `inputs` asks for other inputs
    instead of an edit. `layer` is the one whose parameters the cost speaks of. `likely`: how natural the
    change is before anything is tried; the likeliest that holds is taken for the cause. `says`: what the
    place of the change has to do with it.
    """

    title: str
    edits: tuple[Edit, ...] = ()
    layer: str = ""
    group: str = ""
    inputs: tuple[str, ...] = ()
    likely: float = 0.0
    says: str = ""


@dataclass(frozen=True)
class Finding:
    """A diagnostic, the call it is about (mode and index), and the changes that might mend it.

    `layers`: every layer that shows the same bug at the same place.
    """

    diagnostic: Diagnostic
    mode: str = ""
    call: int | None = None
    candidates: tuple[Candidate, ...] = ()
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All rules by code."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def matching(self, word: str) -> list[Rule]:
        """The rules a code, a prefix of codes or a name stands for.

        Raises:
            UsageError: nothing matches.
        """
        wanted = word.strip()
        if wanted.upper() == "ALL":
            return list(self.rules.values())
        found = [
            rule
            for rule in self.rules.values()
            if rule.name == wanted.lower()
            or (wanted.upper().startswith("SHP") and rule.code.startswith(wanted.upper()))
        ]
        if not found:
            words = [*self.rules, *(rule.name for rule in self.rules.values())]
            close = difflib.get_close_matches(wanted, words, n=1, cutoff=0.5)
            close = close or difflib.get_close_matches(wanted.upper(), words, n=1, cutoff=0.5)
            hint = f" (did you mean `{close[0]}`?)" if close else "; `shapelint rule --all` lists them"
            raise UsageError(f"no rule `{word}`{hint}")
        return found

    def selection(self, select: Iterable[str], ignore: Iterable[str]) -> set[str]:
        """Codes that are on. As in ruff, the more specific word wins, and `ignore` wins a tie.

        Raises:
            UsageError: a word matches no rule.
        """
        selected, ignored = list(select), list(ignore)
        weights: dict[str, tuple[int, bool]] = {}
        for word in selected:
            for rule in self.matching(word):
                weights[rule.code] = max(weights.get(rule.code, (0, True)), (_precision(word), True))
        if not selected:
            weights = dict.fromkeys(self.rules, (0, True))
        for word in ignored:
            for rule in self.matching(word):
                if rule.code in weights and _precision(word) >= weights[rule.code][0]:
                    weights[rule.code] = (_precision(word), False)
        return {code for code, (_, on) in weights.items() if on}


def _precision(word: str) -> int:
    return 0 if word.strip().upper() == "ALL" else (len(word.strip()) if word.upper().startswith("SHP") else 6)


class Rule:
    """One rule. Subclasses set the class variables and write `check`; the docstring is the rule's page."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    supersedes: ClassVar[tuple[str, ...]] = ()
    bad: ClassVar[Example | None] = None
    good: ClassVar[Example | None] = None

    def check(self, walked: Walked) -> Iterator[Finding]:
        """What this rule finds in a walked target."""
        raise NotImplementedError

    def diagnostic(self, message: str, severity: Severity | None = None) -> Diagnostic:
        """A diagnostic of this rule."""
        return Diagnostic(self.code, self.name, severity or self.severity, message)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Every rule, found by importing every module of every family.

    Raises:
        ValueError: two rules share a code or a name.
    """
    rules: dict[str, Rule] = {}
    for family in pkgutil.iter_modules(__path__):
        if not family.ispkg:
            continue
        package = importlib.import_module(f"{__name__}.{family.name}")
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            for value in vars(loaded).values():
                if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == loaded.__name__:
                    rule = value()
                    taken = {known.name for known in rules.values()}
                    if rule.code in rules or rule.name in taken:
                        raise ValueError(f"rule {rule.code} {rule.name} is registered twice")
                    rules[rule.code] = rule
    return Catalogue(dict(sorted(rules.items())))


def run_rules(walked: Walked, selected: set[str]) -> list[Finding]:
    """The findings of all selected rules: superseded ones dropped, those of both modes merged."""
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
    """Whether a wrong count of features only comes of a map that had no room earlier on the way."""
    if finding.call is None or finding.diagnostic.code not in ("SHP101", "SHP107"):
        return False
    trace = walked.traces[finding.mode]
    way = {step.index for step in trace.way_to(trace.calls[finding.call])}
    return any(
        other.diagnostic.code == "SHP111" and other.mode == finding.mode and other.call in way for other in others
    )


def _merged(findings: list[Finding], modes: tuple[str, ...]) -> list[Finding]:
    """One finding for one bug, whether both modes or several calls of the same layer show it."""
    first: dict[tuple[str, ...], Finding] = {}
    seen_in: dict[tuple[str, ...], list[str]] = {}
    layers: dict[tuple[str, ...], list[str]] = {}
    for finding in findings:
        diagnostic = finding.diagnostic
        place = diagnostic.span or diagnostic.called_at
        key: tuple[str, ...] = (
            diagnostic.code,
            str(place),
            str(diagnostic.related),  # a helper's line called from two places is two bugs
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
            diagnostic = replace(diagnostic, notes=(*diagnostic.notes, f"only in {seen[0]} mode"))
        if len(layers[key]) > 1:
            others = ", ".join(layers[key][1:4]) + (", ..." if len(layers[key]) > 4 else "")
            diagnostic = replace(diagnostic, notes=(*diagnostic.notes, f"the same here: {others}"))
        merged.append(replace(finding, diagnostic=diagnostic, layers=tuple(layers[key])))
    return merged
