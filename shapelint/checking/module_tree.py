"""torchinfo's module tree, run inside the session: also for models that fail or do not
fit."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.facts.kinds import Mode
from shapelint.loading.model import Loaded
from shapelint.loading.model_inputs import Feed
from shapelint.tracing.user_text import message_of
from shapelint.tracing.walk import Walker


def module_tree(loaded: Loaded, feed: Feed, mode: Mode) -> str:
    """The table people know, with input, output and weight shapes; what torchinfo
    cannot show, in one line."""
    import torchinfo

    walker = Walker(loaded.model, feed.make, loaded.ownership, loaded.definitions.of)
    columns = ("input_size", "output_size", "num_params", "mult_adds")

    def summarise(
        model: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> object:
        return torchinfo.summary(
            model,
            input_data=list(args) if args else None,
            col_names=columns,
            row_settings=("var_names",),
            mode=mode,
            device="cpu",
            verbose=0,
            **kwargs,
        )

    with loaded.importable():
        outcome = walker.run_inside(mode, summarise)
    if isinstance(outcome, BaseException):
        cause = outcome.__cause__ if outcome.__cause__ is not None else outcome
        return f"torchinfo could not finish the tree: {type(cause).__name__}: {message_of(cause)}"
    return str(outcome)
