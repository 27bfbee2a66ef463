"""Searches a fix for a target that gives no model because a constructor refuses its
numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shapelint.asked.request import Walk
from shapelint.asked.target import Target
from shapelint.changes import weights
from shapelint.changes.other_places import find_earlier_assignments
from shapelint.changes.refused_numbers import change_refused_numbers
from shapelint.changes.slip_changes import is_about_super, slip_candidates
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Related
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.kinds import NoPlace, Safety
from shapelint.facts.places import Site, Span
from shapelint.fixes.cause_places import adds_line
from shapelint.fixes.searched import Searched
from shapelint.fixes.trials import TRIAL_COST, edit_for_trial, is_past
from shapelint.loading.not_loadable import NoTimeToLoadError, NotLoadableError
from shapelint.loading.walkable import count_modules, load_walkable
from shapelint.rules import catalogue
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts

TRIALS = 60
"""The most changes that are tried for one constructor."""

WORK = 20_000
"""The limit for all of them, in calls walked and modules made. Not in seconds, so that
every run tries the same."""

SHOWN = 3
"""The most fixes that are shown."""


def explain_refusal(
    request: Walk,
    target: Target,
    texts: Texts,
    error: NotLoadableError,
    deadline: float,
    searched: Searched,
) -> tuple[Diagnostic, tuple[Edit, ...]]:
    """Return the diagnostic for a target that gave no model, and the edits with which
    it gives one. `searched` is told how far the search came."""
    diagnostic = _diagnose(error)
    candidates = _list_candidates(error, texts)
    if not request.fixes or not candidates:
        return diagnostic, ()
    changes = _find_changes(request, target, texts, candidates, deadline, searched)
    related = _places_before(error.sites, texts) if error.sites else []
    if changes and error.slip is not None and is_about_super(error.slip, texts):
        diagnostic = _diagnose_init(diagnostic, error)
    if changes and not adds_line(changes[0].edits[0]):
        cause = _span_of_edit(changes[0].edits[0])
        symptom = diagnostic.span
        if symptom is not None and symptom.line != cause.line:
            related.insert(0, Related(symptom, "raises here"))
        diagnostic = replace(diagnostic, span=cause, label=changes[0].says)
    others = [each for each in related if not _is_at(each.span, diagnostic.span)]
    fixes = tuple(_fix_of(change) for change in changes)
    diagnostic = replace(diagnostic, fixes=fixes, related=tuple(others))
    return diagnostic, changes[0].edits if changes else ()


def _list_candidates(error: NotLoadableError, texts: Texts) -> list[Candidate]:
    """The corrections of a slip, or else other numbers for what was refused."""
    slips = slip_candidates(error.slip, texts)
    if slips or not error.sites:
        return slips
    return change_refused_numbers(error.sites, texts)


def _places_before(sites: tuple[Site, ...], texts: Texts) -> list[Related]:
    """The places that called the constructor, and where the names in its call got their
    values."""
    made = [Related(span_of(site, texts), "made from") for site in sites[1:3]]
    values = find_earlier_assignments(sites[0], texts)
    return [*made, *(Related(place.span, place.message) for place in values)]


def _fix_of(change: Candidate) -> Fix:
    return Fix(change.title, Safety.UNSAFE, True, change.edits, "new weights")


def _diagnose(error: NotLoadableError) -> Diagnostic:
    """A finding of the rule for the refusing layer, or else that the target cannot be
    loaded."""
    layer = error.refused_by
    rules = catalogue().rules.values()
    own = next((rule for rule in rules if layer.startswith(rule.constructors)), None)
    if own is None:
        return not_loadable(str(error), error.span, error.hint)
    reason = f": {error.reason}" if error.reason else ""
    message = f"`{layer}` cannot be made{reason}"
    return own.diagnostic(message).at(error.span, otherwise=NoPlace.NO_SOURCE)


def _diagnose_init(diagnostic: Diagnostic, error: NotLoadableError) -> Diagnostic:
    """A finding of the rule for constructors that do not run that of `nn.Module`."""
    rule = next(each for each in catalogue().rules.values() if each.is_of_init)
    owner = error.slip.home[1] if error.slip is not None else ""
    message = f"`nn.Module.__init__` has not run on `{owner}`: {error.reason}"
    return rule.diagnostic(message).at(diagnostic.span, otherwise=NoPlace.NO_SOURCE)


def _span_of_edit(edit: Edit) -> Span:
    start, end = edit.start, edit.end
    return Span(edit.file, start.line, start.column, end.line, end.column)


def _is_at(span: Span, other: Span | None) -> bool:
    """Whether two spans begin on the same line."""
    if other is None:
        return False
    return (span.file, span.line) == (other.file, other.line)


# -- the search --------------------------------------------------------------------------


def _find_changes(
    request: Walk,
    target: Target,
    texts: Texts,
    candidates: list[Candidate],
    deadline: float,
    searched: Searched,
) -> list[Candidate]:
    """Find changes with which the target gives a model, first those with which the
    model runs."""
    found: list[tuple[int, Candidate]] = []
    done: set[str] = set()
    work = 0
    for candidate in candidates[:TRIALS]:
        clean = sum(failures == 0 for failures, _ in found)
        if clean >= SHOWN:
            break
        searched.is_late = searched.is_late or is_past(deadline)
        searched.is_spent = work > WORK or searched.tried >= TRIALS
        if searched.is_late or searched.is_spent:
            break
        if candidate.group in done:
            continue
        searched.tried += 1
        try:
            trial = _try(request, target, texts, candidate)
        except NoTimeToLoadError:
            searched.is_late = True
            break
        if trial is None:
            work += TRIAL_COST
            continue
        work += trial.work
        is_guess = candidate.kind is ChangeKind.SLIP and (
            candidate.likely <= weights.SLIP_GUESSED
        )
        if is_guess and trial.failures:
            continue
        found.append((trial.failures, candidate))
        # of one place the first number with which all runs is enough
        if not trial.failures:
            done.add(candidate.group)
    return _choose_best(found)


def _choose_best(found: list[tuple[int, Candidate]]) -> list[Candidate]:
    """The changes after which the fewest calls fail, one for each place."""
    fewest = min((failures for failures, _ in found), default=0)
    best: dict[str, Candidate] = {}
    for failures, candidate in found:
        if failures == fewest:
            best.setdefault(candidate.group, candidate)
    return list(best.values())[:SHOWN]


@dataclass(frozen=True)
class _Trial:
    """The number of failing calls in the model of an edited file, and the cost of the
    trial."""

    failures: int
    work: int


def _try(
    request: Walk, target: Target, texts: Texts, candidate: Candidate
) -> _Trial | None:
    """Try a change; None if the edited file gives no model."""
    changed = edit_for_trial(texts, candidate)
    if changed is None:
        return None
    try:
        walkable = load_walkable(request, target, changed, trial=True)
        traces = walkable.walk_modes(request.modes).values()
        work = TRIAL_COST + count_modules(walkable.loaded)
        work += sum(trace.work for trace in traces)
        return _Trial(max(trace.failure_count for trace in traces), work)
    except NoTimeToLoadError:
        raise
    except Exception:  # a change that cannot be tried is not one to show
        return None
