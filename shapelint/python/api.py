"""The Python interface: a model of one's own, walked where it is. torch is imported
when it is first asked for."""

from __future__ import annotations

import copy
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shapelint.asked.inputs import parse_inputs
from shapelint.asked.settings import DEFAULTS, MODES
from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import Mode, Status
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.process.runner import Worker
from shapelint.python.results import Report

if TYPE_CHECKING:
    import torch

    from shapelint.facts.graph import Trace, Walked
    from shapelint.loading.model import Loaded
    from shapelint.loading.model_inputs import InputMaker

    Model = torch.nn.Module | Callable[[], torch.nn.Module]

Inputs = Any
"""A shape `(1, 3, 64, 64)`, a text as after `--input`, a tensor, a tuple of these, or a
dict of them by keyword.

None: the model's `example_input_array`, or the comment `# shapelint: input=...` on its
class. """

INSIDE = "SHAPELINT_INSIDE"
"""Set in a process that is looking for fixes: what it imports starts no further one."""


@dataclass(frozen=True)
class WalkedModel:
    """One walk of a model. `graph_module` is fx's, with shapes in
    `node.meta["tensor_meta"]`."""

    trace: Trace
    walked: Walked
    model: torch.nn.Module

    @property
    def graph_module(self) -> torch.fx.GraphModule:
        """The recorded graph over the model's own modules; what it computes is the path
        that was walked.

        Raises:
            ValueError: the walk ended before there was a graph.
        """
        import torch

        if self.trace.graph is None:
            raise ValueError("the walk ended before there was a graph")
        return torch.fx.GraphModule(self.model, self.trace.graph)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape that each module gave, by its qualified name; of one called again,
        the last."""
        calls = (
            call
            for call in self.trace.calls
            if call.is_module and call.output is not None
        )
        return {
            call.layer: call.output.shape for call in calls if call.output is not None
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
    """Walk a model, or what makes one, and say what is wrong with it.

    Args:
        model: an `nn.Module`, or a class or function without arguments that gives one;
            with those, findings point at
            the lines where layers are made. The model's weights, buffers, modes and
            hooks are as before afterwards.
        inputs: see `Inputs`; shapes are float32.
        select: rules to use, as after `--select`; `ignore`: rules to leave out.
        mode: `train`, `eval` or `both`.
        expect: shapes that must come out, each as after `--input`.
        thresholds: of rules, by the names of their options: `head-share`,
            `head-params`, `max-params`.
        fixes: whether changes that might mend an error are tried. That needs a class or
            function of a file that can be
            imported, and inputs that are shapes; it is done in a process of its own, as
            on the command line.

    Raises:
        UsageError: inputs, mode or a rule cannot be used.
    """
    walk = _Walk(model, inputs, mode, expect, thresholds or {})
    report = walk.report(select, ignore)
    if fixes and any(item.severity is Severity.ERROR for item in report.diagnostics):
        report.diagnostics = walk.explained(report.diagnostics, select, ignore)
    return Report(Outcome(report))


def trace(model: Model, inputs: Inputs = None, *, mode: str = "eval") -> WalkedModel:
    """Walk a model in one mode and give its graph.

    Args:
        model, inputs: as `check` takes them.
        mode: `train` or `eval`.

    Raises:
        UsageError: inputs or mode cannot be used.
    """
    if mode == "both":
        raise UsageError("a trace is of one mode, `train` or `eval`")
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
        loaded, name = _loaded(model)
        maker = (
            _input_maker(inputs)
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
        traces = self.walkable.walk_modes(modes, time.monotonic() + DEFAULTS.timeout)
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
        fill_report(report, self.walked, self.walkable)
        draw_walk(report, self.walked)
        return silence(report, {}, self.walked.texts)

    def explained(
        self, found: list[Diagnostic], select: Sequence[str], ignore: Sequence[str]
    ) -> list[Diagnostic]:
        """The findings at their causes with fixes, where a process of its own can see
        the same; else as they are."""
        from shapelint.rules import catalogue

        target = _importable(self.model)
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


def _importable(model: Any) -> str:
    """The target that a class or function is for the command line; nothing for one that
    only this process has.

    The script that is being run is none: it would be run again.
    """
    module = sys.modules.get(getattr(model, "__module__", ""))
    name = getattr(model, "__qualname__", "")
    file = getattr(module, "__file__", None) or ""
    is_there = (
        name.isidentifier()
        and getattr(module, name, None) is model
        and file.endswith(".py")
    )
    if not callable(model) or not is_there or module is sys.modules.get("__main__"):
        return ""
    return f"{file}:{name}"


def _loaded(model: Any) -> tuple[Loaded, str]:
    """A model as if it had been loaded; a class or function is called under a session
    that sees layers made."""
    import torch

    from shapelint.loading.model import Loaded
    from shapelint.tracing.costs import construction_budget
    from shapelint.tracing.definitions import Definitions, build_under_session
    from shapelint.tracing.ownership import Ownership
    from shapelint.tracing.state import preserve_generators

    name = getattr(model, "__name__", type(model).__name__)
    module = (
        sys.modules.get(getattr(model, "__module__", type(model).__module__))
        or sys.modules["__main__"]
    )
    file = os.path.abspath(getattr(module, "__file__", None) or "")
    ownership = Ownership((file,) if file else ())
    definitions = Definitions(ownership)
    if isinstance(model, torch.nn.Module):
        return Loaded(model, module, file, ownership, definitions, False, [], {}), name
    if not callable(model):
        raise UsageError(f"a {type(model).__name__} is no nn.Module and makes none")
    with (
        preserve_generators(seed=0),
        build_under_session(definitions, construction_budget()) as session,
    ):
        made = enter_target(model)
    if not isinstance(made, torch.nn.Module):
        raise UsageError(f"`{name}()` gives a {type(made).__name__}, not an nn.Module")
    definitions.fill_copies(made)
    return Loaded(
        made, module, file, ownership, definitions, session.used_fake, [], {}
    ), name


def enter_target(maker: Callable[[], Any]) -> Any:
    """Call what makes a model. Frames beyond this function are not the user's."""
    return maker()


def _input_maker(inputs: Any) -> InputMaker:
    from shapelint.loading.model_inputs import InputMaker, inputs_of

    if isinstance(inputs, str):
        return inputs_of(parse_inputs(tuple(inputs.split())))
    if _is_shape(inputs):
        return inputs_of(parse_inputs((_spelled(inputs),)))
    kwargs = dict(inputs) if isinstance(inputs, Mapping) else {}
    args = (
        ()
        if kwargs
        else (tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,))
    )

    def make() -> Any:
        return tuple(_made(each) for each in args), {
            key: _made(each) for key, each in kwargs.items()
        }

    make()  # what cannot be made is said before anything is walked
    return InputMaker(make)


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, (tuple, list))
        and bool(value)
        and all(type(size) is int for size in value)
    )


def _spelled(sizes: Sequence[int]) -> str:
    return ",".join(str(size) for size in sizes) + ("," if len(sizes) == 1 else "")


def _made(value: Any) -> Any:
    import torch

    from shapelint.loading.model_inputs import make_tensor

    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, str):
        return make_tensor(parse_inputs((value,))[0], 0)
    if _is_shape(value):
        return make_tensor(parse_inputs((_spelled(value),))[0], 0)
    return copy.deepcopy(value)
