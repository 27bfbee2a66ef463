"""Verifies a change: applies it to a copy of the files, loads the model again and walks
it again."""

from __future__ import annotations

from dataclasses import replace

from shapelint.changes.first_layers import lacks_batch
from shapelint.facts.diagnostics import Diagnostic, Fix, Severity
from shapelint.facts.findings import Candidate, ChangeKind, Finding
from shapelint.facts.graph import Key, Trace
from shapelint.facts.kinds import Mode, Safety
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
    has_batch_second,
    keeps_samples_apart,
    outputs_grow,
)
from shapelint.fixes.trained_weights import describe_cost, have_same_weights
from shapelint.fixes.trials import Traces, Trials
from shapelint.loading.model_inputs import specs_of
from shapelint.loading.not_loadable import NoTimeToLoadError
from shapelint.loading.walkable import Walkable

OTHER_SIZES = "other sizes too"
"""Added to the cost of a fix after which larger images also fit."""

OTHERS_STAY = "other findings stay"
"""The cost of an input with which this finding is gone but others are not."""

MOST_WORK_FOR_SIZES = 1e9
"""Larger images are tried only for models whose walk has at most this many mult-adds.
Not in seconds, so that every run gives the same result."""


class Verifier(Trials):
    """Verifies changes to one target."""

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

    # -- a change as a fix -------------------------------------------------------------

    def _try(self, finding: Finding, candidate: Candidate) -> Fix | None:
        changed = self.change(candidate)
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
        others_stay = any(trace.failure_count for trace in traces.values())
        if others_stay:
            cost += f"; {OTHERS_STAY}"
        keeps_meaning = self._computes_same(traces) and self._keeps_meaning(traces)
        is_safe = keeps and keeps_meaning and self._takes_a_batch(changed)
        return Fix(
            candidate.title,
            Safety.SAFE if is_safe else Safety.UNSAFE,
            True,
            candidate.edits,
            cost,
            fits_other_sizes=fits_other_sizes,
            others_stay=others_stay,
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
        before = self.original_with_more(mode)
        if failures_of(before).keys() - failures_of(was).keys():
            return True
        after = self.walk_with_more(changed, mode)
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
        return bool(batched) and self.runs_with(changed, batched)

    def _fits_other_sizes(self, changed: Walkable) -> bool:
        """Whether the changed model takes larger images too. Not tried if there are no
        images or a walk is expensive."""
        trace = next(iter(self.walked.traces.values()))
        specs = self.original.inputs.specs
        larger = tuple(enlarge(spec) for spec in specs)
        work = sum(call.mult_adds for call in trace.calls)
        if larger == specs or work > MOST_WORK_FOR_SIZES:
            return False
        return self.runs_with(changed, larger)

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
        screened = self.screened.get(name)
        traces: Traces = {}
        for mode in self.walked.traces:
            if screened is not None and mode == finding.mode:
                traces[mode] = screened
            else:
                traces[mode] = self.walk_to_end(changed, mode)
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


def _is_much_better(after: Diagnostic, before: Diagnostic) -> bool:
    """Whether a remaining finding is much better than before: less severe, or with at
    most half the size."""
    if after.severity.rank > before.severity.rank:
        return True
    now, was = after.found, before.found
    if not now or not was or not now.isdigit() or not was.isdigit():
        return False
    return int(now) * 2 <= int(was)
