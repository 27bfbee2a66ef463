"""torchinfo's module tree, run in a session, so that it also works for models that fail
or are too large."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.facts.kinds import Mode
from shapelint.loading.walkable import Walkable
from shapelint.tracing.user_text import message_of

COLUMNS = ("input_size", "output_size", "num_params", "mult_adds")


def module_tree(walkable: Walkable, mode: Mode) -> str:
    """The tree with input, output and weight shapes. If torchinfo fails, one line with
    the reason."""
    # slow, and needed for this option only
    import torchinfo

    def summarise(
        model: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> object:
        return torchinfo.summary(
            model,
            input_data=list(args) if args else None,
            col_names=COLUMNS,
            row_settings=("var_names",),
            mode=mode,
            device="cpu",
            verbose=0,
            **kwargs,
        )

    outcome = walkable.run_inside(mode, summarise)
    if not isinstance(outcome, BaseException):
        return str(outcome)
    # torchinfo wraps a layer's exception in its own RuntimeError
    cause = outcome.__cause__ if outcome.__cause__ is not None else outcome
    kind = type(cause).__name__
    return f"torchinfo could not finish the tree: {kind}: {message_of(cause)}"
