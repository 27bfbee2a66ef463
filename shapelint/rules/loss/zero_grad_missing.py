"""SHP604."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Related, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.events import Event, Loop, Path
from shapelint.reading.script import Script
from shapelint.reading.source_rule import (
    SourceRule,
    each_once,
    heading,
    line_before,
    put_in,
    span_of_where,
)
from shapelint.reading.values import Where
from shapelint.syntax.trees import parse_file


class ZeroGradMissing(SourceRule):
    """
    ## What it does
    Finds loops in which `backward()` adds gradients and an optimizer steps, and in
    which nothing ever sets the gradients to zero.

    ## Why is this bad?
    `backward()` adds to what is there: each step follows the sum of all gradients so
    far. Training diverges or stalls.

    ## Fix
    `optimizer.zero_grad()` before `backward()`.

    ## References
    - torch.optim.Optimizer.zero_grad
    """

    code = "SHP604"
    name = "zero-grad-missing"
    severity = Severity.WARNING
    bad_script = """
import torch
from torch import nn

model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for x, y in loader:
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
"""
    good_script = bad_script.replace(
        "    loss.backward()", "    optimizer.zero_grad()\n    loss.backward()"
    )

    def check_script(self, script: Script) -> Iterator[Finding]:
        yield from each_once(self._found(script))

    def _found(
        self, script: Script
    ) -> Iterator[tuple[Where, Diagnostic, tuple[Candidate, ...]]]:
        for paths in script.entries:
            for event, loop, step in _piling_up(paths):
                draft = self.diagnostic(
                    "gradients pile up: nothing sets them to zero between the steps"
                )
                related = (
                    Related(heading(loop.at), "in this loop"),
                    Related(span_of_where(step.at), "the optimizer steps here"),
                )
                diagnostic = replace(
                    draft,
                    label="adds to what is there",
                    related=related,
                ).at(span_of_where(event.at))
                yield event.at, diagnostic, _zeroed(event, step)


def _piling_up(paths: list[Path]) -> Iterator[tuple[Event, Loop, Event]]:
    """Backwards with a step and no zero in the same loop, on each path."""
    found: dict[tuple[str, int], list[tuple[Event, Loop, Event] | None]] = {}
    for path in paths:
        here: dict[tuple[str, int], tuple[Event, Loop, Event] | None] = {}
        for event in path.of_kind("backward"):
            key = (event.at.file, event.at.line)
            here[key] = _without_zero(path, event)
        for key, wrong in here.items():
            found.setdefault(key, []).append(wrong)
    for each in found.values():
        if each[0] is not None and all(wrong is not None for wrong in each):
            yield each[0]


def _without_zero(path: Path, event: Event) -> tuple[Event, Loop, Event] | None:
    for loop in reversed(event.loops):
        steps = [step for step in path.of_kind("step") if loop in step.loops]
        if steps:
            zeroed = any(loop in zero.loops for zero in path.of_kind("zero"))
            made_inside = event.models > loop.models_before
            return None if zeroed or made_inside else (event, loop, steps[0])
    return None


def _zeroed(event: Event, step: Event) -> tuple[Candidate, ...]:
    """`optimizer.zero_grad()` before the statement with the backward."""
    source = parse_file(event.at.file, event.at.texts)
    call = step.at.node
    if (
        source is None
        or step.at.file != event.at.file
        or not isinstance(call, ast.Call)
    ):
        return ()
    func = call.func
    owner = source.segment(func.value) if isinstance(func, ast.Attribute) else ""
    if owner.rpartition(".")[2] in ("scaler", "grad_scaler") and call.args:
        owner = source.segment(call.args[0])
    node: ast.AST | None = event.at.node
    while node is not None and not isinstance(node, ast.stmt):
        node = source.parents.get(node)
    if not owner or not isinstance(node, ast.stmt):
        return ()
    text = f"{owner}.zero_grad()"
    return put_in(f"`{text}` before", line_before(source, node, text))
