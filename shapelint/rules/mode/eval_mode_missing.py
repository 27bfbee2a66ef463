"""SHP403."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.script import Script
from shapelint.reading.source_rule import (
    SourceRule,
    around,
    certain,
    each_once,
    expression_of,
    line_after,
    line_before,
    outermost_block,
    put_in,
    span_of_where,
)
from shapelint.reading.values import Where
from shapelint.syntax.trees import ParsedFile


class EvalModeMissing(SourceRule):
    """
    ## What it does
    Finds loops that validate or predict with a model that is in train mode for certain:
    it was made or set so, and nothing on the way called `eval()`. What validates is
    told by what becomes of the result (nothing is trained with it), by the data and by
    names together. Models without a layer that acts by mode are left alone.

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
        yield from each_once(self._found(script))

    def _found(
        self, script: Script
    ) -> Iterator[tuple[Where, Diagnostic, tuple[Candidate, ...]]]:
        for paths in script.entries:
            for call in certain(paths, lambda call: call.in_train_mode):
                if (
                    call.model.layers == ()
                    or call.model.handled
                    or not call.model.proven
                ):
                    continue
                name = expression_of(call)
                layers = ", ".join(
                    f"`{layer}`" if "`" not in layer else layer
                    for layer in (call.model.layers or ())[:3]
                )
                why = (
                    f": {layers} act{'s' if len(call.model.layers or ()) == 1 else ''} as in training"
                    if layers
                    else ""
                )
                draft = self.diagnostic(
                    f"`{name}` validates or predicts in train mode{why}"
                )
                block = outermost_block(call)
                candidates = _switched(*block, name) if block else ()
                diagnostic = replace(
                    draft,
                    label="still in train mode",
                    related=around(call),
                ).at(span_of_where(call.at))
                yield call.at, diagnostic, candidates


def _switched(source: ParsedFile, block: ast.stmt, name: str) -> tuple[Candidate, ...]:
    """`eval()` before; where training goes on behind it, `train()` after too."""
    before, after = (
        line_before(source, block, f"{name}.eval()"),
        line_after(source, block, f"{name}.train()"),
    )
    both = Candidate(
        f"`{name}.eval()` before and `{name}.train()` after", (before, after)
    )
    return (*put_in(f"`{name}.eval()` before", before), both)
