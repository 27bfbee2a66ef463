"""SHP101."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint import ops
from shapelint.changes.first_layers import note_missing_batch
from shapelint.changes.heads import find_flatten, head_candidates
from shapelint.changes.layer_inputs import rewrite_layer_input
from shapelint.changes.layer_numbers import number_candidates
from shapelint.changes.missing_flattens import flatten_and_number, missing_flatten
from shapelint.changes.other_inputs import input_candidates
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Failure, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.walked_calls import (
    count_noun,
    find_constructor_call,
    find_failed_calls,
    finding_at_layer,
    name_layer,
    product_text,
    shape_text,
    span_of_argument,
)


@dataclass(frozen=True)
class _Operand:
    """The last dimension of an input, the size that the weight requires, and the
    constructor's argument (position and name) that sets it."""

    found: int
    takes: int
    argument: tuple[int, str]


class LinearInputMismatch(Rule):
    """
    ## What it does
    Finds `nn.Linear`, `nn.Bilinear` and `F.linear` whose input's last dimension does
    not match the weight.

    ## Why is this bad?
    The forward raises. Usually `in_features` was computed for another image size, clip
    length or backbone: after a flatten, the layer receives `channels * height * width`
    features.

    ## Fix
    Set `in_features` to the number that this input gives. Or put an adaptive pooling
    before the flatten: the head then no longer depends on the size of the input, and it
    keeps trained weights if the pooling restores the old feature map.

    ## References
    - torch.nn.Linear: input `(*, in_features)`, output `(*, out_features)`
    """

    code = "SHP101"
    name = "linear-input-mismatch"
    supersedes = ("SHP119",)
    follows = ("SHP111",)
    bad = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 16 * 16, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.fc(torch.flatten(x, 1))
""",
        ("1,3,32,32",),
        raises="RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x8192 and 2048x10)",
    )
    good = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 32 * 32, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.fc(torch.flatten(x, 1))
""",
        ("1,3,32,32",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace, call, failure in find_failed_calls(
            walked, *ops.in_family(Family.LINEAR)
        ):
            for operand in _find_operands(failure):
                if operand.found != operand.takes:
                    yield self._finding(walked, trace, call, operand)

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, operand: _Operand
    ) -> Finding:
        takes, found = operand.takes, operand.found
        wanted = count_noun(takes, "feature")
        message = f"{name_layer(call)} takes {wanted} but gets {found}"
        notes = [*note_missing_batch(trace)]
        flatten = find_flatten(trace, call)
        if flatten is not None:
            shape = flatten.inputs[0].shape
            notes.append(
                f"{found} = {product_text(shape[1:])}, from flattening {shape_text(shape)}"
            )
        draft = replace(
            self.mismatch(message, str(takes), str(found)), notes=tuple(notes)
        )
        candidates = _find_candidates(walked, trace, call, operand, flatten)
        span = span_of_argument(find_constructor_call(walked, call), *operand.argument)
        return finding_at_layer(walked, trace, call, draft, candidates, span)


def _find_operands(failure: Failure) -> list[_Operand]:
    """The inputs of a call, each with the size that its weight requires
    (torch.nn.Linear: weight (out_features, in_features); torch.nn.Bilinear: (out, in1,
    in2))."""
    facts = failure.tensors
    if not facts[0].shape:
        return []
    if failure.op == "bilinear":
        both = failure.arg(2, "weight").shape[1:]
        names = ("in1_features", "in2_features")
        return [
            _Operand(fact.shape[-1], takes, (position, names[position]))
            for position, (fact, takes) in enumerate(zip(facts, both, strict=False))
        ]
    # `F.linear` takes (input, weight, bias); of these the weight has two dimensions
    weights = [fact for fact in facts[1:] if len(fact.shape) >= 2]
    if not weights:
        return []
    return [_Operand(facts[0].shape[-1], weights[0].shape[1], (0, "in_features"))]


def _find_candidates(
    walked: Walked, trace: Trace, call: Call, operand: _Operand, flatten: Call | None
) -> list[Candidate]:
    made = find_constructor_call(walked, call)
    takes, found, argument = operand.takes, operand.found, operand.argument
    sizes = flatten.inputs[0].shape[1:] if flatten is not None else (found,)
    candidates = [
        *input_candidates(walked, trace),
        *missing_flatten(walked, call, takes),
        *rewrite_layer_input(walked, call, takes),
    ]
    numbers = number_candidates(call, made, argument, found, sizes, takes)
    if argument[1] != "in_features":
        return [*candidates, *numbers]
    # where a flatten is missing, the number alone would let the layer run over the
    # width of a map: it fits, and means nothing
    with_flatten = flatten_and_number(walked, trace, call, made, takes)
    heads = head_candidates(walked, trace, call, made, takes)
    return [*candidates, *(with_flatten or numbers), *heads]
