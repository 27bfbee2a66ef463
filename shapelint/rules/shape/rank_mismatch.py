"""SHP113."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint import ops
from shapelint.changes.layer_ranks import use_layer_of_rank
from shapelint.changes.other_inputs import add_batch_to_input, input_candidates
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.ops.ranks import ranks_taken
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import (
    call_expression,
    find_failed_calls,
    finding_at,
    finding_at_layer,
    name_layer,
    shape_text,
)


class RankMismatch(Rule):
    """
    ## What it does
    Finds layers that receive too few or too many dimensions: an image without its batch
    or channel dimension, a feature map that was not flattened, a sequence where a
    vector was meant.

    ## Why is this bad?
    The forward raises, usually about a size that is not the cause.

    ## Fix
    Add the missing dimension with `unsqueeze`, merge the extra ones with `flatten`, or
    use the layer made for this number of dimensions.

    ## References
    - torch.nn.Conv2d takes (N, C, H, W) or (C, H, W); torch.nn.BatchNorm1d takes (N, C)
      or (N, C, L)
    """

    code = "SHP113"
    name = "rank-mismatch"
    # where a dimension is missing, all sizes after it are compared with wrong ones
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
        raises="RuntimeError: Expected 3D (unbatched) or 4D (batched) input to conv2d, "
        "but got input of size: [28, 28]",
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
        for trace, call, failure in find_failed_calls(walked):
            ranks = ranks_taken(call, failure) if failure.tensors else None
            if ranks is None:
                continue
            shape = failure.tensors[0].shape
            if len(shape) not in ranks:
                yield self._finding(walked, trace, call, shape, ranks)

    def _finding(
        self,
        walked: Walked,
        trace: Trace,
        call: Call,
        shape: Shape,
        ranks: tuple[int, ...],
    ) -> Finding:
        wanted, found = " or ".join(map(str, ranks)), str(len(shape))
        does_what_a_layer_does = ops.spatial_dims(call.op) is not None
        name = name_layer(call) if does_what_a_layer_does else subject(call)
        plural = "" if ranks == (1,) else "s"
        dimensions = f"{wanted} dimension{plural}"
        draft = self.mismatch(
            f"{name} takes {dimensions} but gets {found}: {shape_text(shape)}",
            wanted,
            found,
            f"{dimensions} expected, {found} found",
        )
        candidates = [
            *input_candidates(walked, trace),
            *add_batch_to_input(walked, call, max(ranks)),
            *use_layer_of_rank(walked, call, len(shape)),
            *_reshape_input(walked, call, len(shape), ranks),
        ]
        place = finding_at_layer if does_what_a_layer_does else finding_at
        return place(walked, trace, call, draft, candidates)


def _reshape_input(
    walked: Walked, call: Call, rank: int, ranks: tuple[int, ...]
) -> list[Candidate]:
    """Add missing dimensions with `unsqueeze`, or remove extra ones with `squeeze` or
    `flatten`, where the layer is called."""
    expression = call_expression(walked, call)
    written = expression.argument(0) if expression is not None else None
    if expression is None or written is None:
        return []
    methods = []
    # a grey image lacks its channel more often than its batch
    if rank + 1 in ranks:
        methods += ["unsqueeze(1)", "unsqueeze(0)"]
    if rank - 1 in ranks and rank > 2:
        methods.append("squeeze(1)")
    if rank > 2 and 2 in ranks:
        methods.append("flatten(1)")
    text = expression.source.segment(written)
    changed = [f"{text}.{method}" for method in methods]
    return [
        Candidate(
            f"`{each}`",
            (expression.replace_node(written, each),),
            call.layer,
            group="rank",
        )
        for each in changed
    ]
