"""SHP405."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Edit, Severity
from shapelint.facts.findings import Candidate, Finding
from shapelint.reading.call_places import nodes_around
from shapelint.reading.modes import Where
from shapelint.reading.script import Script
from shapelint.reading.source_rule import SourceRule
from shapelint.reading.vocabulary import MODEL_WORDS, words_of
from shapelint.syntax.edits import replacement

METHODS = ("eval", "train", "zero_grad", "step", "backward")

SET_THE_FLAG = ("train", "eval", "__init__")
"""Methods in which a module sets `training` itself: nn.Module.__init__ and its train()
do."""

ONLY_OF_MODELS = ("parameters", "state_dict", "eval", "modules")


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
            if isinstance(node, ast.Assign):
                yield from self._find_set_by_hand(script, node)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute):
                yield from self._find_only_named(script, node.value)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                yield from self._find_thrown_away(script, node.value)

    def _finding(
        self,
        script: Script,
        node: ast.expr | ast.stmt,
        message: str,
        label: str,
        candidates: tuple[Candidate, ...] = (),
    ) -> Finding:
        draft = replace(self.diagnostic(message), label=label)
        return Finding(draft.at(script.source.span(node)), candidates=candidates)

    def _find_only_named(
        self, script: Script, node: ast.Attribute
    ) -> Iterator[Finding]:
        """A statement that is only `model.eval`."""
        if node.attr not in METHODS:
            return
        text = script.source.segment(node)
        edit = replacement(script.source, node, f"{text}()")
        yield self._finding(
            script,
            node,
            f"`{text}` is named but not called",
            "does nothing",
            (_candidate(f"{text}()", edit),),
        )

    def _find_set_by_hand(self, script: Script, node: ast.Assign) -> Iterator[Finding]:
        """An assignment `model.training = False`."""
        target, value = node.targets[0], node.value
        if len(node.targets) > 1 or not isinstance(target, ast.Attribute):
            return
        if target.attr != "training" or not isinstance(value, ast.Constant):
            return
        # `model.training = training` may be anything.
        if not isinstance(value.value, bool) or _sets_the_flag(script, node):
            return
        owner = script.source.segment(target.value)
        if not _is_a_model(script, owner):
            return
        call = f"{owner}.{'train' if value.value else 'eval'}()"
        edit = replacement(script.source, node, call)
        yield self._finding(
            script,
            node,
            f"`{owner}.training` is set by hand, which reaches none of its layers",
            f"`{call}` sets it for all",
            (_candidate(call, edit),),
        )

    def _find_thrown_away(self, script: Script, node: ast.Call) -> Iterator[Finding]:
        """A statement `copy.deepcopy(model).eval()`, whose result is discarded."""
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in ("eval", "train"):
            return
        if not isinstance(func.value, ast.Call):
            return
        if script.source.segment(func.value.func).endswith("deepcopy"):
            yield self._finding(
                script,
                node,
                f"the copy that `{func.attr}()` is called on is thrown away",
                "the result is not kept",
            )


def _candidate(text: str, edit: Edit) -> Candidate:
    return Candidate(f"`{text}`", (edit,))


def _is_a_model(script: Script, owner: str) -> bool:
    """Whether an object is named like a model, and the file calls it or one of the
    methods that only models have. The flag of a single layer may be set by hand."""
    if words_of(owner.rpartition(".")[2]).isdisjoint(MODEL_WORDS):
        return False
    segment = script.source.segment
    for call in script.source.calls.values():
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr in ONLY_OF_MODELS:
            func = func.value
        if segment(func) == owner:
            return True
    return False


def _sets_the_flag(script: Script, node: ast.stmt) -> bool:
    """Whether a statement is in a method that may set `training`."""
    for each in nodes_around(Where(script.source, node)):
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return each.name in SET_THE_FLAG
    return False
