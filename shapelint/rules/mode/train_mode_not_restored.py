"""SHP404."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Related, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.events import Forward, Path
from shapelint.reading.script import Script
from shapelint.reading.source_rule import (
    SourceRule,
    each_once,
    expression_of,
    line_before,
    put_in,
    span_of_where,
)
from shapelint.reading.values import EVAL, Where
from shapelint.syntax.trees import parse_file


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
        yield from each_once(self._found(script))

    def _found(
        self, script: Script
    ) -> Iterator[tuple[Where, Diagnostic, tuple[Candidate, ...]]]:
        for paths in script.entries:
            for path in paths:
                for call, set_by in _trained_after(path):
                    if call.model.layers == () or call.model.handled:
                        continue
                    name = expression_of(call)
                    draft = self.diagnostic(
                        f"`{name}` is trained in eval mode from the second round on"
                    )
                    related = Related(span_of_where(call.at), "trained here")
                    diagnostic = replace(
                        draft,
                        label="never back to train mode",
                        related=(related,),
                    ).at(span_of_where(set_by))
                    yield set_by, diagnostic, _back(call, name)


def _trained_after(path: Path) -> Iterator[tuple[Forward, Where]]:
    """Calls that train in train mode first and later in eval mode, with what set
    that."""
    first: dict[tuple[str, int, int], Forward] = {}
    for call in path.forwards:
        if not call.trained:
            continue
        key = (call.at.file, call.at.line, getattr(call.at.node, "col_offset", 0))
        before = first.setdefault(key, call)
        eval_modes = [
            mode for mode in call.modes if mode.name == EVAL and mode.set_by is not None
        ]
        if (
            before is not call
            and before.model is call.model
            and before.in_train_mode
            and eval_modes
        ):
            set_by = eval_modes[0].set_by
            if set_by is not None:
                yield call, set_by


def _back(call: Forward, name: str) -> tuple[Candidate, ...]:
    """`model.train()` before the innermost loop over batches that trains."""
    loop = next(
        (loop for loop in reversed(call.loops) if loop.at.file == call.at.file), None
    )
    source = parse_file(call.at.file, call.at.texts)
    if loop is None or source is None or not isinstance(loop.at.node, ast.stmt):
        return ()
    outer = [each for each in call.loops if each is not loop]
    node = loop.at.node
    if not outer and not call.frames and isinstance(node, (ast.For, ast.While)):
        node = node.body[0]  # the only loop there is: at the beginning of each round
    return put_in(
        f"`{name}.train()` before", line_before(source, node, f"{name}.train()")
    )
