"""SHP408."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Trace, Walked
from shapelint.facts.places import Span
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import ParsedFile, parse_file

OVERRIDES = ("train", "eval")


class BrokenTrainOverride(Rule):
    """
    ## What it does
    Finds methods called `train` or `eval` of a model that take the place of
    `nn.Module`'s and do not do its work: without the parameter `mode` (`eval()` calls
    `train(False)`), without a call of `super()` so that the layers inside are not
    reached, or without a result. Overrides that call `super()` and then pin parts of
    the model to a mode are right.

    ## Why is this bad?
    `model.eval()` raises, or runs a training loop, or leaves dropout and batch norm as
    in training.

    ## Fix
    `def train(self, mode=True): super().train(mode); ...; return self`; another name
    for a training loop.

    ## References
    - torch.nn.Module.train, torch.nn.Module.eval
    """

    code = "SHP408"
    name = "broken-train-override"
    severity = Severity.WARNING
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def train(self, mode=True):
        self.training = mode
        return self

    def forward(self, x):
        return self.drop(x)
""",
        ("2,8",),
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def train(self, mode=True):
        super().train(mode)
        return self

    def forward(self, x):
        return self.drop(x)
""",
        ("2,8",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        raises = any(switching(trace) for trace in walked.traces.values())
        for source, layer, owner, method, wrong in broken_overrides(walked):
            severity = Severity.ERROR if raises else Severity.WARNING
            yield self._finding(source, layer, owner, method, wrong, severity)

    def _finding(
        self,
        source: ParsedFile,
        layer: str,
        owner: str,
        method: ast.FunctionDef,
        wrong: tuple[str, str],
        severity: Severity,
    ) -> Finding:
        message, what = wrong
        span = Span(
            source.file,
            method.lineno,
            method.col_offset + 1,
            method.lineno,
            method.col_offset + 4,
        )
        draft = replace(
            self.diagnostic(
                f"`{owner}.{method.name}` takes the place of `nn.Module.{method.name}` {message}",
                severity,
            ),
            label=what,
            layer=layer,
        )
        return Finding(draft.at(span), candidates=tuple(_candidates(source, method)))


def switching(trace: Trace) -> bool:
    """Whether it was `train()` or `eval()` that raised, before any forward."""
    return trace.raised is not None and any(
        f"model.{name}()" in trace.raised.doing for name in OVERRIDES
    )


def broken_overrides(
    walked: Walked,
) -> Iterator[tuple[ParsedFile, str, str, ast.FunctionDef, tuple[str, str]]]:
    """Each override that does not do what it takes the place of: file, layer, class,
    method, what is wrong."""
    seen: set[tuple[str, str]] = set()
    for layer, home in walked.homes.items():
        if home in seen or not home[0] or "site-packages" in home[0]:
            continue
        seen.add(home)
        source = parse_file(home[0], walked.texts)
        for method in _overrides(source, home[1]) if source is not None else ():
            wrong = _wrong(method)
            if source is not None and wrong is not None:
                yield source, layer, home[1], method, wrong


def _overrides(source: ParsedFile, owner: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name in OVERRIDES:
                    yield item


def _wrong(method: ast.FunctionDef) -> tuple[str, str] | None:
    """What an override does not do: for the message, and for its place."""
    spec = method.args
    names = [arg.arg for arg in [*spec.posonlyargs, *spec.args]][1:]
    required = (
        len(names)
        - len(spec.defaults)
        + sum(default is None for default in spec.kw_defaults)
    )
    if (
        method.name == "train"
        and not names
        and spec.vararg is None
        and spec.kwarg is None
    ):
        return "without its parameter `mode`", "`eval()` calls `train(False)`"
    if required > (1 if method.name == "train" else 0):
        return (
            "with parameters of its own",
            f"`{'eval' if method.name == 'train' else 'model.eval'}()` gives it none",
        )
    if method.name == "train" and names and not _speaks_of_a_mode(names[0]):
        return "with parameters of its own", "`eval()` calls `train(False)`"
    if not _reaches_layers(method):
        return (
            "and does not reach the layers inside",
            "no `super()`, no layer is switched",
        )
    if not _returns(method):
        return "and gives nothing back", "`model.eval()` is None"
    return None


def _speaks_of_a_mode(name: str) -> bool:
    return any(
        word in name.lower()
        for word in ("mode", "train", "flag", "enable", "is_", "on")
    )


def _reaches_layers(method: ast.FunctionDef) -> bool:
    """Whether it calls `super().train`, `nn.Module.train`, or `train` or `eval` of
    something itself."""
    for node in ast.walk(method):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in OVERRIDES
        ):
            return True
    return False


def _returns(method: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Return) and node.value is not None
        for node in ast.walk(method)
    )


def _candidates(source: ParsedFile, method: ast.FunctionDef) -> Iterator[Candidate]:
    """`super().train(mode)` at the beginning; `return self` at the end."""
    names = [arg.arg for arg in method.args.args]
    if method.name == "train" and len(names) == 2 and not _reaches_layers(method):
        first = method.body[0]
        text = f"super().train({names[1]})\n{' ' * first.col_offset}{source.segment(first)}"
        yield Candidate(
            f"`super().train({names[1]})`", (replacement(source, first, text),)
        )
    elif _reaches_layers(method) and not _returns(method):
        last = method.body[-1]
        text = f"{source.segment(last)}\n{' ' * last.col_offset}return self"
        yield Candidate("`return self`", (replacement(source, last, text),))
