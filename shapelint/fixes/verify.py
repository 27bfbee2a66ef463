"""A candidate is applied to a copy, the model loaded again and walked again; only what
then holds is shown."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch.nn.parameter import is_lazy

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.asked.target import Target
from shapelint.changes.other_inputs import unbatched_note
from shapelint.facts.diagnostics import Diagnostic, Fix, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.facts.graph import Call, Key, Shape, Trace, Walked
from shapelint.facts.kinds import Mode, Safety
from shapelint.loading.model import Loaded, load
from shapelint.loading.model_inputs import Feed, from_specs, specs_of
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.edits import try_edits
from shapelint.syntax.texts import Texts
from shapelint.tracing.members import modules_of
from shapelint.tracing.walk import never, param_facts

Failures = Counter[Key]
"""Failed calls by their keys; a walk that ended outside of any call counts under
`RAISED`."""

OTHER_SIZES = "other sizes too"
"""Said of a fix with which larger images fit as well."""

OTHERS_STAY = "other findings stay"
"""Said of an input with which the one finding is gone."""

ASKED_BELOW = 1e9
"""Mult-adds of a walk up to which it is found out; not seconds, so that each run says
the same."""

TRIAL = 25
"""What the import of an edited file costs, in calls of a walk."""

RAISED: Key = ("", "raised", 0)


def failures_of(trace: Trace) -> Failures:
    """What failed in a walk."""
    found = Counter(call.key for call in trace.failures)
    if trace.raised is not None and trace.raised.call is None:
        found[RAISED] += 1
    return found


def _of_layer(failures: Failures, layer: str, op: str) -> int:
    return sum(
        count
        for (where, what, _), count in failures.items()
        if (where, what) == (layer, op)
    )


def improved(before: Trace, after: Trace, key: Key) -> bool:
    """Whether a failure is gone and nothing else fails that did not; beyond the end of
    the first walk it may."""
    was, now = failures_of(before), failures_of(after)
    if (
        now[key] >= was[key]
        or after.given_up
        or _moved(before, after, key)
        or _spreads(after, key)
    ):
        return False
    if before.raised is None:
        return now.total() < was.total() and all(
            now[other] <= was[other] for other in now
        )
    further = after.raised is None or len(after.calls) > len(before.calls)
    return further and all(now[other] <= was[other] for other in was)


def _moved(before: Trace, after: Trace, key: Key) -> bool:
    """Whether the same call fails on the same shapes under another name: two layers
    exchanged, nothing mended."""
    failed = next(
        (_signature(call) for call in before.failures if call.key == key), None
    )
    counts = [
        sum(_signature(call) == failed for call in trace.failures)
        for trace in (before, after)
    ]
    return failed is not None and counts[1] >= counts[0]


def _spreads(after: Trace, key: Key) -> bool:
    """Whether a loss now runs, but over every pair of predictions and targets, because
    one was broadcast."""
    call = next((call for call in after.calls if call.key == key), None)
    losses = (
        "mse_loss",
        "l1_loss",
        "smooth_l1_loss",
        "huber_loss",
        "MSELoss",
        "L1Loss",
        "SmoothL1Loss",
        "HuberLoss",
    )
    return (
        call is not None
        and call.op in losses
        and len({fact.shape for fact in call.inputs[:2]}) > 1
    )


def _signature(call: Call) -> tuple[str, tuple[Shape, ...]]:
    return (
        call.op,
        tuple(fact.shape for fact in call.failure.tensors)
        if call.failure is not None
        else (),
    )


@dataclass
class Verifier:
    """Tries candidates for one target until `deadline` (monotonic seconds)."""

    target: Target
    loaded: Loaded
    feed: Feed
    walked: Walked
    deadline: float
    walk: Callable[[Loaded, Feed, float], dict[Mode, Trace]]
    walk_until: Callable[[Loaded, Feed, float, Mode, Callable[[Key], bool]], Trace]
    findings_of: Callable[[Loaded, dict[Mode, Trace]], list[Finding]]
    work: int = 0
    """What trials have cost so far, those of earlier passes too: calls walked and
    modules made, and a flat sum for each; not seconds, so that each run tries the
    same."""
    tried: int = 0
    _screened: dict[object, Trace | None] = field(default_factory=dict)

    def screen(self, candidate: Candidate, mode: Mode, key: Key) -> Trace | None:
        """The walk in one mode after a change; None where it cannot be tried, or does
        not mend the failure `key`."""
        name = (candidate.edits, candidate.inputs, mode, key)
        if name not in self._screened:
            self.tried += 1
            before = self.walked.traces[mode]
            was = failures_of(before)

            def unwanted(failed: Key) -> bool:
                return failed == key or (failed not in was and before.raised is None)

            try:
                self.work += TRIAL
                changed, feed = self._changed(candidate)
                self.work += sum(1 for _ in modules_of(changed.model))
                after = self.walk_until(changed, feed, self.deadline, mode, unwanted)
                self.work += after.work
                self._screened[name] = after if improved(before, after, key) else None
            except Exception:  # a change that cannot even be tried is not one to show
                self._screened[name] = None
        return self._screened[name]

    def fix(self, finding: Finding, candidate: Candidate) -> Fix | None:
        """The candidate as a fix, if the finding is gone in every mode and nothing new
        fails."""
        try:
            return self._try(finding, candidate)
        except Exception:  # as above
            return None

    def _changed(self, candidate: Candidate) -> tuple[Loaded, Feed]:
        if candidate.inputs:
            return self.loaded, from_specs(parse_inputs(candidate.inputs))
        texts = trial_texts(self.walked.texts, candidate)
        if texts is None:
            raise ValueError("the edits do not fit the file")
        return load(self.target, texts, trial=True), self.feed

    def _try(self, finding: Finding, candidate: Candidate) -> Fix | None:
        changed, feed = self._changed(candidate)
        traces = self._traces(finding, candidate, changed, feed)
        if not self._holds(finding, traces, None if candidate.inputs else changed):
            return None
        if candidate.inputs:
            return self._of_input(candidate, traces)
        keeps = _same_weights(self.loaded.model, changed.model)
        cost = self._cost(candidate.layer, changed.model, keeps)
        if self._fits_other_sizes(changed):
            cost += f"; {OTHER_SIZES}"
        working = {
            mode: trace
            for mode, trace in self.walked.traces.items()
            if not trace.failure_count
        }
        same = all(
            _computed(trace) == _computed(traces[mode])
            for mode, trace in working.items()
        )
        safe = keeps and same and self._takes_a_batch(changed)
        return Fix(
            candidate.title,
            Safety.SAFE if safe else Safety.UNSAFE,
            True,
            candidate.edits,
            cost,
        )

    def _takes_a_batch(self, changed: Loaded) -> bool:
        """Whether the changed model runs with a batch too, where it was fed a single
        sample: it may be forgotten."""
        mode, trace = next(reversed(self.walked.traces.items()))
        if not unbatched_note(trace):
            return True
        batched = tuple(
            replace(spec, shape=(1, *spec.shape)) for spec in specs_of(self.feed)
        )
        after = self.walk_until(
            changed, from_specs(batched), self.deadline, mode, lambda _: True
        )
        return bool(batched) and not after.failure_count and not after.given_up

    def _of_input(self, candidate: Candidate, traces: dict[Mode, Trace]) -> Fix:
        """An input to give instead. The model may run with it, and still have errors
        that no input shows."""
        runs = not any(
            trace.failure_count or trace.given_up for trace in traces.values()
        )
        after = self.findings_of(self.loaded, traces) if runs else []
        clean = runs and not any(
            item.diagnostic.severity is Severity.ERROR for item in after
        )
        cost = "clean" if clean else OTHERS_STAY
        return Fix(candidate.title, Safety.SAFE, True, (), cost, candidate.inputs, runs)

    def _traces(
        self, finding: Finding, candidate: Candidate, changed: Loaded, feed: Feed
    ) -> dict[Mode, Trace]:
        """The walk in every mode after a change; that in which it was screened is not
        walked again."""
        known = self._screened.get(
            (candidate.edits, candidate.inputs, finding.mode, self.key_of(finding))
        )
        if known is None:
            return self.walk(changed, feed, self.deadline)
        others = [mode for mode in self.walked.traces if mode != finding.mode]
        traces = {
            mode: self.walk_until(changed, feed, self.deadline, mode, never)
            for mode in others
        }
        return {mode: traces.get(mode, known) for mode in self.walked.traces}

    def _fits_other_sizes(self, changed: Loaded) -> bool:
        """Whether the changed model takes larger images too; not asked of models
        without, or that take their time."""
        trace = next(iter(self.walked.traces.values()))
        specs = tuple(_enlarged(spec) for spec in self.feed.specs)
        work = sum(call.mult_adds for call in trace.calls)
        if specs == self.feed.specs or work > ASKED_BELOW or out_of_time(self.deadline):
            return False
        mode = next(reversed(self.walked.traces))
        after = self.walk_until(
            changed, from_specs(specs), self.deadline, mode, lambda _: True
        )
        return after.failure_count == 0 and not after.given_up

    def _holds(
        self, finding: Finding, traces: dict[Mode, Trace], changed: Loaded | None
    ) -> bool:
        """The place is clean in every mode, and nothing new fails anywhere."""
        key = self.key_of(finding)
        if key is None:
            return self._finding_gone(finding, traces, changed)
        layers = finding.layers if key != RAISED else ("",)
        for mode, before in self.walked.traces.items():
            was, now = failures_of(before), failures_of(traces[mode])
            if not was[key]:
                if before.raised is None and any(
                    now[other] > was[other] for other in now
                ):
                    return False
            elif not improved(before, traces[mode], key):
                return False
            broken = [layer for layer in layers if _of_layer(was, layer, key[1])]
            if any(
                _of_layer(now, layer, key[1]) >= _of_layer(was, layer, key[1])
                for layer in broken
            ):
                return False
        return True

    def key_of(self, finding: Finding) -> Key | None:
        """What a finding is about, as the failures of a walk are counted; None where it
        is not about one."""
        if (
            finding.mode not in self.walked.traces
            or finding.diagnostic.severity != Severity.ERROR
        ):
            return None
        trace = self.walked.trace_of(finding.mode)
        if finding.call is None:
            return (
                RAISED
                if trace.raised is not None and trace.raised.call is None
                else None
            )
        call = trace.calls[finding.call]
        return call.key if call.failure is not None else None

    def _finding_gone(
        self, finding: Finding, traces: dict[Mode, Trace], changed: Loaded | None
    ) -> bool:
        if any(trace.failure_count for trace in traces.values()):
            return False
        code, layer = finding.diagnostic.code, finding.diagnostic.layer
        after = self.findings_of(changed or self.loaded, traces)
        return not any(
            other.diagnostic.code == code
            and other.diagnostic.layer == layer
            and not _much_better(other.diagnostic, finding.diagnostic)
            for other in after
        )

    def _cost(self, layer: str, changed: torch.nn.Module, keeps: bool) -> str:
        if keeps:
            return "keeps trained weights"
        models = (self.loaded.model, changed)
        if (
            len(
                {
                    type(model.get_submodule(layer))
                    for model in models
                    if layer in dict(modules_of(model))
                }
            )
            > 1
        ):
            layer = ""  # something was put in before it, and the names moved on
        before, after = (_params_below(model, layer) for model in models)
        if before == after:
            return f"{after:,} parameters; new weights"
        return f"{after:,} parameters instead of {before:,}; new weights"


def _enlarged(spec: TensorSpec) -> TensorSpec:
    """An image half as large again, in multiples of what models halve it by; anything
    else as it is."""
    if len(spec.shape) not in (4, 5) or min(spec.shape[2:]) < 16:
        return spec
    return replace(
        spec,
        shape=(
            *spec.shape[:2],
            *(side + 32 * max(1, side // 64) for side in spec.shape[2:]),
        ),
    )


def _computed(trace: Trace) -> list[object]:
    """What a walk computes, step by step; where it is written and on which device is
    left out."""
    left_out = ("inplace", "_inplace", "device")
    return [
        (
            call.op,
            call.layer,
            [fact.shape for fact in call.outputs],
            {
                name: value
                for name, value in {**call.attributes, **call.kwargs}.items()
                if name not in left_out
            },
            call.args,
            call.training,
        )
        for call in trace.calls
    ]


def out_of_time(deadline: float) -> bool:
    """Whether it is later than `deadline` (monotonic seconds)."""
    return time.monotonic() > deadline


def _much_better(after: Diagnostic, before: Diagnostic) -> bool:
    """Whether a finding that stays is no longer the same: less severe, or half the size
    where it has one."""
    if after.severity.rank > before.severity.rank:
        return True
    sizes = [one.found for one in (after, before)]
    return all(size and size.isdigit() for size in sizes) and int(
        sizes[0] or 0
    ) * 2 <= int(sizes[1] or 0)


def trial_texts(texts: Texts, candidate: Candidate) -> Texts | None:
    """The texts with a change to try; None where it cannot be made, or is none to make.

    What a check demands is the author's word: with another condition the check holds,
    and nothing is mended."""
    if edits_a_check(candidate.edits, texts):
        return None
    return try_edits(texts, candidate.edits)


def _same_weights(before: torch.nn.Module, after: torch.nn.Module) -> bool:
    """Whether a state_dict of the one loads into the other, strictly."""
    shapes = [
        {key: tuple(value.shape) for key, value in _state(model).items()}
        for model in (before, after)
    ]
    return shapes[0] == shapes[1]


def _state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    try:
        state = model.state_dict()
    except (
        AttributeError,
        RecursionError,
    ):  # half made, or in itself: nobody ever saved it
        return {}
    return {
        key: value
        for key, value in state.items()
        if isinstance(value, torch.Tensor) and not is_lazy(value)
    }


def _params_below(model: torch.nn.Module, layer: str) -> int:
    try:
        part = model.get_submodule(layer)
    except AttributeError:
        part = model
    return sum(param.numel for param in param_facts(part).values())
