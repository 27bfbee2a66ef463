"""Estimates the cost of an op from its arguments before it runs, and counts its
mult-adds afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

from shapelint import ops
from shapelint.ops.record import Cost
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.torch_private import flop_registry

Estimate = tuple[float, float]
"""The number of elements of the result, and the work: mult-adds, or elements touched if
the op has none."""


@dataclass
class Budget:
    """The remaining cost of real values: bytes of results, mult-adds, and the largest
    single result."""

    bytes_left: float
    work_left: float
    tensor_bytes: float

    def spend(self, size: float, work: float) -> bool:
        """Subtract a cost and return True; if it does not fit, return False and
        subtract nothing."""
        is_large = size > self.tensor_bytes
        if is_large or size > self.bytes_left or work > self.work_left:
            return False
        self.bytes_left -= size
        self.work_left -= work
        return True


def construction_budget() -> Budget:
    """400 MB of weights, none of them above 64 MB. Users would notice the time that a
    larger model takes."""
    return Budget(400e6, 2e9, 64e6)


def walk_budget() -> Budget:
    """About a second on two cores for each walk."""
    return Budget(1e9, 5e9, 256e6)


def small_budget() -> Budget:
    """Less than a tenth of the work of a walk, for walks that are repeated many
    times."""
    return Budget(2e8, 3e8, 64e6)


def trial_budget() -> Budget:
    """An eighth of the work of a walk. Even a few walks with this budget cost less than
    importing fake tensors."""
    return Budget(4e8, 6e8, 64e6)


def generous_budget() -> Budget:
    """For the second try on a model that could not be walked with shapes alone. Any
    machine has these resources."""
    return Budget(1.5e9, 3e10, 5e8)


# -- formulas: the arguments of an aten op -> its cost ---------------------------------
#
# They are estimates: a budget needs the order of magnitude. An argument that is not
# where a formula looks for it ends in an exception, which `cost` takes for "pointwise".


def _numel(shape: Iterable[int]) -> int:
    return math.prod(int(size) for size in shape)


def _step(stride: list[int], dimensions: int) -> int:
    """The factor by which a window's stride shrinks a map. A single number stands for
    all dimensions."""
    strides = stride if len(stride) > 1 else list(stride) * dimensions
    return max(1, _numel(strides))


def _convolution(args: Args) -> Estimate:
    """Each element of the result costs one mult-add for each weight that it sums
    over."""
    x, weight, _bias, stride, _padding, _dilation, transposed = args[:7]
    batch, spatial = x.shape[0], _numel(x.shape[2:])
    step = _step(stride, x.dim() - 2)
    if transposed:  # each input element is spread over the whole kernel
        elements = batch * spatial * step * weight.shape[1]
        return elements, batch * spatial * weight.numel()
    places = spatial / step
    return batch * places * weight.shape[0], batch * places * weight.numel()


def _matmul(args: Args) -> Estimate:
    # `addmm` and its like have the summand first: the last two are the factors.
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    matrices = [tensor for tensor in tensors if tensor.dim() >= 2][-2:]
    if len(matrices) < 2:
        return _pointwise(args)
    left, right = matrices
    elements = _numel(left.shape[:-1]) * right.shape[-1]
    return elements, elements * left.shape[-1]


def _attention(args: Args) -> Estimate:
    """Fused kernels never hold the whole table of scores."""
    query, key = args[:2]
    if query.dim() < 3:
        return _pointwise(args)
    keys = key.shape[-2]
    # Two products: queries by keys, and scores by values.
    work = 2.0 * query.numel() * keys
    return query.numel() * 2, work


def _recurrent(args: Args) -> Estimate:
    """All weights once for each step; eight results of the input's size, including the
    gates."""
    x = args[0]
    weights = sum(tensor.numel() for tensor in tensors_in(args[1:]))
    steps = x.numel() / max(1, x.shape[-1])
    return x.numel() * 8, steps * weights


def _factory(args: Args) -> Estimate:
    for arg in args:
        if isinstance(arg, (list, tuple)):
            count = _numel(arg)
            return count, count
    length = _range_length(args)
    return length, length


def _range_length(args: Args) -> float:
    """An upper bound for the length of `arange(end)`, `arange(start, end, step)` and
    the like."""
    numbers = [
        abs(arg)
        for arg in args
        if isinstance(arg, (int, float)) and not isinstance(arg, bool)
    ]
    count = max(numbers, default=1)
    has_step = len(numbers) == 3 and numbers[2]
    return count / numbers[2] if has_step else count


def _square(args: Args) -> Estimate:
    sizes = [arg for arg in args if isinstance(arg, int)]
    count = sizes[0] * sizes[-1] if sizes else 1
    return count, count


def _repeat(args: Args) -> Estimate:
    count = args[0].numel() * _numel(args[1])
    return count, count


def _resize(args: Args) -> Estimate:
    x = args[0]
    lists = [arg for arg in args[1:] if isinstance(arg, (list, tuple))]
    sizes = next(filter(None, lists), None)
    if sizes is None or not all(isinstance(size, int) for size in sizes):
        # Given by factors, not by sizes: mostly 2 in each of two dimensions, at times 4.
        count = x.numel() * 16
        return count, count
    kept = x.dim() - len(sizes)
    count = _numel(x.shape[:kept]) * _numel(sizes)
    # An element is interpolated from up to eight.
    return count, count * 8


def _pad(args: Args) -> Estimate:
    x, pads = args[:2]
    sizes = list(x.shape)
    # A pair for each dimension, the last one's first.
    pairs = zip(pads[::2], pads[1::2], strict=True)
    for back, (before, after) in enumerate(pairs, start=1):
        sizes[-back] += before + after
    padded = [max(0, size) for size in sizes]
    return _numel(padded), x.numel()


def _unfold(args: Args) -> Estimate:
    count = args[0].numel() * _numel(args[1])
    return count, count


def _look_up(args: Args) -> Estimate:
    table = args[0]
    index = next(arg for arg in args[1:] if isinstance(arg, Tensor))
    rows = max(1, table.shape[0])
    count = index.numel() * table.numel() / rows
    return count, count


def _index(args: Args) -> Estimate:
    """For `x[i, :, j]`: the number of indices, times the sizes of the dimensions
    without an index."""
    x, given = args[0], args[1]
    indices = [index for index in given if index is not None]
    whole = len(given) - len(indices)
    used = whole + sum(map(_dimensions_used, indices))
    chosen = max((index.numel() for index in indices), default=1)
    left_out = _numel(x.shape[:whole]) * _numel(x.shape[used:])
    count = chosen * left_out
    return count, count


def _dimensions_used(index: Tensor) -> int:
    """The number of dimensions that an index replaces: its own number for a mask, one
    for integers."""
    return index.dim() if index.dtype in (torch.bool, torch.uint8) else 1


def _select(args: Args) -> Estimate:
    x, dim, index = args[:3]
    chosen_from = max(1, x.shape[dim])
    count = x.numel() / chosen_from * index.numel()
    return count, count


def _gather(args: Args) -> Estimate:
    return args[2].numel(), args[2].numel()


def _distances(args: Args) -> Estimate:
    left, right = args[0], args[1]
    count = _numel(left.shape[:-1]) * right.shape[-2]
    return count, count * left.shape[-1]


def _pointwise(args: Args) -> Estimate:
    """The elements of all tensors, or of the shape they broadcast to if that has
    more."""
    tensors = list(tensors_in(args))
    total = sum(tensor.numel() for tensor in tensors)
    if len(tensors) > 1:
        backwards = [tensor.shape[::-1] for tensor in tensors]
        broadcast = [max(sizes) for sizes in zip_longest(*backwards, fillvalue=1)]
        total = max(total, _numel(broadcast))
    return total, total


def _pool_with_indices(args: Args) -> Estimate:
    """A pooling that also returns the positions of its maxima, eight bytes each: as
    much as two more results of floats."""
    x = args[0]
    # No stride stands for one as large as the window.
    stride = args[2] if len(args) > 2 and args[2] else args[1]
    step = _step(stride, x.dim() - 2)
    return x.numel() / step * 3, x.numel()


_FORMULAS: dict[Cost, Callable[[Args], Estimate]] = {
    Cost.POINTWISE: _pointwise,
    Cost.CONVOLUTION: _convolution,
    Cost.MATMUL: _matmul,
    Cost.ATTENTION: _attention,
    Cost.RECURRENT: _recurrent,
    Cost.FACTORY: _factory,
    Cost.SQUARE: _square,
    Cost.REPEAT: _repeat,
    Cost.PADDED: _pad,
    Cost.UNFOLDED: _unfold,
    Cost.RESIZED: _resize,
    Cost.WITH_INDICES: _pool_with_indices,
    Cost.SELECTED: _select,
    Cost.GATHERED: _gather,
    Cost.LOOKED_UP: _look_up,
    Cost.INDEXED: _index,
    Cost.DISTANCES: _distances,
}


def cost(name: str, args: Args) -> tuple[float, float]:
    """Estimate the cost of an aten op from its arguments: bytes of the result, and work
    (mult-adds, or elements touched)."""
    formula = _FORMULAS.get(ops.of_kernel(name).cost, _pointwise)
    try:
        elements, work = formula(args)
    except (IndexError, TypeError, AttributeError, StopIteration, ValueError):
        elements, work = _pointwise(args)
    return elements * _itemsize(args), work


def _itemsize(args: Args) -> int:
    return max((tensor.element_size() for tensor in tensors_in(args)), default=4)


# -- mult-adds -------------------------------------------------------------------------


def mult_adds(op: Any, args: Args, kwargs: Kwargs, out: Any) -> int:
    """The mult-adds of an aten op by torch's own registry, or by our formulas for two
    CPU kernels that it lacks; 0 if neither knows the op."""
    packet = op.overloadpacket
    formula = flop_registry.get(packet)
    if formula is None:
        own = _CPU_KERNELS.get(packet.__name__)
        return own(args) if own is not None else 0
    try:
        # torch counts a multiplication and an addition as two.
        return int(formula(*args, **kwargs, out_val=out)) // 2
    except Exception:  # a formula of torch's that does not know this overload
        return 0


def _attention_mult_adds(args: Args) -> int:
    """Two matrix products: queries by keys, and scores by values."""
    query, key, value = args[:3]
    keys, width = key.shape[-2], value.shape[-1]
    rows = query.numel() // max(1, query.shape[-1])
    return int(query.numel() * keys + rows * keys * width)


def _recurrent_mult_adds(args: Args) -> int:
    """All weights once for each step and sample."""
    x, input_weight, hidden_weight = args[:3]
    steps = x.numel() // max(1, x.shape[-1])
    return int(steps * (input_weight.numel() + hidden_weight.numel()))


_CPU_KERNELS: dict[str, Callable[[Args], int]] = {
    "_scaled_dot_product_flash_attention_for_cpu": _attention_mult_adds,
    "mkldnn_rnn_layer": _recurrent_mult_adds,
}
