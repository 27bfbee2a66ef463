"""SHP106."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes.operands import rewrite_operands
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.broadcasting import find_clash
from shapelint.ops.record import Family
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import find_failed_calls, finding_at_call, shape_text


class MatmulShapeMismatch(Rule):
    """
    ## What it does
    Finds `@`, `torch.matmul`, `mm`, `bmm` and `einsum` whose operands do not fit
    together.

    ## Why is this bad?
    The forward raises. Usually one operand lacks a transpose (`q @ k` instead of `q @
    k.transpose(-2, -1)`), or heads and positions are in the wrong order.

    ## Fix
    The last dimension of the left operand must equal the second-to-last dimension of
    the right one.
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
        raises="RuntimeError: Expected size for first two dimensions of batch2 tensor to "
        "be: [2, 16] but got: [2, 10].",
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
        for trace, call, failure in find_failed_calls(
            walked, *ops.in_family(Family.MATMUL)
        ):
            facts = failure.tensors
            # different dtypes fail whatever the sizes; another rule reports them
            has_one_dtype = len({fact.dtype for fact in facts}) <= 1
            if not has_one_dtype:
                continue
            texts = [shape_text(fact.shape) for fact in facts]
            is_einsum = failure.op == "einsum"
            equation = failure.args[0] if is_einsum else None
            suffix = f" as `{equation}`" if isinstance(equation, str) else ""
            draft = replace(
                self.diagnostic(
                    f"{subject(call)} cannot multiply {' by '.join(texts)}{suffix}"
                ),
                label=_describe_difference(failure),
                expected=texts[0] if texts else None,
                found=texts[-1] if texts else None,
            )
            fits = _multiplies(failure.op)
            # of an einsum it is as likely the equation that is wrong
            candidates = [] if is_einsum else rewrite_operands(walked, call, fits)
            yield finding_at_call(walked, trace, call, draft, candidates)


def _order_operands(op: str, shapes: list[Shape]) -> tuple[Shape, Shape]:
    """The left and the right operand: the last two tensors, since `addmm` has a summand
    before them; in reverse order for `y.__rmatmul__(x)`."""
    first, second = shapes[-2:]
    return (second, first) if op == "rmatmul" else (first, second)


def _rows(shape: Shape) -> int:
    """The size of the right operand that the columns of the left one must equal; for a
    vector, its length (torch.matmul)."""
    return shape[-2] if len(shape) > 1 else shape[-1]


def _multiplies(op: str) -> Callable[[list[Shape]], bool]:
    """Make a test of whether changed shapes can be multiplied, batch by batch."""

    def fits(shapes: list[Shape]) -> bool:
        if len(shapes) < 2:  # the other one cannot be told apart in the source
            return False
        left, right = _order_operands(op, shapes)
        if not left or not right or left[-1] != _rows(right):
            return False
        if len(left) < 2 or len(right) < 2:
            return True
        return find_clash([left[:-2], right[:-2]]) is None

    return fits


def _describe_difference(failure: Failure) -> str:
    shapes = [fact.shape for fact in failure.tensors]
    if failure.op == "einsum" or len(shapes) < 2:
        return failure.message
    left, right = _order_operands(failure.op, shapes)
    if left and right and left[-1] != _rows(right):
        return f"{left[-1]} columns on the left, {_rows(right)} rows on the right"
    return "the batch dimensions differ"
