"""SHP604."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint.facts.diagnostics import Related, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.call_places import find_statement, heading_of, span_of_where
from shapelint.reading.events import Event, EventKind, Path
from shapelint.reading.line_edits import insert_before
from shapelint.reading.modes import Where
from shapelint.reading.script import Script
from shapelint.reading.source_rule import SourceRule, keep_first
from shapelint.reading.values import Loop


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
        yield from keep_first(self._find(script))

    def _find(self, script: Script) -> Iterator[Finding]:
        for paths in script.entries:
            for round_ in _find_on_all(paths):
                yield self._finding(round_)

    def _finding(self, found: Accumulating) -> Finding:
        diagnostic = replace(
            self.diagnostic(
                "gradients pile up: nothing sets them to zero between the steps"
            ),
            label="adds to the gradients of the steps before",
            related=(
                Related(heading_of(found.loop.at), "in this loop"),
                Related(span_of_where(found.step.at), "the optimizer steps here"),
            ),
        ).at(span_of_where(found.backward.at))
        return Finding(diagnostic, candidates=tuple(_propose_zero_grad(found)))


@dataclass(frozen=True)
class Accumulating:
    """A backward and a step in a loop that never resets the gradients."""

    backward: Event
    loop: Loop
    step: Event


def _find_on_all(paths: list[Path]) -> Iterator[Accumulating]:
    """The backward calls that accumulate on every path that contains them."""
    by_place: dict[tuple[str, int], list[Accumulating | None]] = {}
    for path in paths:
        # Where a backward runs several times on a path, the last one counts: the first
        # may come before the optimizer steps.
        here = {
            (event.at.file, event.at.line): _find_accumulating(path, event)
            for event in path.of_kind(EventKind.BACKWARD)
        }
        for place, found in here.items():
            by_place.setdefault(place, []).append(found)
    for each in by_place.values():
        if each[0] is not None and None not in each:
            yield each[0]


def _find_accumulating(path: Path, backward: Event) -> Accumulating | None:
    """The innermost loop around a backward that contains a step, if it never resets the
    gradients."""
    for loop in reversed(backward.loops):
        steps = [step for step in path.of_kind(EventKind.STEP) if loop in step.loops]
        if not steps:
            continue
        zeros = [zero for zero in path.of_kind(EventKind.ZERO) if loop in zero.loops]
        # A model that is made in the loop begins without gradients in each round.
        is_made_inside = backward.models > loop.models_before
        if zeros or is_made_inside:
            return None
        return Accumulating(backward, loop, steps[0])
    return None


def _propose_zero_grad(found: Accumulating) -> Iterator[Candidate]:
    """Insert `optimizer.zero_grad()` before the statement with the backward."""
    where = found.backward.at
    owner = _text_of_optimizer(found.step.at)
    statement = find_statement(where)
    if found.step.at.file == where.file and owner and statement is not None:
        text = f"{owner}.zero_grad()"
        yield Candidate(
            f"`{text}` before", (insert_before(where.source, statement, text),)
        )


def _text_of_optimizer(step: Where) -> str:
    """The optimizer of a step as written. For `scaler.step(optimizer)`, it is the
    argument."""
    call = step.node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    owner = step.source.segment(call.func.value)
    is_scaler = owner.rpartition(".")[2] in ("scaler", "grad_scaler")
    return step.source.segment(call.args[0]) if is_scaler and call.args else owner
