"""The measure of truth: the same model in plain PyTorch."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from shapelint.asked.inputs import parse_inputs
from shapelint.loading.model_inputs import make_tensor


def build(source: str, expression: str) -> torch.nn.Module:
    """The model that a target's expression makes, imported plainly."""
    namespace: dict[str, Any] = {"__name__": "plain"}
    exec(compile(source, "plain.py", "exec"), namespace)
    value = eval(expression, namespace)
    return value if isinstance(value, torch.nn.Module) else value()


def tensors(
    inputs: tuple[str, ...],
) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
    """Positional and keyword tensors for `--input` words."""
    specs = parse_inputs(inputs)
    made = [(spec.name, make_tensor(spec, seed)) for seed, spec in enumerate(specs)]
    return tuple(t for name, t in made if name is None), {
        name: t for name, t in made if name is not None
    }


def raises(
    source: str,
    inputs: tuple[str, ...],
    expression: str = "Net",
    backward: bool = False,
) -> str:
    """The exception in train or eval mode; empty if there is none. `backward`: of the
    forward or the backward."""
    args, kwargs = tensors(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for train in (True, False):
            try:
                out = build(source, expression).train(train)(*args, **kwargs)
                if backward:
                    out.sum().backward()
            except Exception as error:  # noqa: PERF203
                return f"{type(error).__name__}: {error}"
    return ""


def edited(root: Path, *fixes: Any) -> str:
    """The source of the one file that fixes edit, with their edits made."""
    from shapelint.syntax.edits import apply_edits

    edits = [edit for fix in fixes for edit in fix.edits]
    files = {edit.file for edit in edits}
    assert len(files) == 1
    return apply_edits((root / files.pop()).read_text(), edits)
