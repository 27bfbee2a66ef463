"""SHP408."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.slip_edits import attributes_of_self, rename_function
from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.places import Span
from shapelint.facts.walked_target import Walked
from shapelint.syntax.edits import insert_after, insert_before, replacement
from shapelint.syntax.train_overrides import (
    OverrideFault,
    TrainOverride,
    find_faulty_overrides,
    reaches_layers,
    returns_value,
)
from shapelint.syntax.trees import ParsedFile


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
        raised = [trace.raised for trace in walked.traces.values()]
        raises = any(
            each is not None and each.switching_to is not None for each in raised
        )
        for override in find_faulty_overrides(walked):
            yield self._finding(override, Severity.ERROR if raises else None)

    def _finding(self, override: TrainOverride, severity: Severity | None) -> Finding:
        method = override.method
        own, replaced = f"{override.owner}.{method.name}", f"nn.Module.{method.name}"
        what, label = _WORDS[override.fault]
        if override.fault is OverrideFault.REQUIRES_ARGUMENTS:
            label = _PASSED[method.name]
        message = f"`{own}` overrides `{replaced}` {what}"
        draft = replace(
            self.diagnostic(message, severity), label=label, layer=override.layer
        )
        placed = draft.at(_span_of_def(override.source.file, method))
        candidates = (
            *_candidates(override.source, method),
            *_rename(override),
        )
        return Finding(placed, candidates=candidates)


_CALLS_TRAIN = "`eval()` calls `train(False)`"
_OWN_PARAMETERS = "with parameters of its own"
_PASSED = {
    "train": "`eval()` passes one argument",
    "eval": "`model.eval()` passes no argument",
}
_WORDS = {
    OverrideFault.LACKS_MODE: ("without its parameter `mode`", _CALLS_TRAIN),
    OverrideFault.TAKES_OTHER: (_OWN_PARAMETERS, _CALLS_TRAIN),
    OverrideFault.REQUIRES_ARGUMENTS: (_OWN_PARAMETERS, ""),
    OverrideFault.SKIPS_LAYERS: (
        "and does not reach the layers inside",
        "without `super()`, no layer is switched",
    ),
    OverrideFault.RETURNS_NOTHING: ("and returns nothing", "`model.eval()` is None"),
}
"""For each fault, the words after the method in the message, and the label."""


def _span_of_def(file: str, method: ast.FunctionDef) -> Span:
    """The place of the keyword `def`."""
    line, column = method.lineno, method.col_offset + 1
    return Span(file, line, column, line, column + len("def"))


_OTHER_NAMES = {"train": "train_model", "eval": "evaluate"}


def _rename(override: TrainOverride) -> Iterator[Candidate]:
    """Another name for a method that is no switch of the mode, as for a training
    loop."""
    source, method = override.source, override.method
    if override.fault in (OverrideFault.SKIPS_LAYERS, OverrideFault.RETURNS_NOTHING):
        return
    owner = source.find_enclosing(method, ast.ClassDef)
    name = _OTHER_NAMES[method.name]
    calls = attributes_of_self(owner, method.name) if owner is not None else []
    edits = [rename_function(source, method, name)]
    edits += [replacement(source, node, f"self.{name}") for node in calls]
    yield Candidate(f"`def {name}` for `def {method.name}`", tuple(edits))


def _candidates(source: ParsedFile, method: ast.FunctionDef) -> Iterator[Candidate]:
    """Insert `super().train(mode)` at the beginning, or `return self` at the end."""
    names = [arg.arg for arg in method.args.args]
    is_reaching = reaches_layers(method)
    if method.name == "train" and len(names) == 2 and not is_reaching:
        call = f"super().train({names[1]})"
        yield Candidate(f"`{call}`", (insert_before(source, method.body[0], call),))
    elif is_reaching and not returns_value(method):
        edit = insert_after(source, method.body[-1], "return self")
        yield Candidate("`return self`", (edit,))
