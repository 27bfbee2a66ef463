"""What is said of a model without inputs: how to give them."""

from __future__ import annotations

import torch

from shapelint import ops
from shapelint.ops.families.recurrent import recover_recurrent
from shapelint.ops.record import Family
from shapelint.tracing.members import modules_of

_USUAL_SIDES = {1: "1024", 2: "224", 3: "32"}
"""The side of a suggested input, by its number of spatial dimensions."""


def ask_for_names(required: list[str]) -> str:
    """Which inputs to name; empty if none is required."""
    options = " ".join(f"--input {name}=..." for name in required)
    return f"name them: {options}" if options else ""


def ask_for_inputs(model: torch.nn.Module) -> str:
    """How to give a model its input, with a shape that its first layer may take."""
    name = type(model).__name__
    hint = _guess_input(model)
    return (
        f"`{name}` needs an input: add `--input {hint}` or a comment `# shapelint: "
        f"input={hint}` on the class"
    )


def _guess_input(model: torch.nn.Module) -> str:
    """An input that the first layer with weights would take."""
    for _, module in modules_of(model):
        kind = type(module).__name__
        takes = getattr(module, next(iter(ops.of(kind).takes), ""), 16)
        if ops.is_of(kind, Family.CONVOLUTION) and not ops.of(kind).is_transposed:
            dims = ops.spatial_dims(kind) or 2
            return ",".join(["1", str(takes), *([_USUAL_SIDES[dims]] * dims)])
        if kind == "Linear":
            return f"1,{takes}"
        if kind == "Embedding":
            return "1,16:int64"
        if ops.of(kind).recover is recover_recurrent:
            return f"1,16,{takes}"
    return "1,3,224,224"
