"""Models with a change, made from a copy of the files, and their walks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.asked.target import Target
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind, Finding
from shapelint.facts.graph import Key, Trace
from shapelint.facts.kinds import Mode
from shapelint.facts.walked_target import Walked
from shapelint.fixes.failure_counts import (
    failures_of,
    is_further,
    is_improved,
)
from shapelint.fixes.more_samples import (
    MORE_SAMPLES,
)
from shapelint.fixes.searched import Searched
from shapelint.loading.model import load
from shapelint.loading.model_inputs import inputs_of
from shapelint.loading.not_loadable import NoTimeToLoadError
from shapelint.loading.walkable import Walkable, count_modules
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.edits import try_edits
from shapelint.syntax.texts import Texts
from shapelint.tracing.costs import Budget
from shapelint.tracing.failures import Unwanted
from shapelint.tracing.members import param_facts
from shapelint.tracing.walk import WalkSettings

TRIAL_COST = 25
"""The cost of importing an edited file, in calls of a walk."""

MOST_KEPT = 2_000_000
"""Models with at most this many weights are kept between the trial of a change and its
verification; larger ones are made twice."""

TRIAL_RETRIES = 1
"""How many walks each trial may spend on candidate shapes."""

Traces = dict[Mode, Trace]
"""Walks by mode."""


@dataclass
class Trials:
    """Tries changes to one target until `deadline` (monotonic seconds): makes the
    changed models, and walks them."""

    target: Target
    original: Walkable
    walked: Walked
    deadline: float
    trial_budget: Callable[[], Budget]
    """Makes the budget of each walk of a changed model."""
    find: Callable[[Walkable, Traces], list[Finding]]
    """Runs the rules on the walks of a changed model."""
    work: int = 0
    """The cost of all trials so far, including earlier looks: calls walked, modules
    made, and a fixed cost for each trial. Not in seconds, so that every run tries the
    same."""
    searched: Searched = field(default_factory=Searched)
    """How far all looks came."""
    screened: dict[object, Trace | None] = field(default_factory=dict)
    _with_more: Traces = field(default_factory=dict)
    _made: dict[tuple[Edit, ...], Walkable] = field(default_factory=dict)
    """Models with changes that cleared a failure, until they are looked at again."""

    def is_late(self) -> bool:
        """Whether the time has run out. If so, the search is marked as cut short."""
        self.searched.is_late = self.searched.is_late or is_past(self.deadline)
        return self.searched.is_late

    def is_spent(self, limit: int) -> bool:
        """Whether the trials have cost more than a limit. If so, the search is marked as
        cut short."""
        is_over = self.work > limit
        self.searched.is_spent = self.searched.is_spent or is_over
        return is_over

    def screen(self, candidate: Candidate, mode: Mode, key: Key) -> Trace | None:
        """Walk in one mode after a change. Return the trace, or None if the change
        cannot be tried or does not clear the failure `key`."""
        name = (candidate.edits, candidate.inputs, mode, key)
        if name not in self.screened:
            self.searched.tried += 1
            try:
                self.screened[name] = self._screen(candidate, mode, key)
            except NoTimeToLoadError:
                self.searched.is_late = True
                return None
            except Exception:  # a change that cannot even be tried is not one to show
                self.screened[name] = None
        return self.screened[name]

    def _screen(self, candidate: Candidate, mode: Mode, key: Key) -> Trace | None:
        before = self.walked.traces[mode]
        was = failures_of(before)

        is_solved = candidate.kind is ChangeKind.SOLVED

        def is_unwanted(failed: Key) -> bool:
            is_new = failed not in was and before.raised is None
            return failed == key or (is_new and not is_solved)

        # counted step by step, because a step may raise
        self.work += TRIAL_COST
        changed = self.change(candidate)
        self.work += count_modules(changed.loaded)
        is_small = _is_small(changed)
        after = self.walk_until(changed, mode, is_unwanted, not is_small)
        self.work += after.work
        helps = is_improved(before, after, key)
        # a mistake made several times shows itself one place at a time
        helps = helps or (is_solved and is_further(before, after, key))
        if not helps:
            return None
        if is_small and candidate.edits:
            self._made[candidate.edits] = changed
        return after

    # -- changed models ----------------------------------------------------------------

    def change(self, candidate: Candidate) -> Walkable:
        """The model and its inputs after a change."""
        if candidate.inputs:
            specs = parse_inputs(candidate.inputs)
            return Walkable(self.original.loaded, inputs_of(specs))
        made = self._made.pop(candidate.edits, None)
        if made is not None:
            return made
        texts = edit_for_trial(self.walked.texts, candidate)
        if texts is None:
            raise ValueError("the edits do not fit the file")
        loaded = load(self.target, texts, trial=True)
        return Walkable(loaded, self.original.inputs.for_texts(texts))

    # -- walks of a changed model ------------------------------------------------------

    def walk_until(
        self,
        changed: Walkable,
        mode: Mode,
        unwanted: Unwanted,
        is_disposable: bool = True,
    ) -> Trace:
        """Walk up to the first unwanted failure. A disposable model cannot be used
        again."""
        settings = WalkSettings(self.trial_budget, TRIAL_RETRIES, is_disposable)
        return changed.walk(
            mode,
            settings,
            self.walked.traces[mode].choices,
            unwanted,
        )

    def walk_to_end(self, changed: Walkable, mode: Mode) -> Trace:
        settings = WalkSettings(self.trial_budget)
        return changed.walk(mode, settings, self.walked.traces[mode].choices)

    def walk_inputs(self, specs: tuple[TensorSpec, ...], mode: Mode) -> Trace:
        """Walk the model as it is with other inputs, up to the second failure, so that
        the first is among the calls."""
        failed: list[Key] = []

        def is_second(key: Key) -> bool:
            failed.append(key)
            return len(failed) > 1

        other = replace(self.original, inputs=inputs_of(specs))
        trace = self.walk_until(other, mode, is_second)
        self.work += trace.work
        return trace

    def runs_with(self, changed: Walkable, specs: tuple[TensorSpec, ...]) -> bool:
        """Whether no call fails in the last mode with other inputs."""
        # eval, where both were walked: in train mode a batch of one may be refused
        mode = next(reversed(self.walked.traces))
        other = replace(changed, inputs=inputs_of(specs))
        after = self.walk_until(other, mode, lambda _: True)
        return not after.failure_count and not after.given_up

    def original_with_more(self, mode: Mode) -> Trace:
        """The original's walk with more samples, which every fix is held against."""
        if mode not in self._with_more:
            self._with_more[mode] = self.walk_with_more(self.original, mode)
        return self._with_more[mode]

    def walk_with_more(self, walkable: Walkable, mode: Mode) -> Trace:
        batched = replace(
            walkable, inputs=walkable.inputs.with_more_samples(MORE_SAMPLES)
        )
        settings = WalkSettings(self.trial_budget)
        trace = batched.walk(mode, settings, self.walked.traces[mode].choices)
        self.work += trace.work
        return trace


def _is_small(changed: Walkable) -> bool:
    weights = param_facts(changed.loaded.model).values()
    return sum(each.numel for each in weights) <= MOST_KEPT


def is_past(deadline: float) -> bool:
    """Whether a deadline (monotonic seconds) has passed."""
    return time.monotonic() > deadline


def edit_for_trial(texts: Texts, candidate: Candidate) -> Texts | None:
    """Apply a change to the texts; None if it does not fit them or must not be made.

    A change to a checked condition must not be made: it would satisfy the check and fix
    nothing."""
    if edits_a_check(candidate.edits, texts):
        return None
    return try_edits(texts, candidate.edits)
