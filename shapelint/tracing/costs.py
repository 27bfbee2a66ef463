"""What an op would cost, known from its arguments before it runs; and the mult-adds it
did cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch

from shapelint import ops
from shapelint.ops.record import Cost
from shapelint.tracing.torch_private import flop_registry

Args = tuple[Any, ...]


@dataclass
class Budget:
    """What may still be spent on real values: bytes of results, mult-adds, and the
    largest single result."""

    bytes_left: float
    work_left: float
    tensor_bytes: float

    def spend(self, size: float, work: float) -> bool:
        """Take the cost off the budget, or refuse and take nothing."""
        if size > self.tensor_bytes or size > self.bytes_left or work > self.work_left:
            return False
        self.bytes_left -= size
        self.work_left -= work
        return True


def construction_budget() -> Budget:
    """400 MB of weights, none above 64 MB: building a larger model for real would be
    felt."""
    return Budget(400e6, 2e9, 64e6)


def walk_budget() -> Budget:
    """About a second of two cores for each walk."""
    return Budget(1e9, 5e9, 256e6)


def small_budget() -> Budget:
    """A tenth of a walk's."""
    return Budget(2e8, 3e8, 64e6)


def trial_budget() -> Budget:
    """An eighth of a walk's: the import behind fake tensors costs less than a few walks
    with more."""
    return Budget(4e8, 6e8, 64e6)


def generous_budget() -> Budget:
    """For the second try of a model that could not be walked with shapes alone: what
    any machine has."""
    return Budget(1.5e9, 3e10, 5e8)


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Every tensor in nested lists, tuples and dicts, in order; what contains itself is
    entered once."""
    if isinstance(value, torch.Tensor):
        yield value
        return
    # a stack of one's own: results may be nested more deeply than Python calls
    around: dict[int, Iterator[Any]] = {0: iter((value,))}
    while around:
        for item in next(reversed(around.values())):
            if isinstance(item, torch.Tensor):
                yield item
            elif isinstance(item, (list, tuple, dict)) and id(item) not in around:
                around[id(item)] = iter(
                    item.values() if isinstance(item, dict) else item
                )
                break
        else:
            around.popitem()


def _numel(shape: Any) -> int:
    return math.prod(int(size) for size in shape)


def _convolution(args: Args) -> tuple[float, float]:
    x, weight, _bias, stride, _padding, _dilation, transposed = args[:7]
    spatial = _numel(x.shape[2:])
    step = max(1, _numel(list(stride) * (1 if len(stride) > 1 else x.dim() - 2)))
    places = spatial * step if transposed else spatial / step
    batch = x.shape[0]
    channels = weight.shape[1] if transposed else weight.shape[0]
    return batch * places * channels, batch * (
        spatial if transposed else places
    ) * weight.numel()


def _matmul(args: Args) -> tuple[float, float]:
    matrices = [
        arg for arg in args if isinstance(arg, torch.Tensor) and arg.dim() >= 2
    ][-2:]
    if len(matrices) < 2:
        return _pointwise(args)
    left, right = matrices
    out = _numel(left.shape[:-1]) * right.shape[-1]
    return out, out * left.shape[-1]


def _attention(args: Args) -> tuple[float, float]:
    query, key = args[0], args[1]
    if query.dim() < 3:
        return _pointwise(args)
    return query.numel() * 2, 2.0 * query.numel() * key.shape[-2]


def _recurrent(args: Args) -> tuple[float, float]:
    x = args[0]
    weights = sum(t.numel() for t in tensors_in(args[1:]))
    steps = x.numel() / max(1, x.shape[-1])
    return x.numel() * 8, steps * weights


def _factory(args: Args) -> tuple[float, float]:
    sizes = next(
        (arg for arg in args if isinstance(arg, (list, tuple, torch.Size))), None
    )
    if sizes is not None:
        count: float = _numel(sizes)
    else:
        numbers = [
            abs(arg)
            for arg in args
            if isinstance(arg, (int, float)) and not isinstance(arg, bool)
        ]
        count = max(numbers, default=1)
        if len(numbers) == 3 and numbers[2]:
            count = count / numbers[2]
    return count, count


def _square(args: Args) -> tuple[float, float]:
    sizes = [arg for arg in args if isinstance(arg, int)]
    count = sizes[0] * sizes[-1] if sizes else 1
    return count, count


def _repeat(args: Args) -> tuple[float, float]:
    count = args[0].numel() * _numel(args[1])
    return count, count


def _resized(args: Args) -> tuple[float, float]:
    x = args[0]
    sizes = next(
        (arg for arg in args[1:] if isinstance(arg, (list, tuple)) and arg), None
    )
    if sizes is None or not all(isinstance(size, int) for size in sizes):
        return x.numel() * 16, x.numel() * 16
    count = _numel(x.shape[: x.dim() - len(sizes)]) * _numel(sizes)
    return count, count * 8


def _padded(args: Args) -> tuple[float, float]:
    x, pads = args[0], args[1]
    sizes = list(x.shape)
    for index in range(len(pads) // 2):
        sizes[-1 - index] += pads[2 * index] + pads[2 * index + 1]
    return _numel([max(0, size) for size in sizes]), x.numel()


def _unfolded(args: Args) -> tuple[float, float]:
    count = args[0].numel() * _numel(args[1])
    return count, count


def _looked_up(args: Args) -> tuple[float, float]:
    table, index = args[0], next(t for t in args[1:] if isinstance(t, torch.Tensor))
    count = index.numel() * (table.numel() / max(1, table.shape[0]))
    return count, count


def _indexed(args: Args) -> tuple[float, float]:
    x, indices = args[0], [index for index in args[1] if index is not None]
    used = sum(
        index.dim() if index.dtype in (torch.bool, torch.uint8) else 1
        for index in indices
    )
    used += len(args[1]) - len(indices)
    picked = max((index.numel() for index in indices), default=1)
    count = (
        picked * _numel(x.shape[used:]) * _numel(x.shape[: len(args[1]) - len(indices)])
    )
    return count, count


def _selected(args: Args) -> tuple[float, float]:
    x, dim, index = args[:3]
    count = x.numel() / max(1, x.shape[dim]) * index.numel()
    return count, count


def _gathered(args: Args) -> tuple[float, float]:
    return args[2].numel(), args[2].numel()


def _distances(args: Args) -> tuple[float, float]:
    left, right = args[0], args[1]
    count = _numel(left.shape[:-1]) * right.shape[-2]
    return count, count * left.shape[-1]


def _pointwise(args: Args) -> tuple[float, float]:
    tensors = list(tensors_in(args))
    total = sum(tensor.numel() for tensor in tensors)
    if len(tensors) > 1:
        backwards = (tensor.shape[::-1] for tensor in tensors)
        total = max(
            total, _numel(max(sizes) for sizes in zip_longest(*backwards, fillvalue=1))
        )
    return total, total


def _with_indices(args: Args) -> tuple[float, float]:
    """A pooling that gives the places of its maxima too, each of eight bytes."""
    x, stride = args[0], args[2] if len(args) > 2 and args[2] else args[1]
    step = max(1, _numel(stride if len(stride) > 1 else list(stride) * (x.dim() - 2)))
    return x.numel() / step * 3, x.numel()


_FORMULAS: dict[Cost, Callable[[Args], tuple[float, float]]] = {
    Cost.POINTWISE: _pointwise,
    Cost.CONVOLUTION: _convolution,
    Cost.MATMUL: _matmul,
    Cost.ATTENTION: _attention,
    Cost.RECURRENT: _recurrent,
    Cost.FACTORY: _factory,
    Cost.SQUARE: _square,
    Cost.REPEAT: _repeat,
    Cost.PADDED: _padded,
    Cost.UNFOLDED: _unfolded,
    Cost.RESIZED: _resized,
    Cost.WITH_INDICES: _with_indices,
    Cost.SELECTED: _selected,
    Cost.GATHERED: _gathered,
    Cost.LOOKED_UP: _looked_up,
    Cost.INDEXED: _indexed,
    Cost.DISTANCES: _distances,
}


def cost(name: str, args: Args) -> tuple[float, float]:
    """Bytes of the result and work (mult-adds, or elements touched) of an aten op,
    estimated from its arguments."""
    formula = _FORMULAS.get(ops.of_kernel(name).cost, _pointwise)
    try:
        elements, work = formula(args)
    except (IndexError, TypeError, AttributeError, StopIteration, ValueError):
        elements, work = _pointwise(args)
    return elements * _itemsize(args), work


def _itemsize(args: Args) -> int:
    return max((tensor.element_size() for tensor in tensors_in(args)), default=4)


def mult_adds(func: Any, args: Args, kwargs: dict[str, Any], out: Any) -> int:
    """Mult-adds of an aten op by torch's own registry.

    The CPU's attention and recurrent kernels, which it lacks: two products of matrices,
    and the weights once a step."""
    formula = flop_registry.get(func.overloadpacket)
    if formula is not None:
        try:
            return int(formula(*args, **kwargs, out_val=out)) // 2
        except (
            Exception
        ):  # a formula of torch's that does not know this overload counts as nothing
            return 0
    if func.overloadpacket.__name__ == "_scaled_dot_product_flash_attention_for_cpu":
        query, key, value = args[:3]
        return int(
            query.numel() * key.shape[-2]
            + query.numel() // max(1, query.shape[-1]) * key.shape[-2] * value.shape[-1]
        )
    if func.overloadpacket.__name__ == "mkldnn_rnn_layer":
        x, w_input, w_hidden = args[:3]
        return int(
            x.numel() // max(1, x.shape[-1]) * (w_input.numel() + w_hidden.numel())
        )
    return 0
