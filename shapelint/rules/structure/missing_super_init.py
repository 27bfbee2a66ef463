"""SHP504."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.super_calls import correct_super_call
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.kinds import Mode, NoPlace
from shapelint.facts.places import Span
from shapelint.facts.walked_target import Walked
from shapelint.syntax.trees import ParsedFile, parse_file


class MissingSuperInit(Rule):
    """
    ## What it does
    Finds a module, the model itself or one registered in it, on which
    `nn.Module.__init__` never ran, or ran too late. Such a module accepts plain
    attributes, so its constructor may succeed; the first layer that is set raises.

    ## Why is this bad?
    The module has no registry of parameters and layers: `train()`, `eval()`,
    `parameters()` and the call itself raise `AttributeError`.

    ## Fix
    Call `super().__init__()` as the first statement of `__init__`.

    ## References
    - torch.nn.Module
    """

    code = "SHP504"
    name = "missing-super-init"
    is_of_init = True
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        self.factor = 3

    def forward(self, x):
        return x * self.factor
""",
        ("1,8",),
        raises="AttributeError: 'Net' object has no attribute '_modules'",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = 3

    def forward(self, x):
        return x * self.factor
""",
        ("1,8",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        # one class, one bug, however many modules were made of it
        first_layers: dict[tuple[str, str], str] = {}
        for layer in walked.uninitialised:
            first_layers.setdefault(walked.homes[layer], layer)
        for trace in walked.traces.values():
            if not walked.lacks_init(trace):
                continue
            for (file, owner), layer in first_layers.items():
                source = parse_file(file, walked.texts)
                init = _find_constructor(source, owner)
                # a class without its own `__init__` inherits the faulty one
                if source is None or init is None:
                    message = f"`nn.Module.__init__` never ran on `{owner}`"
                    draft = replace(self.diagnostic(message), layer=layer)
                    placed = draft.at(None, otherwise=NoPlace.NO_SOURCE)
                    yield Finding(placed, trace.mode)
                else:
                    yield self._finding(source, init, owner, layer, trace.mode)

    def _finding(
        self,
        source: ParsedFile,
        init: ast.FunctionDef,
        owner: str,
        layer: str,
        mode: Mode,
    ) -> Finding:
        line, column = init.lineno, init.col_offset + 1
        end = column + len("def __init__")
        message = f"`{owner}.__init__` never calls `super().__init__()`"
        draft = replace(self.diagnostic(message), layer=layer)
        placed = draft.at(Span(source.file, line, column, line, end))
        candidate = correct_super_call(source, init, owner)
        return Finding(placed, mode, None, (candidate,) if candidate else ())


def _find_constructor(source: ParsedFile | None, owner: str) -> ast.FunctionDef | None:
    """The `__init__` that a class defines itself."""
    if source is None:
        return None
    return next(source.methods(owner, "__init__"), None)
