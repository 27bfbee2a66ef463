"""A call of a torch function by the user's code."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from shapelint.tracing.nested import Args, Function, Kwargs, tensors_in
from shapelint.tracing.op_names import is_inplace


@dataclass(frozen=True)
class Invocation:
    """A function with its arguments. `name` is its canonical name, as `op_name` returns
    it."""

    func: Function
    name: str
    args: Args
    kwargs: Kwargs

    @property
    def tensors(self) -> list[Tensor]:
        """Every tensor among the arguments, in order."""
        return list(tensors_in((self.args, self.kwargs)))

    @property
    def is_inplace(self) -> bool:
        """Whether it overwrites its first argument."""
        return is_inplace(self.func)
