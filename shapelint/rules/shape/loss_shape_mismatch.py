"""SHP116."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint import ops
from shapelint.changes.layer_inputs import cast_operand
from shapelint.changes.operands import rewrite_operands
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Failure
from shapelint.facts.tensors import Shape, TensorFact
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Op, Target
from shapelint.syntax.walked_calls import (
    find_failed_calls,
    finding_at_call,
    name_layer,
    shape_text,
)


class LossShapeMismatch(Rule):
    """
    ## What it does
    Finds a loss in the forward whose target does not have the shape or dtype that the
    prediction requires.

    ## Why is this bad?
    The forward raises. `cross_entropy` takes scores of (batch, classes, ...) and
    targets of (batch, ...) that hold class indices, or probabilities in the shape of
    the scores. Other losses take a target in the shape of the prediction.

    ## Fix
    Use `target.squeeze(1)`, `target.long()`, or scores with the classes in dimension 1.

    ## References
    - torch.nn.CrossEntropyLoss, "Shape"
    """

    code = "SHP116"
    name = "loss-shape-mismatch"
    # most losses broadcast inside, and refuse dtypes as other ops do
    supersedes = ("SHP104", "SHP114", "SHP119")
    bad = Example(
        """
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 4)

    def forward(self, x, target):
        return F.cross_entropy(self.fc(x), target)
""",
        ("8,16", "8,1:int64"),
        raises="RuntimeError: 0D or 1D target tensor expected, multi-target not supported",
    )
    good = Example(
        """
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 4)

    def forward(self, x, target):
        return F.cross_entropy(self.fc(x), target.squeeze(1))
""",
        ("8,16", "8,1:int64"),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in find_failed_calls(walked, *ops.where(_has_target)):
            scores, target = failure.arg(0, "input"), failure.arg(1, "target")
            if not isinstance(scores, TensorFact) or not isinstance(target, TensorFact):
                continue
            wanted = _target_shape(failure.op, scores.shape)
            if wanted != target.shape:
                expected, found = shape_text(wanted), shape_text(target.shape)
                name = f"{name_layer(call)} on {shape_text(scores.shape)}"
            else:
                expected, found = _target_dtype(failure, target), target.dtype
                name = name_layer(call)
            message = f"{name} takes a target of {expected} but gets {found}"
            draft = self.mismatch(message, expected, found)
            candidates = _find_candidates(walked, call, failure.op)
            yield finding_at_call(walked, trace, call, draft, candidates)


def _has_target(op: Op) -> bool:
    return op.target is not Target.NONE


def _takes_classes(op: str) -> bool:
    return ops.of(op).target is Target.CLASSES


def _target_shape(op: str, scores: Shape) -> Shape:
    """The shape that the target must have (torch.nn.CrossEntropyLoss, "Shape"): (N, d1,
    ...) for scores of (N, C, d1, ...); for other losses, the shape of the
    prediction."""
    if not _takes_classes(op):
        return scores
    if len(scores) < 2:
        return ()
    return (scores[0], *scores[2:])


def _target_dtype(failure: Failure, target: TensorFact) -> str:
    is_float = target.dtype.startswith(("f", "bf"))
    if _takes_classes(failure.op) and is_float:
        return "i64"  # the only dtype of class indices that every loss takes
    # the dtype with which the call works
    return failure.cast_to or "f32"


def _is_one_hot(call: Call) -> bool:
    """Whether the target has the shape of the scores, in whole numbers: a one for the
    class of each row."""
    failure = call.failure
    if failure is None or not _takes_classes(failure.op):
        return False
    scores, target = failure.arg(0, "input"), failure.arg(1, "target")
    is_whole = not target.dtype.startswith(("f", "bf"))
    return bool(scores.shape == target.shape and is_whole and len(scores.shape) > 1)


def _find_candidates(walked: Walked, call: Call, op: str) -> Iterator[Candidate]:
    scores = call.inputs[0].shape

    def fits(shapes: list[Shape]) -> bool:
        if len(shapes) < 2 or shapes[1] != _target_shape(op, shapes[0]):
            return False
        # a dimension beside the classes makes no class of what is none
        return not _takes_classes(op) or len(shapes[0]) == len(scores)

    if _is_one_hot(call):
        yield from cast_operand(walked, call, 1, ".argmax(1)")
    method = ".long()" if _takes_classes(op) else ".float()"
    yield from cast_operand(walked, call, 1, method)
    yield from rewrite_operands(walked, call, fits)
