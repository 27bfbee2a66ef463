"""Verifies a change: applies it to a copy of the files, loads the model again and walks
it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.asked.target import Target
from shapelint.changes.first_layers import lacks_batch
from shapelint.facts.diagnostics import Diagnostic, Edit, Fix, Severity
from shapelint.facts.findings import Candidate, ChangeKind, Finding
from shapelint.facts.graph import Key, Trace
from shapelint.facts.kinds import Mode, Safety
from shapelint.facts.walked_target import Walked
from shapelint.fixes.computed_steps import list_computed
from shapelint.fixes.failure_counts import (
    RAISED,
    count_in_layer,
    failures_of,
    has_more,
    is_further,
    is_improved,
)
from shapelint.fixes.kept_meaning import (
    keeps_calls_before,
    keeps_windows_and_classes,
)
from shapelint.fixes.larger_images import enlarge
from shapelint.fixes.more_samples import (
    MORE_SAMPLES,
    has_batch_second,
    keeps_samples_apart,
    outputs_grow,
)
from shapelint.fixes.searched import Searched
from shapelint.fixes.trained_weights import describe_cost, have_same_weights
from shapelint.loading.model import load
from shapelint.loading.model_inputs import inputs_of, specs_of
from shapelint.loading.not_loadable import NoTimeToLoadError
from shapelint.loading.walkable import Walkable, count_modules
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.edits import try_edits
from shapelint.syntax.texts import Texts
from shapelint.tracing.costs import Budget
from shapelint.tracing.failures import Unwanted
from shapelint.tracing.members import param_facts
from shapelint.tracing.walk import WalkSettings

OTHER_SIZES = "other sizes too"
"""Added to the cost of a fix after which larger images also fit."""

OTHERS_STAY = "other findings stay"
"""The cost of an input with which this finding is gone but others are not."""

MOST_WORK_FOR_SIZES = 1e9
"""Larger images are tried only for models whose walk has at most this many mult-adds.
Not in seconds, so that every run gives the same result."""

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
class Verifier:
    """Tries changes to one target until `deadline` (monotonic seconds)."""

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
    _screened: dict[object, Trace | None] = field(default_factory=dict)
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
        if name not in self._screened:
            self.searched.tried += 1
            try:
                self._screened[name] = self._screen(candidate, mode, key)
            except NoTimeToLoadError:
                self.searched.is_late = True
                return None
            except Exception:  # a change that cannot even be tried is not one to show
                self._screened[name] = None
        return self._screened[name]

    def _screen(self, candidate: Candidate, mode: Mode, key: Key) -> Trace | None:
        before = self.walked.traces[mode]
        was = failures_of(before)

        is_solved = candidate.kind is ChangeKind.SOLVED

        def is_unwanted(failed: Key) -> bool:
            is_new = failed not in was and before.raised is None
            return failed == key or (is_new and not is_solved)

        # counted step by step, because a step may raise
        self.work += TRIAL_COST
        changed = self._change(candidate)
        self.work += count_modules(changed.loaded)
        is_small = _is_small(changed)
        after = self._walk_until(changed, mode, is_unwanted, not is_small)
        self.work += after.work
        helps = is_improved(before, after, key)
        # a mistake made several times shows itself one place at a time
        helps = helps or (is_solved and is_further(before, after, key))
        if not helps:
            return None
        if is_small and candidate.edits:
            self._made[candidate.edits] = changed
        return after

    def fix(self, finding: Finding, candidate: Candidate) -> Fix | None:
        """Return the change as a fix if it removes the finding in every mode and
        nothing new fails; otherwise None."""
        try:
            return self._try(finding, candidate)
        except NoTimeToLoadError:
            self.searched.is_late = True
            return None
        except Exception:  # as above
            return None

    def _change(self, candidate: Candidate) -> Walkable:
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

    def _walk_until(
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

    def _walk_to_end(self, changed: Walkable, mode: Mode) -> Trace:
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
        trace = self._walk_until(other, mode, is_second)
        self.work += trace.work
        return trace

    def _runs(self, changed: Walkable, specs: tuple[TensorSpec, ...]) -> bool:
        """Whether no call fails in the last mode with other inputs."""
        # eval, where both were walked: in train mode a batch of one may be refused
        mode = next(reversed(self.walked.traces))
        other = replace(changed, inputs=inputs_of(specs))
        after = self._walk_until(other, mode, lambda _: True)
        return not after.failure_count and not after.given_up

    # -- a change as a fix -------------------------------------------------------------

    def _try(self, finding: Finding, candidate: Candidate) -> Fix | None:
        changed = self._change(candidate)
        traces = self._traces(finding, candidate, changed)
        is_solved = candidate.kind is ChangeKind.SOLVED
        if not self._holds(finding, traces, changed, is_solved):
            return None
        if candidate.inputs:
            return self._fix_of_input(candidate, changed, traces)
        if not self._follows_batch(finding, changed, traces):
            return None
        models = (self.original.loaded.model, changed.loaded.model)
        keeps = have_same_weights(*models)
        cost = describe_cost(*models, candidate.layer, keeps)
        fits_other_sizes = self._fits_other_sizes(changed)
        if fits_other_sizes:
            cost += f"; {OTHER_SIZES}"
        keeps_meaning = self._computes_same(traces) and self._keeps_meaning(traces)
        is_safe = keeps and keeps_meaning and self._takes_a_batch(changed)
        return Fix(
            candidate.title,
            Safety.SAFE if is_safe else Safety.UNSAFE,
            True,
            candidate.edits,
            cost,
            fits_other_sizes=fits_other_sizes,
        )

    def _follows_batch(
        self, finding: Finding, changed: Walkable, traces: Traces
    ) -> bool:
        """Whether the change holds with more samples too, and the outputs grow with
        them.

        Nothing is asked of a model whose first dimension is no batch: one in which
        other calls fail with more of it, as it lies."""
        mode = finding.mode
        if mode is None or self.key_of(finding) is None:
            return True
        was = self.walked.traces[mode]
        before = self._original_with_more(mode)
        if failures_of(before).keys() - failures_of(was).keys():
            return True
        after = self._walk_with_more(changed, mode)
        now = traces[mode]
        if has_more(failures_of(after), failures_of(now)):
            return False
        if after.failure_count:
            return True
        if not outputs_grow((was, before), (now, after)):
            return False
        return has_batch_second(now) or self._treats_samples_alike(changed)

    def _treats_samples_alike(self, changed: Walkable) -> bool:
        """Whether equal samples give equal results, whatever another one holds; true
        where that cannot be seen."""
        equal = replace(changed, inputs=changed.inputs.with_equal_samples())
        return equal.run_inside(Mode.EVAL, keeps_samples_apart) is not False

    def _original_with_more(self, mode: Mode) -> Trace:
        """The original's walk with more samples, which every fix is held against."""
        if mode not in self._with_more:
            self._with_more[mode] = self._walk_with_more(self.original, mode)
        return self._with_more[mode]

    def _walk_with_more(self, walkable: Walkable, mode: Mode) -> Trace:
        batched = replace(
            walkable, inputs=walkable.inputs.with_more_samples(MORE_SAMPLES)
        )
        settings = WalkSettings(self.trial_budget)
        trace = batched.walk(mode, settings, self.walked.traces[mode].choices)
        self.work += trace.work
        return trace

    def _computes_same(self, traces: Traces) -> bool:
        """Whether the results of every mode that worked before are computed in the same
        way."""
        return all(
            list_computed(before) == list_computed(traces[mode])
            for mode, before in self.walked.traces.items()
            if not before.failure_count
        )

    def _keeps_meaning(self, traces: Traces) -> bool:
        """Whether windows, classes and all that ran in front of the failure are as they
        were."""
        return all(
            keeps_windows_and_classes(before, traces[mode])
            and keeps_calls_before(before, traces[mode])
            for mode, before in self.walked.traces.items()
        )

    def _takes_a_batch(self, changed: Walkable) -> bool:
        """Whether the changed model also takes a batch, if it was walked with a single
        sample. The user may have left the batch out."""
        trace = next(reversed(self.walked.traces.values()))
        if not lacks_batch(trace):
            return True
        batched = tuple(
            replace(spec, shape=(1, *spec.shape))
            for spec in specs_of(self.original.inputs)
        )
        return bool(batched) and self._runs(changed, batched)

    def _fits_other_sizes(self, changed: Walkable) -> bool:
        """Whether the changed model takes larger images too. Not tried if there are no
        images or a walk is expensive."""
        trace = next(iter(self.walked.traces.values()))
        specs = self.original.inputs.specs
        larger = tuple(enlarge(spec) for spec in specs)
        work = sum(call.mult_adds for call in trace.calls)
        if larger == specs or work > MOST_WORK_FOR_SIZES:
            return False
        return self._runs(changed, larger)

    def _fix_of_input(
        self, candidate: Candidate, changed: Walkable, traces: Traces
    ) -> Fix:
        """The fix that passes another input. Even if the model runs with it, it may
        have errors that do not depend on the input."""
        runs = not any(
            trace.failure_count or trace.given_up for trace in traces.values()
        )
        after = self.find(changed, traces) if runs else []
        errors = [item for item in after if item.diagnostic.severity is Severity.ERROR]
        is_clean = runs and not errors
        return Fix(
            candidate.title,
            Safety.SAFE,
            True,
            cost="clean" if is_clean else OTHERS_STAY,
            inputs=candidate.inputs,
            runs=runs,
            others_stay=not is_clean,
        )

    def _traces(
        self, finding: Finding, candidate: Candidate, changed: Walkable
    ) -> Traces:
        """Walk in every mode after a change. A walk from the screening is used
        again."""
        name = (candidate.edits, candidate.inputs, finding.mode, self.key_of(finding))
        screened = self._screened.get(name)
        traces: Traces = {}
        for mode in self.walked.traces:
            if screened is not None and mode == finding.mode:
                traces[mode] = screened
            else:
                traces[mode] = self._walk_to_end(changed, mode)
        return traces

    # -- whether a finding is gone -----------------------------------------------------

    def _holds(
        self, finding: Finding, traces: Traces, changed: Walkable, is_solved: bool
    ) -> bool:
        """Whether a change clears the finding in every mode, and nothing new fails; of
        a solved one, nothing before it."""
        key = self.key_of(finding)
        if key is None:
            return self._is_gone(finding, traces, changed)
        layers = finding.layers if key != RAISED else ("",)
        return all(
            self._holds_in(before, traces[mode], key, layers)
            or (is_solved and is_further(before, traces[mode], key))
            for mode, before in self.walked.traces.items()
        )

    @staticmethod
    def _holds_in(
        before: Trace, after: Trace, key: Key, layers: tuple[str, ...]
    ) -> bool:
        """The same as `_holds`, for one mode."""
        was, now = failures_of(before), failures_of(after)
        if was[key] and not is_improved(before, after, key):
            return False
        if not was[key] and before.raised is None and has_more(now, was):
            return False
        # each layer that showed the bug must show it less often
        for layer in layers:
            count = count_in_layer(was, layer, key[1])
            if count and count_in_layer(now, layer, key[1]) >= count:
                return False
        return True

    def key_of(self, finding: Finding) -> Key | None:
        """The failure that a finding is about, as a key of `Failures`; None if it is
        about none."""
        is_error = finding.diagnostic.severity is Severity.ERROR
        if finding.mode not in self.walked.traces or not is_error:
            return None
        trace = self.walked.trace_of(finding.mode)
        if finding.call is not None:
            call = trace.calls[finding.call]
            return call.key if call.failure is not None else None
        is_outside = trace.raised is not None and trace.raised.call is None
        return RAISED if is_outside else None

    def _is_gone(self, finding: Finding, traces: Traces, changed: Walkable) -> bool:
        """Whether the rules no longer report a finding that is not about a failed
        call."""
        if any(trace.failure_count for trace in traces.values()):
            return False
        code, layer = finding.diagnostic.code, finding.diagnostic.layer
        return not any(
            other.diagnostic.code == code
            and other.diagnostic.layer == layer
            and not _is_much_better(other.diagnostic, finding.diagnostic)
            for other in self.find(changed, traces)
        )


def _is_small(changed: Walkable) -> bool:
    weights = param_facts(changed.loaded.model).values()
    return sum(each.numel for each in weights) <= MOST_KEPT


def is_past(deadline: float) -> bool:
    """Whether a deadline (monotonic seconds) has passed."""
    return time.monotonic() > deadline


def _is_much_better(after: Diagnostic, before: Diagnostic) -> bool:
    """Whether a remaining finding is much better than before: less severe, or with at
    most half the size."""
    if after.severity.rank > before.severity.rank:
        return True
    now, was = after.found, before.found
    if not now or not was or not now.isdigit() or not was.isdigit():
        return False
    return int(now) * 2 <= int(was)


def edit_for_trial(texts: Texts, candidate: Candidate) -> Texts | None:
    """Apply a change to the texts; None if it does not fit them or must not be made.

    A change to a checked condition must not be made: it would satisfy the check and fix
    nothing."""
    if edits_a_check(candidate.edits, texts):
        return None
    return try_edits(texts, candidate.edits)
