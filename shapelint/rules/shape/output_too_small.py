"""SHP111."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.other_inputs import larger_images
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Shape, Walked
from shapelint.ops.layers import NoWindowError, conv_geometry, pool_geometry, spread
from shapelint.syntax.calls import call_at
from shapelint.syntax.walked_calls import failed_calls, located, made_by, shape_text

_CONVS = ("conv1d", "conv2d", "conv3d")
_POOLS = (
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
)


class OutputTooSmall(Rule):
    """
    ## What it does
    Finds convolutions and poolings whose kernel is larger than their input, or whose
    output would have size zero.

    ## Why is this bad?
    The forward raises. The input is too small for so many halvings, or a kernel was
    meant for it padded.

    ## Fix
    A larger input, a smaller kernel or stride, padding, or one halving less.

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
        raises="RuntimeError: Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). "
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
        for trace, call in failed_calls(walked, *_CONVS, *_POOLS):
            assert call.failure is not None
            window = _window(call.failure)
            if window is None:
                continue
            kernel, sizes = window
            name = call.op if call.is_module else "F." + call.op
            text = shape_text(call.failure.tensors[0].shape)
            diagnostic = replace(
                self.diagnostic(
                    f"`{name}` with a kernel of {_times(kernel)} has no room in {text}"
                ),
                label=f"the padded input is {_times(sizes)}",
                expected=f"at least {_times(kernel)}",
                found=_times(sizes),
            )
            candidates = (*_smaller_kernel(walked, call, sizes), *larger_images(walked))
            yield Finding(
                located(diagnostic, walked, trace, call),
                trace.mode,
                call.index,
                candidates,
            )


def _smaller_kernel(walked: Walked, call: Call, sizes: Shape) -> Iterator[Candidate]:
    """The kernel that is as large as what arrives; where it is written as a number
    there."""
    is_module = call.is_module
    made = made_by(walked, call) if is_module else call_at(call.site, walked.texts)
    is_conv = "conv" in call.op.lower()
    position = (2 if is_conv else 0) if is_module else 1
    node = (
        made.argument(position, "kernel_size")
        if made is not None and (is_module or not is_conv)
        else None
    )
    if made is None or not isinstance(node, ast.Constant) or min(sizes) < 1:
        return
    edit = made.replaced(node, str(min(sizes)))
    likely = (
        0.9 if is_conv else 2.0
    )  # over all that is left, as poolings at the end are
    yield Candidate(
        f"`kernel_size={min(sizes)}`", (edit,), call.layer, "kernel", likely=likely
    )


def _times(sizes: Shape) -> str:
    return "x".join(map(str, sizes))


def _window(failure: Failure) -> tuple[Shape, Shape] | None:
    """Extent of the kernel and size of the padded input, where the output would be
    empty."""
    x = failure.arg(0, "input")
    is_conv = failure.op in _CONVS
    dims = int(failure.op[-2])
    if len(x.shape) not in (dims + 1, dims + 2) or 0 in x.shape[:-dims]:
        return None
    if is_conv and len(failure.arg(1, "weight").shape) != dims + 2:
        return None
    try:
        out = conv_geometry(failure) if is_conv else pool_geometry(failure)
    except NoWindowError:  # a larger input is no help
        return None
    if all(size >= 1 for size in out):
        return None
    kernel = (
        failure.arg(1, "weight").shape[2:]
        if is_conv
        else spread(failure.arg(1, "kernel_size"), dims, 1)
    )
    padding = failure.arg(4 if is_conv else 3, "padding")
    pads = spread(None if isinstance(padding, str) else padding, dims, 0)
    dilation = spread(failure.arg(5, "dilation"), dims, 1) if is_conv else (1,) * dims
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    sizes = tuple(
        size + 2 * pad for size, pad in zip(x.shape[-dims:], pads, strict=True)
    )
    return reach, sizes
