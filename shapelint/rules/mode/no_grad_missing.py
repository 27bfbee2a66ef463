"""SHP406."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.diagnostics import Diagnostic, Severity
from shapelint.reading.events import GRAD_ON, GRAD_UNKNOWN, Forward
from shapelint.reading.script import Script
from shapelint.reading.values import EVAL, Where
from shapelint.rules import Candidate, Finding
from shapelint.rules.source import (
    SourceRule,
    around,
    certain,
    each_once,
    expression_of,
    outermost_block,
    put_in,
    span_of_where,
    wrapped_in,
)


class NoGradMissing(SourceRule):
    """
    ## What it does
    Finds loops that validate or predict while autograd records: not under `torch.no_grad()` or
    `torch.inference_mode()`, and with nothing of the result ever differentiated.

    ## Why is this bad?
    Every result carries its graph and every activation in it: validation takes the memory of training, and a loss
    that is summed up over batches keeps all of them alive.

    ## Fix
    `with torch.no_grad():` around the loop, or `@torch.no_grad()` on the function.

    ## References
    - torch.no_grad, torch.inference_mode
    """

    code = "SHP406"
    name = "no-grad-missing"
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

model.eval()
correct = 0
for x, y in val_loader:
    correct += (model(x).argmax(1) == y).sum().item()
"""
    good_script = bad_script.replace(
        """for x, y in val_loader:
    correct""",
        """with torch.no_grad():
    for x, y in val_loader:
        correct""",
    )

    def check_script(self, script: Script) -> Iterator[Finding]:
        yield from each_once(self._found(script))

    def _found(self, script: Script) -> Iterator[tuple[Where, Diagnostic, tuple[Candidate, ...]]]:
        for paths in script.entries:
            for call in certain(paths, _records):
                if call.model.handled:
                    continue
                name = expression_of(call)
                diagnostic = self.diagnostic(f"`{name}` validates or predicts while gradients are recorded")
                diagnostic = replace(
                    diagnostic, span=span_of_where(call.at), label="builds a graph", related=around(call)
                )
                block = outermost_block(call)
                head = "with torch.no_grad():"
                candidates = put_in(f"`{head}` around", wrapped_in(*block, head)) if block else ()
                yield call.at, diagnostic, candidates


def _records(call: Forward) -> bool:
    """Whether autograd records: for certain, or in a function that looks after the mode itself."""
    if call.grad == GRAD_UNKNOWN:
        nodes = {id(frame.function.node) for frame in call.frames}
        source_lines = [frame.function.node for frame in call.frames]
        own = [mode for mode in call.modes if mode.name == EVAL and mode.set_by is not None]
        within = any(
            getattr(node, "lineno", 0) <= mode.set_by.line <= (getattr(node, "end_lineno", 0) or 0)
            for node in source_lines
            for mode in own
            if mode.set_by is not None
        )
        return bool(nodes) and within and len(own) == len(call.modes)
    return call.grad == GRAD_ON
