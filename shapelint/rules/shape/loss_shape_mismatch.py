"""SHP116."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.layer_inputs import cast
from shapelint.changes.operands import turned
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Shape, TensorFact, Walked
from shapelint.syntax.walked_calls import at_call, failed_calls, shape_text

CLASSES = ("cross_entropy", "nll_loss")
LIKE = (
    *(
        "mse_loss",
        "l1_loss",
        "smooth_l1_loss",
        "huber_loss",
        "binary_cross_entropy",
        "soft_margin_loss",
    ),
    *(
        "binary_cross_entropy_with_logits",
        "kl_div",
        "poisson_nll_loss",
        "gaussian_nll_loss",
        "multilabel_margin_loss",
    ),
)


class LossShapeMismatch(Rule):
    """
    ## What it does
    Finds a loss in the forward whose target has not the shape or dtype that belongs to
    the prediction.

    ## Why is this bad?
    The forward raises. `cross_entropy` takes scores of (batch, classes, ...) and
    targets of (batch, ...), whole numbers or probabilities of the scores' own shape;
    the others take a target like the prediction.

    ## Fix
    `target.squeeze(1)`, `target.long()`, scores with the classes in dimension 1.

    ## References
    - torch.nn.CrossEntropyLoss, "Shape"
    """

    code = "SHP116"
    name = "loss-shape-mismatch"
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
        for trace, call in failed_calls(walked, *CLASSES, *LIKE):
            failure = call.failure
            assert failure is not None
            scores, target = failure.arg(0, "input"), failure.arg(1, "target")
            if not isinstance(scores, TensorFact) or not isinstance(target, TensorFact):
                continue
            name = f"`{call.op}`" if call.is_module else f"`F.{call.op}`"
            wanted = _wanted(failure.op, scores)
            if wanted != target.shape:
                message = f"{name} of {shape_text(scores.shape)} takes a target of {shape_text(wanted)}"
                message += f" but gets {shape_text(target.shape)}"
                label = (
                    f"{shape_text(wanted)} expected, {shape_text(target.shape)} found"
                )
                pair = (shape_text(wanted), shape_text(target.shape))
            else:
                dtype = (
                    "i64"
                    if failure.op in CLASSES and target.dtype.startswith(("f", "bf"))
                    else failure.cast_to or "f32"
                )
                message = f"{name} takes a target of {dtype} but gets {target.dtype}"
                label, pair = (
                    f"{dtype} expected, {target.dtype} found",
                    (dtype, target.dtype),
                )
            diagnostic = replace(
                self.diagnostic(message), label=label, expected=pair[0], found=pair[1]
            )
            candidates = tuple(_candidates(walked, call, failure.op))
            yield Finding(
                at_call(diagnostic, walked, trace, call),
                trace.mode,
                call.index,
                candidates,
            )


def _wanted(op: str, scores: TensorFact) -> Shape:
    """The target's shape: (N, C, d) asks for (N, d); the others for the prediction's
    own."""
    if op not in CLASSES:
        return scores.shape
    return (*scores.shape[:1], *scores.shape[2:]) if len(scores.shape) > 1 else ()


def _candidates(walked: Walked, call: Call, op: str) -> Iterator[Candidate]:
    def fits(shapes: list[Shape]) -> bool:
        if len(shapes) < 2:
            return False
        return shapes[1] == _wanted(op, TensorFact("f32", shapes[0]))

    yield from cast(walked, call, 1, ".long()" if op in CLASSES else ".float()")
    yield from turned(walked, call, fits)
