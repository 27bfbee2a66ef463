"""SHP114."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes.layer_inputs import cast_operand
from shapelint.changes.operands import find_operands
from shapelint.changes.other_inputs import float_input
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Target
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import (
    find_failed_calls,
    finding_at_call,
    finding_at_layer,
)

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
    Finds calls that fail only because of a tensor's dtype: integers or doubles passed
    to float weights, floats passed as a mask or an index.

    ## Why is this bad?
    The forward raises. NumPy makes float64, images are uint8, masks arrive as floats;
    weights are float32.

    ## Fix
    Call `.float()`, `.long()` or `.bool()` where the tensor comes in.
    """

    code = "SHP114"
    name = "dtype-mismatch"
    # with another dtype the call runs, so these rules are wrong about its shapes
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
        for trace, call, failure in find_failed_calls(walked):
            wanted = failure.cast_to
            takes_classes = ops.of(failure.op).target is Target.CLASSES
            # the right dtype of their targets depends on the shape: SHP116
            if not wanted or takes_classes:
                continue
            dtypes = list(dict.fromkeys(fact.dtype for fact in failure.tensors))
            wrong = [dtype for dtype in dtypes if dtype != wanted]
            found = wrong[0] if wrong else None
            given = " and ".join(dtypes)
            draft = replace(
                self.diagnostic(
                    f"{subject(call)} does not accept {given}; it works with {wanted}"
                ),
                label=f"{wanted} expected, {found or 'another dtype'} found",
                expected=wanted,
                found=found,
            )
            candidates = [
                *float_input(walked, call, wanted),
                *_cast_operands(walked, call, wanted),
            ]
            # inside torch there is no expression to show; then the layer is
            is_called_by_user = call.site is not None
            place = finding_at_call if is_called_by_user else finding_at_layer
            yield place(walked, trace, call, draft, candidates)


def _cast_operands(walked: Walked, call: Call, wanted: str) -> Iterator[Candidate]:
    """Add `.float()` or similar to each operand of another dtype."""
    method = _METHODS.get(wanted)
    if method is None:
        return
    written = range(len(find_operands(walked, call)))
    for position, fact in zip(written, call.inputs, strict=False):
        if fact.dtype != wanted:
            yield from cast_operand(walked, call, position, method)
