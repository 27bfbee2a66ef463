"""SHP406."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Related, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.call_places import (
    find_outermost_block,
    find_statement,
    find_surroundings,
    span_of_where,
    text_of_model,
)
from shapelint.reading.certainty import find_certain
from shapelint.reading.class_bodies import is_hook
from shapelint.reading.events import EventKind
from shapelint.reading.line_edits import decorate, wrap_in_block
from shapelint.reading.modes import ModeName, Recording
from shapelint.reading.script import Script
from shapelint.reading.source_rule import SourceRule, keep_first
from shapelint.reading.values import Forward, Instance
from shapelint.reading.vocabulary import split_words, words_of

NO_GRAD = "with torch.no_grad():"

GRADIENT_WORDS = split_words(
    "attack adv adversarial perturb perturbation fgsm pgd saliency attribution"
    " attribute grad gradient gradients cam explain explainer adapt backward force"
    " forces"
)
"""Words in the names of functions that differentiate, whatever the loop around them is
for."""


class NoGradMissing(SourceRule):
    """
    ## What it does
    Finds loops that validate or predict while autograd records: not under
    `torch.no_grad()` or `torch.inference_mode()`, and with nothing of the result ever
    differentiated.

    ## Why is this bad?
    Every result carries its graph and every activation in it: validation takes the
    memory of training, and a loss that is summed up over batches keeps all of them
    alive.

    ## Fix
    `with torch.no_grad():` around the loop, or `@torch.no_grad()` on the function.

    ## References
    - torch.no_grad, torch.inference_mode
    """

    code = "SHP406"
    name = "no-grad-missing"
    severity = Severity.WARNING
    fix_is_safe = True
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
        yield from keep_first(self._find(script))

    def _find(self, script: Script) -> Iterator[Finding]:
        for paths in script.entries:
            trains = any(path.of_kind(EventKind.BACKWARD) for path in paths)
            is_wrong = functools.partial(_records, trains=trains)
            certain = [
                call
                for call in find_certain(paths, is_wrong)
                if call.model.proven and not call.model.handled
            ]
            for calls in _group_by_function(certain):
                yield self._finding(calls)

    def _finding(self, calls: list[Forward]) -> Finding:
        first, *others = calls
        name = text_of_model(first)
        places = dict.fromkeys(span_of_where(call.at) for call in others)
        also = [Related(span, "and here") for span in places]
        diagnostic = replace(
            self.diagnostic(f"`{name}` is evaluated while gradients are recorded"),
            label="builds a graph",
            related=(*find_surroundings(first), *also),
        ).at(span_of_where(first.at))
        return Finding(diagnostic, candidates=tuple(_propose_no_grad(calls)))


def _group_by_function(found: list[Forward]) -> list[list[Forward]]:
    """Group the calls of one function, or of one block of the file, as one mistake."""
    groups: dict[object, list[Forward]] = {}
    for call in found:
        if call.frames:
            # One decorator or one `with` mends all calls of a function.
            home: object = call.frames[-1].function.node
        else:
            home = find_outermost_block(call) or call
        groups.setdefault(home, []).append(call)
    return [
        sorted(calls, key=lambda call: (call.at.file, call.at.line))
        for calls in groups.values()
    ]


def _records(call: Forward, trains: bool) -> bool:
    """Whether autograd records in an evaluation: either certainly, or in a function
    that sets the mode itself. Methods that only predict do not count, since an unknown
    base class may call them under `no_grad`."""
    if call.grad is not Recording.UNKNOWN:
        return call.grad is Recording.ON
    entry = call.frames[0].function if call.frames else None
    if entry is None:
        return False
    owner = entry.bound
    is_method = isinstance(owner, Instance) and is_hook(owner.made_from, entry.name)
    if is_method and not trains:
        return False
    return _sets_own_eval_mode(call)


def _sets_own_eval_mode(call: Forward) -> bool:
    """Whether every mode of the model is eval and one was set within the functions
    around the call. Code that calls `eval()` there is also the place for `no_grad`."""
    set_by = [
        mode.set_by
        for mode in call.modes
        if mode.name is ModeName.EVAL and mode.set_by is not None
    ]
    if len(set_by) < len(call.modes):
        return False
    functions = [frame.function.node for frame in call.frames]
    return any(
        node.lineno <= where.line <= (node.end_lineno or 0)
        for node in functions
        for where in set_by
    )


def _propose_no_grad(calls: list[Forward]) -> Iterator[Candidate]:
    """Put the block of the calls under `no_grad`. If there are several blocks, decorate
    their function."""
    source = calls[0].at.source
    blocks = [block for block in map(find_outermost_block, calls) if block is not None]
    # Then only the statements of the calls themselves can be put under it.
    if any(map(_takes_derivatives, blocks)):
        statements = [find_statement(call.at) for call in calls]
        blocks = [statement for statement in statements if statement is not None]
    if not blocks:
        return
    if len(set(blocks)) == 1:
        edit = wrap_in_block(source, blocks[0], NO_GRAD)
        if edit is not None:
            yield Candidate(f"`{NO_GRAD}` around", (edit,))
    elif calls[0].frames:
        function = calls[0].frames[-1].function.node
        if not isinstance(function, ast.Lambda):
            edit = decorate(source, function, "@torch.no_grad()")
            yield Candidate(f"`@torch.no_grad()` on `{function.name}`", (edit,))


def _takes_derivatives(statement: ast.stmt) -> bool:
    """Whether a statement seems to take derivatives, which `no_grad` around it would
    prevent."""
    for part in ast.walk(statement):
        name = ""
        if isinstance(part, ast.Attribute):
            name = part.attr
        elif isinstance(part, ast.Name):
            name = part.id
        if name in ("no_grad", "zero_grad"):
            continue
        if not words_of(name).isdisjoint(GRADIENT_WORDS):
            return True
    return False
