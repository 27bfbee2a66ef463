"""SHP113."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.other_inputs import batched_input, input_candidates, spatial_dims
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Walked
from shapelint.ops import einops_patterns as patterns
from shapelint.ops.rearranging import dims_of
from shapelint.syntax.calls import call_at
from shapelint.syntax.walked_calls import (
    at_call,
    call_expression,
    failed_calls,
    located,
    made_by,
    shape_text,
    subject,
)

_NORM_RANKS = {
    "BatchNorm1d": (2, 3),
    "BatchNorm2d": (4,),
    "BatchNorm3d": (5,),
    "InstanceNorm1d": (2, 3),
    "InstanceNorm2d": (3, 4),
    "InstanceNorm3d": (4, 5),
}


_RESAMPLED = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}

_OF_EACH_RANK = {
    *(
        "Conv",
        "ConvTranspose",
        "MaxPool",
        "AvgPool",
        "AdaptiveAvgPool",
        "AdaptiveMaxPool",
        "BatchNorm",
        "InstanceNorm",
    ),
    *(
        "conv",
        "conv_transpose",
        "max_pool",
        "avg_pool",
        "adaptive_avg_pool",
        "adaptive_max_pool",
    ),
}
"""What torch has for one, two and three spatial dimensions."""

_TAKES_DIMS = {
    *(
        "transpose",
        "swapaxes",
        "permute",
        "mean",
        "sum",
        "amax",
        "amin",
        "max",
        "min",
        "argmax",
        "argmin",
        "softmax",
    ),
    *(
        "log_softmax",
        "squeeze",
        "flatten",
        "unbind",
        "cumsum",
        "norm",
        "std",
        "var",
        "logsumexp",
        "prod",
        "all",
        "any",
    ),
}
"""Ops whose whole-number arguments, beside the tensor, are dimensions."""


class RankMismatch(Rule):
    """
    ## What it does
    Finds layers that are fed too few or too many dimensions: an image without its batch
    or channel dimension, a feature map that was not flattened, a sequence where a
    vector was meant.

    ## Why is this bad?
    The forward raises, mostly about a size that is not the cause.

    ## Fix
    `unsqueeze` the missing dimension, `flatten` the superfluous ones, or the norm of
    the right rank.

    ## References
    - torch.nn.Conv2d takes (N, C, H, W) or (C, H, W); torch.nn.BatchNorm1d (N, C) or
      (N, C, L)"""

    code = "SHP113"
    name = "rank-mismatch"
    supersedes = ("SHP101", "SHP102", "SHP103", "SHP107", "SHP111", "SHP119")
    leaves_size_open = True
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)

    def forward(self, x):
        return self.conv(x)
""",
        ("28,28",),
        raises="RuntimeError: Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [28, 28]",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)

    def forward(self, x):
        return self.conv(x.unsqueeze(0))
""",
        ("28,28",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call in failed_calls(walked):
            failure = call.failure
            if failure is None or not failure.tensors:
                continue
            ranks = _ranks(call)
            shape = failure.tensors[0].shape
            if ranks is None or len(shape) in ranks:
                continue
            by_layer = spatial_dims(call.op) is not None
            name = (
                subject(call)
                if not by_layer
                else f"`{call.op if call.kind == 'module' else 'F.' + call.op}`"
            )
            wanted = " or ".join(map(str, ranks))
            diagnostic = replace(
                self.diagnostic(
                    f"{name} takes {wanted} dimensions but gets {len(shape)}, {shape_text(shape)}"
                ),
                label=f"{wanted} dimensions expected, {len(shape)} found",
                expected=wanted,
                found=str(len(shape)),
            )
            candidates = [
                *input_candidates(walked, trace),
                *batched_input(walked, call, max(ranks)),
                *_of_that_rank(walked, call, len(shape)),
                *_fixes(walked, call, len(shape), ranks),
            ]
            is_layer = by_layer or call.is_module
            placed = (
                located(diagnostic, walked, trace, call)
                if is_layer
                else at_call(diagnostic, walked, trace, call)
            )
            yield Finding(placed, trace.mode, call.index, tuple(candidates))


def _ranks(call: Call) -> tuple[int, ...] | None:
    """How many dimensions a call takes, where that is fixed."""
    failure = call.failure
    assert failure is not None
    if failure.op.startswith("module:"):
        return _NORM_RANKS.get(failure.op.removeprefix("module:"))
    if call.module_class in _NORM_RANKS and failure.op in (
        "batch_norm",
        "instance_norm",
    ):
        return _NORM_RANKS[call.module_class]
    if failure.op.startswith(("conv", "max_pool", "avg_pool", "adaptive_")):
        dims = spatial_dims(failure.op)
        return (dims + 1, dims + 2) if dims is not None else None
    if failure.op in ("interpolate", "upsample"):
        return _RESAMPLED.get(
            failure.kwargs.get("mode") or failure.arg(3, "mode", "nearest")
        )
    if (
        failure.op in patterns.OPS
        and len(failure.args) > 1
        and isinstance(failure.args[1], str)
    ):
        left = patterns.axes(failure.args[1].partition("->")[0])
        return (len(left),) if left is not None else None
    return _named_dims(failure)


def _named_dims(failure: Failure) -> tuple[int, ...] | None:
    """At least the dimensions that a call names; None where they are there."""
    if failure.op not in _TAKES_DIMS or not failure.tensors:
        return None
    dims, rank = dims_of(failure), len(failure.tensors[0].shape)
    if failure.op == "permute":
        return (len(dims),) if dims and len(dims) != rank else None
    needed = max((dim + 1 if dim >= 0 else -dim for dim in dims), default=0)
    return (needed,) if needed > rank else None


def _of_that_rank(walked: Walked, call: Call, rank: int) -> list[Candidate]:
    """`Conv2d` for `Conv1d`, `F.max_pool2d` for `F.max_pool1d`: the layer that takes as
    many dimensions as arrive."""
    made = made_by(walked, call) if call.is_module else call_at(call.site, walked.texts)
    if made is None or spatial_dims(made.name) is None or not 3 <= rank <= 5:
        return []
    name = f"{made.name[:-2]}{rank - 2}d"
    func = made.node.func
    if name == made.name or made.name[:-2] not in _OF_EACH_RANK:
        return []
    edit = made.replaced(func, f"{made.prefix}{name}")
    if isinstance(func, ast.Name):
        return []  # a name of its own may not be imported
    says = f"`{name}` takes {rank} dimensions"
    return [
        Candidate(
            f"`{made.prefix}{name}`",
            (edit,),
            call.layer,
            group="rank",
            likely=2.6,
            says=says,
        )
    ]


def _fixes(
    walked: Walked, call: Call, rank: int, ranks: tuple[int, ...]
) -> list[Candidate]:
    """`unsqueeze` what is missing, where the layer is called."""
    expression = call_expression(walked, call)
    written = expression.argument(0) if expression is not None else None
    if expression is None or written is None:
        return []
    text = expression.source.segment(written)
    texts = []
    if rank + 1 in ranks:
        texts += [f"{text}.unsqueeze(1)", f"{text}.unsqueeze(0)"]
    if rank - 1 in ranks and rank > 2:
        texts.append(f"{text}.squeeze(1)")
    if rank > 2 and 2 in ranks:
        texts.append(f"{text}.flatten(1)")
    return [
        Candidate(
            f"`{each}`", (expression.replaced(written, each),), call.layer, group="rank"
        )
        for each in texts
    ]
