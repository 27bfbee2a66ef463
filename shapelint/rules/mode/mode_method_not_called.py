"""SHP405."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.script import Script
from shapelint.reading.source_rule import SourceRule
from shapelint.reading.values import words_of
from shapelint.reading.words import MODEL_WORDS
from shapelint.syntax.edits import replacement

_METHODS = ("eval", "train", "zero_grad", "step", "backward")


class ModeMethodNotCalled(SourceRule):
    """
    ## What it does
    Finds statements that name `eval`, `train`, `zero_grad`, `step` or `backward` and do
    not call it, attributes `training` that are set by hand outside of a `train` method,
    and copies put into eval mode and thrown away.

    ## Why is this bad?
    `model.eval` does nothing at all, and nothing says so. `model.training = False`
    reaches the model and none of its layers.

    ## Fix
    The parentheses; `model.eval()`.

    ## References
    - torch.nn.Module.eval, torch.nn.Module.train
    """

    code = "SHP405"
    name = "mode-method-not-called"
    severity = Severity.WARNING
    bad_script = """
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5))
model.eval
print(model(torch.rand(1, 8)))
"""
    good_script = bad_script.replace("model.eval\n", "model.eval()\n")

    def check_script(self, script: Script) -> Iterator[Finding]:
        for node in ast.walk(script.source.tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute):
                yield from self._named_only(script, node.value)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1:
                yield from self._set_by_hand(script, node)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                yield from self._thrown_away(script, node.value)

    def _named_only(self, script: Script, node: ast.Attribute) -> Iterator[Finding]:
        if node.attr not in _METHODS:
            return
        text = script.source.segment(node)
        diagnostic = replace(
            self.diagnostic(f"`{text}` is named and not called"),
            label="does nothing",
        ).at(script.source.span(node))
        edit = replacement(script.source, node, f"{text}()")
        yield Finding(diagnostic, candidates=(Candidate(f"`{text}()`", (edit,)),))

    def _set_by_hand(self, script: Script, node: ast.Assign) -> Iterator[Finding]:
        target = node.targets[0]
        is_flag = isinstance(target, ast.Attribute) and target.attr == "training"
        if (
            not is_flag
            or not isinstance(target, ast.Attribute)
            or not isinstance(node.value, ast.Constant)
        ):
            return
        if not isinstance(node.value.value, bool) or _within(
            script, node, ("train", "eval", "__init__")
        ):
            return
        owner = script.source.segment(target.value)
        if not _is_a_model(script, owner):
            return
        method = "train" if node.value.value else "eval"
        diagnostic = replace(
            self.diagnostic(
                f"`{owner}.training` is set by hand, which reaches none of its layers"
            ),
            label=f"`{owner}.{method}()` sets it for all",
        ).at(script.source.span(node))
        edit = replacement(script.source, node, f"{owner}.{method}()")
        yield Finding(
            diagnostic, candidates=(Candidate(f"`{owner}.{method}()`", (edit,)),)
        )

    def _thrown_away(self, script: Script, node: ast.Call) -> Iterator[Finding]:
        """`copy.deepcopy(model).eval()`, whose result nobody takes."""
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in ("eval", "train"):
            return
        made = func.value
        if not isinstance(made, ast.Call) or not script.source.segment(
            made.func
        ).endswith("deepcopy"):
            return
        diagnostic = replace(
            self.diagnostic(
                f"the copy that `{func.attr}()` is called on is thrown away"
            ),
            label="nobody takes the result",
        ).at(script.source.span(node))
        yield Finding(diagnostic)


def _is_a_model(script: Script, owner: str) -> bool:
    """Whether it goes by a model's name, and the file calls it or asks it for what only
    a module has.

    Of a single layer the flag can be set by hand.
    """
    if not words_of(owner.rpartition(".")[2]) & MODEL_WORDS:
        return False
    for call in script.source.calls.values():
        func = call.func
        if script.source.segment(func) == owner:
            return True
        is_own = isinstance(func, ast.Attribute) and func.attr in (
            "parameters",
            "state_dict",
            "eval",
            "modules",
        )
        if (
            is_own
            and isinstance(func, ast.Attribute)
            and script.source.segment(func.value) == owner
        ):
            return True
    return False


def _within(script: Script, node: ast.AST, names: tuple[str, ...]) -> bool:
    current = script.source.parents.get(node)
    while current is not None and not isinstance(
        current, (ast.FunctionDef, ast.AsyncFunctionDef)
    ):
        current = script.source.parents.get(current)
    return current is not None and getattr(current, "name", "") in names
