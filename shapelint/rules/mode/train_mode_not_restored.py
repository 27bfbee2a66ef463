"""SHP404."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Related, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.call_places import span_of_where, text_of_model
from shapelint.reading.events import Path
from shapelint.reading.line_edits import insert_before
from shapelint.reading.modes import ModeName, Where
from shapelint.reading.script import Script
from shapelint.reading.source_rule import SourceRule, keep_first
from shapelint.reading.values import Forward


class TrainModeNotRestored(SourceRule):
    """
    ## What it does
    Finds training that goes on in eval mode: the first round trains in train mode, a
    validation in between calls `eval()`, and nothing calls `train()` before the next
    round trains.

    ## Why is this bad?
    From the second epoch on there is no dropout and batch norm no longer learns its
    statistics. Nothing raises, the training loss even looks better.

    ## Fix
    `model.train()` at the beginning of each epoch.

    ## References
    - torch.nn.Module.train
    """

    code = "SHP404"
    name = "train-mode-not-restored"
    severity = Severity.WARNING
    bad_script = """
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model.train()
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        correct = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
"""
    good_script = bad_script.replace(
        "model.train()\nfor epoch in range(10):\n",
        "for epoch in range(10):\n    model.train()\n",
    )

    def check_script(self, script: Script) -> Iterator[Finding]:
        yield from keep_first(self._find(script))

    def _find(self, script: Script) -> Iterator[Finding]:
        for paths in script.entries:
            for path in paths:
                for call, set_by in _find_trained_in_eval_mode(path):
                    if call.model.layers != () and not call.model.handled:
                        yield self._finding(call, set_by)

    def _finding(self, call: Forward, set_by: Where) -> Finding:
        name = text_of_model(call)
        diagnostic = replace(
            self.diagnostic(
                f"`{name}` is trained in eval mode from the second round on"
            ),
            label="never back to train mode",
            related=(Related(span_of_where(call.at), "trained here"),),
        ).at(span_of_where(set_by))
        return Finding(diagnostic, candidates=tuple(_propose_train(call, name)))


def _find_trained_in_eval_mode(path: Path) -> Iterator[tuple[Forward, Where]]:
    """Calls that train in train mode in one round and in eval mode in a later one, each
    with the call that set eval mode."""
    first: dict[tuple[str, int, int], Forward] = {}
    for call in path.forwards:
        if not call.trained:
            continue
        before = first.setdefault(call.at.place, call)
        # The same place in a later round, of the same object.
        is_later = before is not call and before.model is call.model
        set_by = _set_to_eval_by(call)
        if is_later and before.in_train_mode and set_by is not None:
            yield call, set_by


def _set_to_eval_by(call: Forward) -> Where | None:
    for mode in call.modes:
        if mode.name is ModeName.EVAL and mode.set_by is not None:
            return mode.set_by
    return None


def _propose_train(call: Forward, name: str) -> Iterator[Candidate]:
    """Insert `model.train()` before the innermost loop over batches that trains."""
    own = [loop for loop in call.loops if loop.at.file == call.at.file]
    if not own:
        return
    statement = own[-1].at.node
    is_only_loop = len(call.loops) == 1 and not call.frames
    if is_only_loop and isinstance(statement, (ast.For, ast.While)):
        statement = statement.body[0]  # at the beginning of each round
    if isinstance(statement, ast.stmt):
        edit = insert_before(call.at.source, statement, f"{name}.train()")
        yield Candidate(f"`{name}.train()` before", (edit,))
