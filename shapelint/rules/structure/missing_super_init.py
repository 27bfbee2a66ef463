"""SHP504."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Trace, Walked
from shapelint.facts.kinds import Mode, NoPlace
from shapelint.facts.places import Span
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile, parse_file


class MissingSuperInit(Rule):
    """
    ## What it does
    Finds a module, the model or one registered in it, on which `nn.Module.__init__`
    never ran. Plain attributes can be set on such a module, so that its constructor
    passes.

    ## Why is this bad?
    It has no registry of parameters and layers: `train()`, `eval()`, `parameters()` and
    the call itself raise `AttributeError`.

    ## Fix
    `super().__init__()` as the first statement of `__init__`.

    ## References
    - torch.nn.Module
    """

    code = "SHP504"
    name = "missing-super-init"
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
        firsts: dict[tuple[str, str], str] = {}
        for layer in walked.uninitialised:
            firsts.setdefault(walked.homes[layer], layer)
        for trace in walked.traces.values():
            for (file, owner), layer in (
                firsts.items() if met_uninitialised(walked, trace) else ()
            ):
                yield self._finding(walked, file, owner, layer, trace.mode)

    def _finding(
        self, walked: Walked, file: str, owner: str, layer: str, mode: Mode
    ) -> Finding:
        source = parse_file(file, walked.texts)
        init = _constructor(source, owner) if source is not None else None
        if source is None or init is None:
            message = f"`nn.Module.__init__` never ran on a `{owner}`"
            draft = replace(self.diagnostic(message), layer=layer)
            return Finding(draft.at(None, otherwise=NoPlace.NO_SOURCE), mode)
        diagnostic = self.diagnostic(
            f"`{owner}.__init__` never calls `super().__init__()`"
        )
        span = Span(
            file,
            init.lineno,
            init.col_offset + 1,
            init.lineno,
            init.col_offset + len("def __init__") + 1,
        )
        first = init.body[0]
        text = f"super().__init__()\n{' ' * first.col_offset}{source.segment(first)}"
        edit = replacement(source, first, text)
        return Finding(
            replace(diagnostic, layer=layer).at(span),
            mode,
            None,
            (
                Candidate(
                    "`super().__init__()` as the first statement",
                    (edit,),
                    layer,
                    likely=1.0,
                ),
            ),
        )


def met_uninitialised(walked: Walked, trace: Trace) -> bool:
    """Whether a walk ended on a module without the registries of torch."""
    return (
        bool(walked.uninitialised)
        and trace.raised is not None
        and trace.raised.error_type == "AttributeError"
    )


def _constructor(source: ParsedFile, owner: str) -> ast.FunctionDef | None:
    """The `__init__` that a class of a file defines itself."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    return item
    return None
