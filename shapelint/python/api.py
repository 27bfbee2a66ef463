"""The Python interface, which walks a model in the caller's own process.

torch is imported when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shapelint.asked.settings import DEFAULTS, MODES
from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import Mode, Status
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.process.runner import Worker
from shapelint.python.given import find_target, inputs_given, load_given_model
from shapelint.python.results import Report

if TYPE_CHECKING:
    import torch

    from shapelint.facts.graph import Trace
    from shapelint.facts.walked_target import Walked

    Model = torch.nn.Module | Callable[[], torch.nn.Module]

Inputs = object
"""A shape `(1, 3, 64, 64)`, a text as after `--input`, a tensor, a tuple of these, or a
dict of them by keyword. Any other value is passed on unchanged. None stands for the
model's `example_input_array`, or the comment `# shapelint: input=...` on its class."""

INSIDE = "SHAPELINT_INSIDE"
"""Set in a process that searches for fixes, so that the code it imports does not start
another one."""


@dataclass(frozen=True)
class WalkedModel:
    """One walk of a model. `graph_module` is fx's, with shapes in
    `node.meta["tensor_meta"]`."""

    trace: Trace
    walked: Walked
    model: torch.nn.Module

    @property
    def graph_module(self) -> torch.fx.GraphModule:
        """The recorded graph over the model's own modules. It computes the path that
        was walked.

        Raises:
            ValueError: the walk ended before there was a graph.
        """
        import torch

        if self.trace.graph is None:
            raise ValueError("the walk ended before there was a graph")
        return torch.fx.GraphModule(self.model, self.trace.graph)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape that each module returned, by its qualified name. If a module was
        called several times, the last shape."""
        return {
            call.layer: call.output.shape
            for call in self.trace.calls
            if call.is_module and call.output is not None
        }


def check(
    model: Model,
    inputs: Inputs = None,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    mode: str = DEFAULTS.mode,
    expect: Sequence[str] = (),
    thresholds: Mapping[str, float] | None = None,
    fixes: bool = True,
) -> Report:
    """Walk a model, or what makes one, and report what is wrong with it.

    Args:
        model: an `nn.Module`, or a class or function without arguments that returns
            one; with those, findings point at the lines where layers are made. The
            model's weights, buffers, modes and hooks are as before afterwards.
        inputs: see `Inputs`; shapes are float32.
        select: rules to use, as after `--select`.
        ignore: rules to leave out.
        mode: `train`, `eval` or `both`.
        expect: shapes that must come out, each as after `--input`.
        thresholds: of rules, by the names of their options: `head-share` (a part of the
            parameters), `head-params` and `max-params` (numbers of parameters).
        fixes: whether to try changes that might mend an error. That needs a class or
            function of a file that can be imported, and inputs that are shapes; it is
            done in a process of its own, as on the command line.

    Raises:
        UsageError: inputs, mode or a rule cannot be used.
    """
    walk = _Walk(model, inputs, mode, expect, thresholds or {})
    report = walk.report(select, ignore)
    # A process of its own imports torch again: seconds that only an error is worth.
    if fixes and any(item.severity is Severity.ERROR for item in report.diagnostics):
        report.diagnostics = walk.explain(report.diagnostics, select, ignore)
    return Report(Outcome(report))


def trace(model: Model, inputs: Inputs = None, *, mode: str = "eval") -> WalkedModel:
    """Walk a model in one mode and return its graph.

    Args:
        model: as `check` takes it.
        inputs: as `check` takes them.
        mode: `train` or `eval`.

    Raises:
        UsageError: inputs or mode cannot be used.
    """
    if mode == "both":
        raise UsageError("`trace` walks in one mode, `train` or `eval`")
    walk = _Walk(model, inputs, mode, (), {})
    return WalkedModel(
        walk.walked.traces[Mode(mode)], walk.walked, walk.walkable.loaded.model
    )


class _Walk:
    """A model walked in this process."""

    def __init__(
        self,
        model: Model,
        inputs: Inputs,
        mode: str,
        expect: Sequence[str],
        thresholds: Mapping[str, float],
    ) -> None:
        from shapelint.asked.request import Walk
        from shapelint.loading.model_inputs import find_inputs, require_fitting
        from shapelint.loading.not_loadable import NotLoadableError
        from shapelint.loading.walkable import Walkable

        if mode not in MODES:
            raise UsageError(f"`mode` is `train`, `eval` or `both`, not {mode!r}")
        modes = MODES[mode]
        self.model = model
        loaded, name = load_given_model(model)
        maker = (
            inputs_given(inputs)
            if inputs is not None
            else find_inputs(loaded, (), None)
        )
        self.walkable = Walkable(loaded, maker)
        self.request = Walk(
            name,
            modes=modes,
            thresholds={**DEFAULTS.thresholds, **thresholds},
            expect=tuple(expect),
        )
        try:
            require_fitting(loaded, maker)
        except NotLoadableError as error:
            raise UsageError(str(error)) from None
        traces = self.walkable.walk_modes(modes)
        self.walked = self.walkable.describe(self.request, traces)

    def report(self, select: Sequence[str], ignore: Sequence[str]) -> TargetReport:
        """The findings of the rules that are on."""
        from shapelint.checking.merging import run_rules
        from shapelint.checking.target_report import draw_walk, fill_report
        from shapelint.known.suppressions import silence
        from shapelint.rules import catalogue

        selected = catalogue().selection(select, ignore)
        report = TargetReport(self.request.target)
        found = [
            item.diagnostic.with_target(self.request.target)
            for item in run_rules(self.walked, selected)
        ]
        report.diagnostics = sorted(found, key=lambda item: item.sort_key)
        fill_report(report, self.walked, self.walkable, tuple(self.walked.traces))
        draw_walk(report, self.walked)
        return silence(report, {}, self.walked.texts)

    def explain(
        self, found: list[Diagnostic], select: Sequence[str], ignore: Sequence[str]
    ) -> list[Diagnostic]:
        """Return the findings at their causes with fixes, if another process can import
        the same model; otherwise return them unchanged."""
        from shapelint.rules import catalogue

        target = find_target(self.model)
        if not target or not self.walkable.inputs.specs or INSIDE in os.environ:
            return found
        inputs = tuple(spec.spelling for spec in self.walkable.inputs.specs)
        selected = tuple(sorted(catalogue().selection(select, ignore)))
        report = (
            Worker({INSIDE: "1"})
            .ask(replace(self.request, target=target, inputs=inputs, selected=selected))
            .report
        )
        seen = {(item.code, item.layer) for item in report.diagnostics}
        if report.status is Status.FAILED or any(
            (item.code, item.layer) not in seen
            for item in found
            if item.severity is Severity.ERROR
        ):
            return found
        return [item.with_target(self.request.target) for item in report.diagnostics]
