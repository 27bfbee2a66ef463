"""What torch's fused kernels for attention say of a call.

Torch takes them in eval mode where no gradients are recorded, and not while a function
mode watches: a walk sees the parts of each layer instead. Some masks are refused only by
the kernel, others only by the parts. So the call is made once more without the function
mode, and torch itself chooses, but it ends at the kernel."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from shapelint.facts.graph import Call
from shapelint.tracing.fake_tensors import as_real, is_fake
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.members import modules_of, parameters_of
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.session import REPLAY_BYTES
from shapelint.tracing.torch_private import (
    DispatchMode,
    has_forward_hooks,
    no_modes,
    no_torch_function,
)

ATTENTION = "multi_head_attention_forward"
"""The function of the parts whose masks the fused kernels read."""

_INPUTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.MultiheadAttention: ("query", "key", "value"),
    nn.TransformerEncoderLayer: ("src",),
    nn.TransformerEncoder: ("src",),
}
"""The layers that have a fused path, and the arguments that are not masks."""

_KERNELS = ("_transformer_encoder_layer_fwd", "_native_multi_head_attention")
_NESTING = "_nested_tensor_from_mask"


@dataclass
class Attended:
    """One call of a layer that has a fused path. `first`: the first attention inside it,
    as its parts compute it. `start`: how many calls there were before it."""

    start: int
    first: tuple[Call, Invocation] | None = None


@dataclass(frozen=True)
class FusedRun:
    """What becomes of a call without the function mode. `is_taken`: whether torch takes
    its fused path, or raises before it could choose."""

    is_taken: bool
    error: Exception | None = None


def has_fused_path(module: nn.Module) -> bool:
    """Whether torch may compute a layer by a fused kernel. One whose class is the user's
    may run the user's code, which must not run twice; hooks must not either."""
    if module.training or type(module) not in _INPUTS:
        return False
    return not any(_runs_more(inner) for _, inner in modules_of(module))


def _runs_more(module: nn.Module) -> bool:
    is_torchs = type(module).__module__.startswith("torch.")
    return not is_torchs or has_forward_hooks(module)


def has_masks(module: nn.Module, args: Args, kwargs: Kwargs) -> bool:
    """Whether a layer with a fused path is given more than its inputs."""
    inputs = _INPUTS[type(module)]
    more = {name: value for name, value in kwargs.items() if name not in inputs}
    return any(True for _ in tensors_in((args[len(inputs) :], more)))


def run_fused(
    module: nn.Module, args: Args, kwargs: Kwargs, is_narrow: bool
) -> FusedRun:
    """Call a layer up to its fused kernel. `is_narrow`: the kernel runs on one feature
    for each head, which is enough to see whether it takes the masks."""
    weights = {id(weight) for _, weight in parameters_of(module)}
    try:
        with (
            warnings.catch_warnings(),
            no_torch_function(),
            _UpToKernel(weights, is_narrow),
        ):
            # torch calls nested tensors a prototype, which is no matter of the user's
            warnings.simplefilter("ignore")
            module.forward(*args, **kwargs)
    except _ChosenError as chosen:
        return FusedRun(chosen.is_fused)
    except Exception as error:
        return FusedRun(True, error)
    return FusedRun(False)


class _ChosenError(BaseException):
    """Ends a call where it is known which path torch takes, and that it can be taken.
    Not an `Exception`, so that nothing on the way catches it."""

    def __init__(self, is_fused: bool) -> None:
        super().__init__()
        self.is_fused = is_fused


class _UpToKernel(DispatchMode):  # type: ignore[no-untyped-call]
    """Runs ops as they come, until one tells the path: a fused kernel, or any other op
    that reads a weight."""

    def __init__(self, weights: set[int], is_narrow: bool) -> None:
        super().__init__()
        self.weights = weights
        self.is_narrow = is_narrow

    def __torch_dispatch__(
        self, op: Any, types: Any, args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = op.overloadpacket.__name__
        if name in (*_KERNELS, _NESTING):
            self._run_kernel(op, args, kwargs)
            raise _ChosenError(True)
        if any(id(tensor) in self.weights for tensor in tensors_in((args, kwargs))):
            raise _ChosenError(False)
        return op(*args, **kwargs)

    def _run_kernel(self, op: Any, args: Args, kwargs: Kwargs) -> None:
        if any(map(is_fake, tensors_in(args))) and not self.is_narrow:
            raise _ChosenError(False)  # too large to ask
        with no_modes(), torch.no_grad():
            if self.is_narrow and not args[0].is_nested:
                args = self._narrow(op.overloadpacket.__name__, args)
            op(*args, **kwargs)

    def _narrow(self, name: str, args: Args) -> Args:
        """The arguments of a kernel, with one feature for each head."""
        if name == _NESTING:
            x, *others = args
            narrow = torch.zeros((*x.shape[:-1], 1), dtype=x.dtype)
            return (narrow, *as_real(tuple(others)))
        # query, key and value come first; then the width, and the number of heads
        at = next(at for at, arg in enumerate(args) if isinstance(arg, int))
        width, heads = args[at : at + 2]
        if _bytes_of_scores(args[0], heads) > REPLAY_BYTES:
            raise _ChosenError(False)
        inputs = _narrow_inputs(args[:at], heads)
        others = [self._narrow_weight(arg, width, heads) for arg in args[at + 1 :]]
        return (*inputs, heads, *others)

    def _narrow_weight(self, arg: Any, width: int, heads: int) -> Any:
        if id(arg) not in self.weights:
            return as_real(arg)  # a mask keeps its values
        sizes = {width: heads, 3 * width: 3 * heads}
        shape = [sizes.get(size, size) for size in arg.shape]
        return torch.zeros(shape, dtype=arg.dtype)


def _narrow_inputs(inputs: tuple[Tensor, ...], width: int) -> list[Tensor]:
    """Inputs of another width. What is given twice stays one tensor: kernels distinguish
    self-attention by it."""
    narrow = {id(x): torch.zeros((*x.shape[:-1], width), dtype=x.dtype) for x in inputs}
    return [narrow[id(x)] for x in inputs]


def _bytes_of_scores(x: Tensor, heads: int) -> int:
    batch, length = x.shape[:2]
    return batch * heads * length**2 * x.element_size()
