"""SHP406."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Diagnostic, Edit, Related, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.facts.places import Position
from shapelint.reading.events import GRAD_ON, GRAD_UNKNOWN, Forward
from shapelint.reading.script import Script
from shapelint.reading.source_rule import (
    SourceRule,
    around,
    certain,
    each_once,
    expression_of,
    outermost_block,
    own_statement,
    put_in,
    span_of_where,
    wrapped_in,
)
from shapelint.reading.values import EVAL, Instance, Where, words_of
from shapelint.syntax.trees import ParsedFile


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

    def _found(
        self, script: Script
    ) -> Iterator[tuple[Where, Diagnostic, tuple[Candidate, ...]]]:
        for paths in script.entries:
            trains = any(path.of_kind("backward") for path in paths)
            found = certain(paths, lambda call, trains=trains: _records(call, trains))  # type: ignore[misc]
            for calls in _together(
                call for call in found if call.model.proven and not call.model.handled
            ):
                first = calls[0]
                name = expression_of(first)
                draft = self.diagnostic(
                    f"`{name}` validates or predicts while gradients are recorded"
                )
                places = dict.fromkeys(span_of_where(call.at) for call in calls[1:])
                also = tuple(Related(span, "and here") for span in places)
                diagnostic = replace(
                    draft,
                    label="builds a graph",
                    related=(*around(first), *also),
                ).at(span_of_where(first.at))
                yield first.at, diagnostic, tuple(_candidates(calls))


def _together(found: Iterable[Forward]) -> list[list[Forward]]:
    """Calls of one function, or of one statement of the file, are one mistake."""
    groups: dict[object, list[Forward]] = {}
    for call in found:
        block = outermost_block(call)
        inner: object = (
            call.frames[-1].function.node
            if call.frames
            else (block[1] if block else call)
        )
        groups.setdefault(inner, []).append(call)
    return [
        sorted(calls, key=lambda call: (call.at.file, call.at.line))
        for calls in groups.values()
    ]


_GRADIENTS = {
    *(
        "attack",
        "adv",
        "adversarial",
        "perturb",
        "perturbation",
        "fgsm",
        "pgd",
        "saliency",
        "attribution",
        "attribute",
    ),
    *(
        "grad",
        "gradient",
        "gradients",
        "cam",
        "explain",
        "explainer",
        "adapt",
        "backward",
        "force",
        "forces",
    ),
}
"""Words in the names of what differentiates, whatever the loop around it is for."""


def _needs_gradients(_source: ParsedFile, statement: ast.stmt) -> bool:
    """Whether something in a statement looks as if it took derivatives."""
    names = (
        getattr(part, "attr", getattr(part, "id", "")) for part in ast.walk(statement)
    )
    return any(
        words_of(name) & _GRADIENTS
        for name in names
        if name not in ("no_grad", "zero_grad")
    )


def _candidates(calls: list[Forward]) -> Iterator[Candidate]:
    """The statement that they stand in put under `no_grad`; where there are several,
    their function."""
    head = "with torch.no_grad():"
    blocks = [block for block in map(outermost_block, calls) if block is not None]
    if any(_needs_gradients(*block) for block in blocks):
        blocks = [block for block in map(own_statement, calls) if block is not None]
    if blocks and len({block[1] for block in blocks}) == 1:
        yield from put_in(f"`{head}` around", wrapped_in(*blocks[0], head))
    elif blocks and calls[0].frames:
        function = calls[0].frames[-1].function.node
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min(
                [function, *function.decorator_list], key=lambda node: node.lineno
            )
            at = Position(first.lineno, function.col_offset + 1)
            edit = Edit(
                blocks[0][0].file,
                at,
                at,
                f"@torch.no_grad()\n{' ' * function.col_offset}",
            )
            yield from put_in(f"`@torch.no_grad()` on `{function.name}`", edit)


def _records(call: Forward, trains: bool) -> bool:
    """Whether autograd records: for certain, or in a function that looks after the mode
    itself.

    Not in a method that only predicts, where a base class from elsewhere may call it
    under `no_grad`."""
    if call.grad == GRAD_UNKNOWN:
        entry = call.frames[0].function if call.frames else None
        owner = entry.bound if entry is not None else None
        if (
            entry is not None
            and isinstance(owner, Instance)
            and owner.made_from.is_hook(entry.name)
            and not trains
        ):
            return False
        nodes = {id(frame.function.node) for frame in call.frames}
        source_lines = [frame.function.node for frame in call.frames]
        own = [
            mode for mode in call.modes if mode.name == EVAL and mode.set_by is not None
        ]
        within = any(
            getattr(node, "lineno", 0)
            <= mode.set_by.line
            <= (getattr(node, "end_lineno", 0) or 0)
            for node in source_lines
            for mode in own
            if mode.set_by is not None
        )
        return bool(nodes) and within and len(own) == len(call.modes)
    return call.grad == GRAD_ON
