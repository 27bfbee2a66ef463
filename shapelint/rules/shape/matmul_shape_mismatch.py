"""SHP106."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shapelint.changes.operands import turned
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Failure, Shape, Walked
from shapelint.rules.shape.elementwise_shape_mismatch import clashing
from shapelint.syntax.walked_calls import at_call, failed_calls, shape_text, subject

OPS = ("matmul", "rmatmul", "mm", "bmm", "addmm", "baddbmm", "mv", "dot", "einsum")


class MatmulShapeMismatch(Rule):
    """
    ## What it does
    Finds `@`, `torch.matmul`, `mm`, `bmm` and `einsum` of operands whose sizes do not
    fit.

    ## Why is this bad?
    The forward raises. Mostly one operand lacks a transpose (`q @ k` for `q @
    k.transpose(-2, -1)`), or heads and positions were left in the wrong order.

    ## Fix
    The last dimension of the left operand must be the second to last of the right one.
    """

    code = "SHP106"
    name = "matmul-shape-mismatch"
    supersedes = ("SHP119",)
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(16, 16)
        self.key = nn.Linear(16, 16)

    def forward(self, x):
        scores = self.query(x) @ self.key(x)
        return scores.softmax(dim=-1)
""",
        ("2,10,16",),
        raises="RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [2, 16] but got: [2, 10].",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(16, 16)
        self.key = nn.Linear(16, 16)

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1)
        return scores.softmax(dim=-1)
""",
        ("2,10,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked, *OPS):
            failure = call.failure
            assert failure is not None
            facts = failure.tensors
            if len({fact.dtype for fact in facts}) > 1:
                continue
            texts = " by ".join(shape_text(fact.shape) for fact in facts)
            equation = (
                f" as `{failure.args[0]}`"
                if failure.op == "einsum" and isinstance(failure.args[0], str)
                else ""
            )
            diagnostic = replace(
                self.diagnostic(f"{subject(call)} cannot multiply {texts}{equation}"),
                label=_difference(failure),
                expected=shape_text(facts[0].shape) if facts else None,
                found=shape_text(facts[-1].shape) if facts else None,
            )
            candidates = (
                tuple(turned(walked, call, _multiplies(failure.op)))
                if failure.op != "einsum"
                else ()
            )
            yield Finding(
                at_call(diagnostic, walked, trace, call),
                trace.mode,
                call.index,
                candidates,
            )


def _multiplies(op: str) -> Callable[[list[Shape]], bool]:
    """Whether changed shapes could be multiplied, batch by batch."""

    def fits(shapes: list[Shape]) -> bool:
        if len(shapes) < 2:  # the other one cannot be told apart in the source
            return False
        left, right = shapes[-2:] if op != "rmatmul" else shapes[-2:][::-1]
        if len(left) < 2 or len(right) < 2:
            return (
                bool(left and right) and left[-1] == right[-2 if len(right) > 1 else 0]
            )
        return left[-1] == right[-2] and clashing([left[:-2], right[:-2]]) is None

    return fits


def _difference(failure: Failure) -> str:
    shapes = [fact.shape for fact in failure.tensors[-2:]]
    if failure.op == "einsum" or len(shapes) < 2:
        return failure.message
    left, right = reversed(shapes) if failure.op == "rmatmul" else shapes
    inner = right[-2] if len(right) > 1 else (right[0] if right else 0)
    if left and right and left[-1] != inner:
        return f"{left[-1]} columns on the left, {inner} rows on the right"
    return "the batch dimensions differ"
