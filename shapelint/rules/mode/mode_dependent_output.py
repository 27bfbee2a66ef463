"""SHP409."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Walked
from shapelint.facts.kinds import Mode, NoPlace
from shapelint.facts.places import Span
from shapelint.syntax.trees import parse_file


class ModeDependentOutput(Rule):
    """
    ## What it does
    Says where a model gives something of another structure or shape in eval mode than
    in train mode.

    ## Why is this bad?
    It may be meant, as auxiliary heads are. Where it is not, the code that takes the
    result apart breaks at the first validation.

    ## Fix
    The same structure in both modes, or code that asks `model.training` before it takes
    the result apart.

    ## References
    - torchvision.models.googlenet gives a named tuple in train mode and a tensor in
      eval mode"""

    code = "SHP409"
    name = "mode-dependent-output"
    severity = Severity.INFO
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 4)
        self.aux = nn.Linear(8, 4)

    def forward(self, x):
        if self.training:
            return self.fc(x), self.aux(x)
        return self.fc(x)
""",
        ("2,8",),
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 4)
        self.aux = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(x), self.aux(x)
""",
        ("2,8",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        train, evaluated = walked.traces.get(Mode.TRAIN), walked.traces.get(Mode.EVAL)
        if (
            train is None
            or evaluated is None
            or train.failure_count
            or evaluated.failure_count
        ):
            return
        given = (train.output, evaluated.output)
        if (
            None in given
            or given[0] == given[1]
            or train.assumptions
            or evaluated.assumptions
        ):
            return
        diagnostic = self.diagnostic(
            f"the model gives {given[0]} in train mode and {given[1]} in eval mode"
        )
        yield Finding(diagnostic.at(_forward(walked), otherwise=NoPlace.NO_SOURCE))


def _forward(walked: Walked) -> Span | None:
    """Where the model's `forward` is defined."""
    file, name = walked.homes.get("", ("", ""))
    source = parse_file(file, walked.texts) if file else None
    for owner in ast.walk(source.tree) if source is not None else ():
        if isinstance(owner, ast.ClassDef) and owner.name == name:
            for node in owner.body:
                if isinstance(node, ast.FunctionDef) and node.name == "forward":
                    return Span(file, node.lineno)
    return None
