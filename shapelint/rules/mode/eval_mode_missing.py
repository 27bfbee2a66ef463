"""SHP403."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.call_places import (
    find_outermost_block,
    find_surroundings,
    span_of_where,
    text_of_model,
)
from shapelint.reading.certainty import find_certain
from shapelint.reading.line_edits import insert_after, insert_before
from shapelint.reading.script import Script
from shapelint.reading.source_rule import SourceRule, keep_first
from shapelint.reading.values import Forward

SHOWN = 3
"""The most layers that a message names."""


class EvalModeMissing(SourceRule):
    """
    ## What it does
    Finds loops that validate or predict with a model that is in train mode for certain:
    it was made or set so, and nothing on the way called `eval()`. A loop counts as
    validation by three signs together: nothing trains with the result, the data, and
    the names. Models without a layer that depends on the mode are not reported.

    ## Why is this bad?
    Dropout drops and batch norm takes the statistics of the batch, and adds them to its
    own: the figures are worse than the model is, differ from run to run, and the model
    learns from the validation data.

    ## Fix
    `model.eval()` before the loop, and `model.train()` before training goes on.

    ## References
    - torch.nn.Module.eval
    """

    code = "SHP403"
    name = "eval-mode-missing"
    severity = Severity.WARNING
    bad_script = """
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for x, y in train_loader:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()

correct = 0
with torch.no_grad():
    for x, y in val_loader:
        correct += (model(x).argmax(1) == y).sum().item()
"""
    good_script = bad_script.replace("correct = 0\n", "correct = 0\nmodel.eval()\n")

    def check_script(self, script: Script) -> Iterator[Finding]:
        yield from keep_first(self._find(script))

    def _find(self, script: Script) -> Iterator[Finding]:
        for paths in script.entries:
            for call in find_certain(paths, lambda call: call.in_train_mode):
                model = call.model
                # Where no layer acts by mode, `eval()` would change nothing.
                has_no_such_layer = model.layers == ()
                if model.proven and not model.handled and not has_no_such_layer:
                    yield self._finding(call)

    def _finding(self, call: Forward) -> Finding:
        name = text_of_model(call)
        why = _describe_layers(call.model.layers or ())
        diagnostic = replace(
            self.diagnostic(f"`{name}` is evaluated in train mode{why}"),
            label="still in train mode",
            related=find_surroundings(call),
        ).at(span_of_where(call.at))
        return Finding(diagnostic, candidates=_propose_switches(call, name))


def _describe_layers(layers: tuple[str, ...]) -> str:
    """Name the first layers that depend on the mode: `: `Dropout` is active`."""
    if not layers:
        return ""
    names = ", ".join(
        layer if "`" in layer else f"`{layer}`" for layer in layers[:SHOWN]
    )
    return f": {names} {'is' if len(layers) == 1 else 'are'} active"


def _propose_switches(call: Forward, name: str) -> tuple[Candidate, ...]:
    """Insert `eval()` before the loop, and `train()` after it if training continues
    there."""
    block = find_outermost_block(call)
    if block is None:
        return ()
    before = insert_before(call.at.source, block, f"{name}.eval()")
    after = insert_after(call.at.source, block, f"{name}.train()")
    return (
        Candidate(f"`{name}.eval()` before", (before,)),
        Candidate(
            f"`{name}.eval()` before and `{name}.train()` after", (before, after)
        ),
    )
