"""SHP117."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.inplace_writes import clone_result, write_elsewhere
from shapelint.facts.diagnostics import Related, Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Spoiled, Trace
from shapelint.facts.kinds import NoPlace
from shapelint.facts.walked_target import Walked
from shapelint.ops.wording import subject
from shapelint.syntax.spans import span_of
from shapelint.syntax.walked_calls import find_failed_calls, finding_at_call, shape_text


class InplaceBreaksBackward(Rule):
    """
    ## What it does
    Finds tensors that autograd saved for the gradient and that are overwritten in place
    afterwards, and in-place writes that autograd refuses at once, such as to a
    parameter or to one of the views that `chunk` returns.

    ## Why is this bad?
    The forward runs, and `loss.backward()` raises, far from the line that wrote.

    ## Fix
    Write `x = x + y` instead of `x += y`, set `inplace=False`, or write to a
    `.clone()`.

    ## References
    - torch.autograd, "In-place correctness checks"
    """

    code = "SHP117"
    name = "inplace-breaks-backward"
    # shapes are right: without a gradient the call runs
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
        raises="RuntimeError: one of the variables needed for gradient computation has "
        "been modified by an inplace "
        "operation: [torch.FloatTensor [2, 16]], which is output 0 of Sigmoid, is "
        "at version 1; expected version 0 "
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
        for trace, call, failure in find_failed_calls(walked):
            if failure.by_autograd:
                message = f"{subject(call)} writes in place to a tensor that autograd protects"
                draft = replace(self.diagnostic(message), label=failure.message)
                candidates = write_elsewhere(walked, call)
                yield finding_at_call(walked, trace, call, draft, candidates)
        for trace in walked.traces.values():
            for spoiled in trace.spoiled:
                yield self._report_spoiled(walked, trace, spoiled)

    def _report_spoiled(
        self, walked: Walked, trace: Trace, spoiled: Spoiled
    ) -> Finding:
        writer, saver = spoiled.written_by, spoiled.saved_by
        by = subject(writer) if writer is not None else "an operation"
        needed_by = subject(saver) if saver is not None else "another operation"
        shape = shape_text(spoiled.shape)
        # a later result may never be differentiated
        severity = Severity.ERROR if spoiled.first else Severity.WARNING
        draft = self.diagnostic(
            f"{by} overwrites the {shape} that {needed_by} needs for its gradient",
            severity,
        )
        site = writer.site if writer is not None else None
        span = span_of(site, walked.texts) if site is not None else None
        draft = replace(
            draft,
            layer=writer.layer if writer is not None else "",
            label="written in place; `backward()` raises",
            related=_relate_saver(walked, saver),
        )
        candidates = tuple(_find_candidates(walked, spoiled))
        placed = draft.at(span, otherwise=NoPlace.NO_SOURCE)
        return Finding(placed, trace.mode, None, candidates)


def _relate_saver(walked: Walked, saver: Call | None) -> tuple[Related, ...]:
    if saver is None or saver.site is None:
        return ()
    span = span_of(saver.site, walked.texts)
    return (Related(span, f"{subject(saver)} saved it here"),)


def _find_candidates(walked: Walked, spoiled: Spoiled) -> Iterator[Candidate]:
    if spoiled.written_by is None:
        return
    yield from write_elsewhere(walked, spoiled.written_by)
    if spoiled.saved_by is not None:
        layer = spoiled.written_by.layer
        yield from clone_result(walked, spoiled.saved_by, layer)
