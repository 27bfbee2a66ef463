"""SHP114."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.layer_inputs import cast
from shapelint.changes.operands import operands
from shapelint.changes.other_inputs import float_input
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Walked
from shapelint.syntax.walked_calls import at_call, failed_calls, located, subject

_METHODS = {
    "f32": ".float()",
    "f64": ".double()",
    "f16": ".half()",
    "bf16": ".bfloat16()",
    "i64": ".long()",
    "b8": ".bool()",
    "bool": ".bool()",
}


class DtypeMismatch(Rule):
    """
    ## What it does
    Finds calls that fail only for the dtype of a tensor: integers or doubles fed to
    float weights, floats where a mask or an index is taken.

    ## Why is this bad?
    The forward raises. NumPy makes float64, images are uint8, masks come as floats;
    weights are float32.

    ## Fix
    `.float()`, `.long()`, `.bool()` where the tensor comes in.
    """

    code = "SHP114"
    name = "dtype-mismatch"
    supersedes = (
        "SHP101",
        "SHP102",
        "SHP103",
        "SHP104",
        "SHP106",
        "SHP108",
        "SHP109",
        "SHP119",
    )
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        return self.fc(x.double())
""",
        ("2,16",),
        raises="RuntimeError: mat1 and mat2 must have the same dtype, but got Double and Float",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        return self.fc(x.float())
""",
        ("2,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked):
            failure = call.failure
            assert failure is not None
            if not failure.cast_to or failure.op in ("cross_entropy", "nll_loss"):
                continue
            found = [
                fact.dtype for fact in failure.tensors if fact.dtype != failure.cast_to
            ]
            texts = " and ".join(dict.fromkeys(fact.dtype for fact in failure.tensors))
            diagnostic = replace(
                self.diagnostic(
                    f"{subject(call)} cannot take {texts}; with {failure.cast_to} it works"
                ),
                label=f"{failure.cast_to} expected, {found[0] if found else 'another'} found",
                expected=failure.cast_to,
                found=found[0] if found else None,
            )
            candidates = (
                *float_input(walked, call, failure.cast_to),
                *_casts(walked, call, failure.cast_to),
            )
            at = (
                at_call(diagnostic, walked, trace, call)
                if call.site is not None
                else located(diagnostic, walked, trace, call)
            )
            yield Finding(at, trace.mode, call.index, candidates)


def _casts(walked: Walked, call: Call, wanted: str) -> list[Candidate]:
    method = _METHODS.get(wanted, "")
    if not method:
        return []
    facts = call.inputs
    return [
        candidate
        for position in range(len(operands(walked, call)))
        if position < len(facts) and facts[position].dtype != wanted
        for candidate in cast(walked, call, position, method)
    ]
