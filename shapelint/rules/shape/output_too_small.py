"""SHP111."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.changes.too_large_windows import fit_window
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.window_room import find_window_without_room, list_windowed_ops
from shapelint.syntax.walked_calls import (
    find_failed_calls,
    finding_at_layer,
    name_layer,
    shape_text,
)


class OutputTooSmall(Rule):
    """
    ## What it does
    Finds convolutions and pooling layers whose kernel is larger than their input, or
    whose output would have size zero.

    ## Why is this bad?
    The forward raises. The input is too small to be halved this often, or the kernel
    was meant for a padded input.

    ## Fix
    Use a larger input, a smaller kernel or stride, padding, or one halving fewer.

    ## References
    - torch.nn.Conv2d and torch.nn.MaxPool2d, "Shape"
    """

    code = "SHP111"
    name = "output-too-small"
    supersedes = ("SHP119",)
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.MaxPool2d(4), nn.MaxPool2d(4), nn.Conv2d(3, 8, 3))

    def forward(self, x):
        return self.down(x)
""",
        ("1,3,32,32",),
        raises="RuntimeError: Calculated padded input size per channel: (2 x 2). Kernel "
        "size: (3 x 3). "
        "Kernel size can't be greater than actual input size",
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.MaxPool2d(4), nn.MaxPool2d(4), nn.Conv2d(3, 8, 3, padding=1))

    def forward(self, x):
        return self.down(x)
""",
        ("1,3,32,32",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in find_failed_calls(walked, *list_windowed_ops()):
            window = find_window_without_room(failure)
            if window is None:
                continue
            kernel, padded = _times(window.reach), _times(window.padded)
            shape = shape_text(failure.tensors[0].shape)
            draft = self.mismatch(
                f"{name_layer(call)} has a kernel of {kernel}, too large for its input {shape}",
                f"at least {kernel}",
                padded,
                f"the padded input is {padded}",
            )
            candidates = fit_window(walked, trace, call, min(window.padded))
            yield finding_at_layer(walked, trace, call, draft, candidates)


def _times(sizes: Shape) -> str:
    """`3x3`."""
    return "x".join(map(str, sizes))
