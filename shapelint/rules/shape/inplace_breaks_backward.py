"""SHP117."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.facts.diagnostics import Related, Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Spoiled, Walked
from shapelint.facts.kinds import Mode, NoPlace
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.edits import replacement
from shapelint.syntax.spans import span_of
from shapelint.syntax.trees import parse_file
from shapelint.syntax.walked_calls import at_call, failed_calls, shape_text, subject


class InplaceBreaksBackward(Rule):
    """
    ## What it does
    Finds tensors that autograd had saved for the gradient and that are written in place
    afterwards, and writes in place that autograd forbids at once, as to a parameter or
    to one of the views that `chunk` gives.

    ## Why is this bad?
    The forward runs, and `loss.backward()` raises, far away from the line that wrote.

    ## Fix
    `x = x + y` for `x += y`, `inplace=False`, or a `.clone()` of what is written.

    ## References
    - torch.autograd, "In-place correctness checks"
    """

    code = "SHP117"
    name = "inplace-breaks-backward"
    supersedes = ("SHP104", "SHP119")
    bad = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(16, 16)

    def forward(self, x):
        weight = torch.sigmoid(self.gate(x))
        weight += 1
        return x * weight
""",
        ("2,16",),
        backward=True,
        raises="RuntimeError: one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.FloatTensor [2, 16]], which is output 0 of Sigmoid, is at version 1; expected version 0 "
        "instead.",
    )
    good = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(16, 16)

    def forward(self, x):
        weight = torch.sigmoid(self.gate(x))
        weight = weight + 1
        return x * weight
""",
        ("2,16",),
        backward=True,
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked):
            if call.failure is not None and call.failure.by_autograd:
                diagnostic = self.diagnostic(
                    f"{subject(call)} writes in place what autograd does not allow to be written"
                )
                diagnostic = replace(diagnostic, label=call.failure.message)
                candidates = tuple(_candidates(walked, call, None))
                yield Finding(
                    at_call(diagnostic, walked, trace, call),
                    trace.mode,
                    call.index,
                    candidates,
                )
        for trace in walked.traces.values():
            for spoiled in trace.spoiled:
                yield self._spoiled(walked, trace.mode, spoiled)

    def _spoiled(self, walked: Walked, mode: Mode, spoiled: Spoiled) -> Finding:
        writer, saver = spoiled.written_by, spoiled.saved_by
        what = (
            f"{shape_text(spoiled.shape)} that {subject(saver)} needs"
            if saver is not None
            else "what is needed"
        )
        by = (
            f"{subject(writer)} overwrites"
            if writer is not None
            else "something overwrites"
        )
        severity = Severity.ERROR if spoiled.first else Severity.WARNING
        diagnostic = self.diagnostic(f"{by} the {what} for its gradient", severity)
        site = writer.site if writer is not None else None
        related: tuple[Related, ...] = ()
        if saver is not None and saver.site is not None:
            related = (
                Related(
                    span_of(saver.site, walked.texts), f"{subject(saver)} saved it here"
                ),
            )
        span = span_of(site, walked.texts) if site is not None else None
        whole = replace(
            diagnostic,
            layer=writer.layer if writer is not None else "",
            label="written in place; `backward()` raises",
            related=related,
        )
        return Finding(
            whole.at(span, otherwise=NoPlace.NO_SOURCE),
            mode,
            None,
            tuple(_candidates(walked, writer, saver)) if writer is not None else (),
        )


def _candidates(
    walked: Walked, writer: Call, saver: Call | None
) -> Iterator[Candidate]:
    yield from _not_in_place(walked, writer)
    made = call_at(saver.site, walked.texts) if saver is not None else None
    if made is not None and isinstance(
        made.source.parents.get(made.node), (ast.Assign, ast.AnnAssign)
    ):
        text = f"{made.text}.clone()"
        yield Candidate(
            f"`{text}`",
            (made.replaced(made.node, text),),
            writer.layer,
            group="out of place",
        )


def _not_in_place(walked: Walked, writer: Call) -> Iterator[Candidate]:
    group = "out of place"
    called = (
        layer_call(writer.definition, writer.module_class, walked.texts)
        if writer.is_module
        else call_at(writer.site, walked.texts)
    )
    if called is not None:
        for node in [
            word.value for word in called.node.keywords if word.arg == "inplace"
        ] + called.node.args:
            if isinstance(node, ast.Constant) and node.value is True:
                title = f"`{called.name}(inplace=False)`"
                yield Candidate(
                    title, (called.replaced(node, "False"),), writer.layer, group
                )
        yield from _method(called, writer.layer, group)
    yield from _augmented(walked, writer, group)


def _method(called: CallExpression, layer: str, group: str) -> Iterator[Candidate]:
    """`x = x.mul(y)` for the statement `x.mul_(y)`; `x.mul(y)` where the result is
    used."""
    func = called.node.func
    if (
        not isinstance(func, ast.Attribute)
        or not func.attr.endswith("_")
        or func.attr.endswith("__")
    ):
        return
    owner = called.source.segment(func.value)
    text = called.text.replace(
        f"{owner}.{func.attr}", f"{owner}.{func.attr.rstrip('_')}", 1
    )
    if isinstance(called.source.parents.get(called.node), ast.Expr):
        if not isinstance(func.value, ast.Name):
            return
        text = f"{owner} = {text}"
    yield Candidate(f"`{text}`", (called.replaced(called.node, text),), layer, group)


_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def _augmented(walked: Walked, writer: Call, group: str) -> Iterator[Candidate]:
    """`x = x + y` for `x += y`."""
    site, texts = writer.site, walked.texts
    source = parse_file(site.file, texts) if site is not None else None
    for node in ast.walk(source.tree) if source is not None else ():
        if not isinstance(node, ast.AugAssign) or writer.site is None or source is None:
            continue
        sign = _SIGNS.get(type(node.op))
        if (
            not node.lineno <= writer.site.line <= (node.end_lineno or 0)
            or sign is None
        ):
            continue
        target, value = source.segment(node.target), source.segment(node.value)
        if isinstance(
            node.value, (ast.BinOp, ast.IfExp, ast.BoolOp, ast.Compare, ast.Lambda)
        ):
            value = f"({value})"
        text = f"{target} = {target} {sign} {value}"
        yield Candidate(
            f"`{text}`", (replacement(source, node, text),), writer.layer, group
        )
