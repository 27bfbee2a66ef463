"""SHP402."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.other_inputs import larger_batch
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Failure
from shapelint.facts.walked_target import Walked
from shapelint.syntax.walked_calls import find_failed_calls, locate, shape_text


class BatchnormSingleValue(Rule):
    """
    ## What it does
    Finds BatchNorm and InstanceNorm layers that receive a single value for each channel
    in train mode.

    ## Why is this bad?
    A single value has no variance, so torch raises. It happens in the last, smaller
    batch of an epoch, at batch size 1, and after a pooling to 1x1.

    ## Fix
    A batch of two or more (`drop_last=True` in the DataLoader), or GroupNorm or
    LayerNorm there.

    ## References
    - torch.nn.functional.batch_norm raises "Expected more than 1 value per channel when
      training" """

    code = "SHP402"
    name = "batchnorm-single-value"
    supersedes = ("SHP103", "SHP119")
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 8)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x):
        return self.norm(self.fc(x))
""",
        ("1,16",),
        raises="ValueError: Expected more than 1 value per channel when training, got "
        "input size torch.Size([1, 8])",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 8)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x):
        return self.norm(self.fc(x))
""",
        ("2,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in find_failed_calls(
            walked, "batch_norm", "instance_norm"
        ):
            if not _has_single_values(failure):
                continue
            shape = shape_text(failure.tensors[0].shape)
            name = call.op if call.is_module else "F." + call.op
            when = " in train mode" if failure.op == "batch_norm" else ""
            diagnostic = replace(
                self.diagnostic(
                    f"`{name}` receives one value for each channel{when}, {shape}"
                ),
                label="a single value has no variance",
                expected="more than 1 value for each channel",
                found="1",
            )
            yield Finding(
                locate(diagnostic, walked, trace, call),
                trace.mode,
                call.index,
                tuple(larger_batch(walked)),
            )


def _has_single_values(failure: Failure) -> bool:
    """Whether each channel has only one value. Counted like `size_prods` in
    torch.nn.functional._verify_batch_size and _verify_spatial_size."""
    shape = failure.tensors[0].shape
    if len(shape) < 2 or 0 in shape:
        return False
    if failure.op == "instance_norm":
        return math.prod(shape[2:]) == 1
    is_training = bool(failure.arg(5, "training", False))
    return is_training and math.prod(shape) == shape[1]
