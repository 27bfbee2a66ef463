"""SHP408."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Trace, Walked
from shapelint.facts.places import Span
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile, parse_file

OVERRIDES = ("train", "eval")

OWN_PARAMETERS = "with parameters of its own"
CALLS_TRAIN = "`eval()` calls `train(False)`"


class BrokenTrainOverride(Rule):
    """
    ## What it does
    Finds methods `train` and `eval` of a model that override those of `nn.Module` and
    do not do their work: they lack the parameter `mode` (`eval()` calls
    `train(False)`), never call `super()`, so that the layers inside are not reached, or
    return nothing. Overrides that call `super()` and then pin parts of the model to a
    mode are correct.

    ## Why is this bad?
    `model.eval()` raises, or runs a training loop, or leaves dropout and batch norm as
    in training.

    ## Fix
    `def train(self, mode=True): super().train(mode); ...; return self`; another name
    for a training loop.

    ## References
    - torch.nn.Module.train, torch.nn.Module.eval
    """

    code = "SHP408"
    name = "broken-train-override"
    severity = Severity.WARNING
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def train(self, mode=True):
        self.training = mode
        return self

    def forward(self, x):
        return self.drop(x)
""",
        ("2,8",),
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def train(self, mode=True):
        super().train(mode)
        return self

    def forward(self, x):
        return self.drop(x)
""",
        ("2,8",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        raises = any(map(is_switch_that_raised, walked.traces.values()))
        for override in find_broken_overrides(walked):
            yield self._finding(override, Severity.ERROR if raises else None)

    def _finding(self, override: Override, severity: Severity | None) -> Finding:
        method = override.method
        own, replaced = f"{override.owner}.{method.name}", f"nn.Module.{method.name}"
        message = f"`{own}` overrides `{replaced}` {override.fault.message}"
        diagnostic = replace(
            self.diagnostic(message, severity),
            label=override.fault.label,
            layer=override.layer,
        ).at(_span_of_def(override.source.file, method))
        return Finding(
            diagnostic, candidates=tuple(_candidates(override.source, method))
        )


@dataclass(frozen=True)
class Fault:
    """What an override does not do: the end of the message, and the label."""

    message: str
    label: str


@dataclass(frozen=True)
class Override:
    """A method that does not do the work of the one it overrides. `layer`: the first
    layer of its class."""

    source: ParsedFile
    layer: str
    owner: str
    method: ast.FunctionDef
    fault: Fault


def is_switch_that_raised(trace: Trace) -> bool:
    """Whether it was `train()` or `eval()` that raised, before any forward."""
    return trace.raised is not None and trace.raised.switching_to is not None


def find_broken_overrides(walked: Walked) -> Iterator[Override]:
    """Each broken override of a class whose layers were walked."""
    seen: set[tuple[str, str]] = set()
    for layer, home in walked.homes.items():
        file, owner = home
        if home in seen or not file or "site-packages" in file:
            continue
        # A model has many layers of one class; its source is judged once.
        seen.add(home)
        source = parse_file(file, walked.texts)
        for method in _overrides(source, owner) if source is not None else ():
            fault = _find_fault(method)
            if source is not None and fault is not None:
                yield Override(source, layer, owner, method, fault)


def _overrides(source: ParsedFile, owner: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name in OVERRIDES:
                    yield item


def _find_fault(method: ast.FunctionDef) -> Fault | None:
    if method.name == "train":
        fault = _find_fault_of_parameters(method)
    else:
        fault = _find_required(method, 0, "`model.eval()` passes no argument")
    if fault is not None:
        return fault
    if not _reaches_layers(method):
        return Fault(
            "and does not reach the layers inside",
            "without `super()`, no layer is switched",
        )
    if not _returns(method):
        return Fault("and returns nothing", "`model.eval()` is None")
    return None


def _find_fault_of_parameters(method: ast.FunctionDef) -> Fault | None:
    """`nn.Module.eval` calls `self.train(False)`: `train` has to take that as a mode."""
    spec = method.args
    names = _parameters(method)
    if not names and spec.vararg is None and spec.kwarg is None:
        return Fault("without its parameter `mode`", CALLS_TRAIN)
    fault = _find_required(method, 1, "`eval()` passes one argument")
    if fault is None and names and not _is_name_of_a_mode(names[0]):
        return Fault(OWN_PARAMETERS, CALLS_TRAIN)
    return fault


def _find_required(method: ast.FunctionDef, given: int, label: str) -> Fault | None:
    """The fault of a method that needs more arguments than are `given`."""
    spec = method.args
    keyword_only = sum(default is None for default in spec.kw_defaults)
    required = len(_parameters(method)) - len(spec.defaults) + keyword_only
    return Fault(OWN_PARAMETERS, label) if required > given else None


def _parameters(method: ast.FunctionDef) -> list[str]:
    """The names of the positional parameters after `self`."""
    spec = method.args
    return [arg.arg for arg in (*spec.posonlyargs, *spec.args)][1:]


def _is_name_of_a_mode(name: str) -> bool:
    # `def train(self, epochs)` is a training loop, whatever `eval()` passes.
    words = ("mode", "train", "flag", "enable", "is_", "on")
    return any(word in name.lower() for word in words)


def _reaches_layers(method: ast.FunctionDef) -> bool:
    """Whether it calls `super().train`, `nn.Module.train`, or `train` or `eval` of
    layers itself."""
    calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
    return any(
        isinstance(call.func, ast.Attribute) and call.func.attr in OVERRIDES
        for call in calls
    )


def _returns(method: ast.FunctionDef) -> bool:
    returns = [node for node in ast.walk(method) if isinstance(node, ast.Return)]
    return any(node.value is not None for node in returns)


def _span_of_def(file: str, method: ast.FunctionDef) -> Span:
    """The keyword `def`."""
    line, column = method.lineno, method.col_offset + 1
    return Span(file, line, column, line, column + len("def"))


def _candidates(source: ParsedFile, method: ast.FunctionDef) -> Iterator[Candidate]:
    """`super().train(mode)` at the beginning; `return self` at the end."""
    names = [arg.arg for arg in method.args.args]
    reaches_layers = _reaches_layers(method)
    if method.name == "train" and len(names) == 2 and not reaches_layers:
        first = method.body[0]
        call = f"super().train({names[1]})"
        text = f"{call}\n{' ' * first.col_offset}{source.segment(first)}"
        yield Candidate(f"`{call}`", (replacement(source, first, text),))
    elif reaches_layers and not _returns(method):
        last = method.body[-1]
        text = f"{source.segment(last)}\n{' ' * last.col_offset}return self"
        yield Candidate("`return self`", (replacement(source, last, text),))
