"""Values where affordable, shapes elsewhere: the dispatch mode under which models are
built and walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from shapelint import ops
from shapelint.ops.record import Asks, Cost
from shapelint.tracing.costs import Budget, cost, mult_adds, tensors_in
from shapelint.tracing.described import causes_of
from shapelint.tracing.torch_private import (
    FakeTensor,
    SharedFakeMode,
    no_torch_function,
)

_FAKE_MODE: list[SharedFakeMode] = []
"""At most one: tensors of two fake modes cannot meet, and a model outlives the session
that built it."""

REPLAY_BYTES = 512e6
REPLAY_WORK = 4e9
RANDOM_BELOW = 1_000_000
"""Elements up to which a stand-in is random; more of them take longer than the op that
is asked about."""


def fake_mode() -> SharedFakeMode:
    """The process's fake mode, made when the first op goes beyond the budget (its
    import costs a second)."""
    if not _FAKE_MODE:
        _FAKE_MODE.append(SharedFakeMode(allow_non_fake_inputs=True))
    return _FAKE_MODE[0]


def fake_tensors_in_use() -> bool:
    """Whether anything went beyond the budget so far, so that the import is paid."""
    return bool(_FAKE_MODE)


def is_fake(value: Any) -> bool:
    """Whether a value is a tensor that has a shape and nothing else."""
    return isinstance(value, FakeTensor)


def answered_apart(name: str, args: Any) -> Any:
    """What is answered in place of torch: `x.cuda()` is x, a fake tensor is copied
    without its mode.

    NotImplemented where torch is to be asked.
    """
    if name == "cuda":
        return args[0]
    if name == "deepcopy" and is_fake(args[0]):
        return copied_fake(args[0], args[1])
    return NotImplemented


FAKE_OP = 4
"""What an op on fake tensors costs at the least, in ops on small real ones; a
transformer took 17 times as long."""


class Session(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Runs each op for real while all its arguments are real and the budget lasts, and
    fake from there on.

    `stand_in` is asked for the value of a fake scalar; `on_work` hears the mult-adds of
    each op."""

    def __init__(
        self,
        budget: Budget,
        stand_in: Callable[[torch.Tensor], Any] | None = None,
        on_work: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.budget = budget
        self.stand_in = stand_in or default_stand_in
        self.on_work = on_work
        self.used_fake = False
        self.ops = 0
        """What was run so far, as the number of ops that would have taken as long on
        small tensors."""
        self._unconfirmed: list[BaseException] = []
        self._refused: dict[str, Exception] = {}
        self.before_mutation: Callable[[torch.Tensor], None] | None = None
        self.on_write: Callable[[torch.Tensor], None] | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True would import torch._dynamo at the first op

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        tensors = list(tensors_in((args, kwargs)))
        any_fake = any(isinstance(tensor, FakeTensor) for tensor in tensors)
        if name == "_local_scalar_dense" and any_fake:
            return self.stand_in(args[0])
        if self.before_mutation is not None and (
            func._schema.is_mutable or ops.of_kernel(name).writes_unsaid
        ):
            for tensor in tensors:
                self.before_mutation(tensor)
        if self.on_write is not None and func._schema.is_mutable:
            for tensor in _written(func, args, kwargs):
                self.on_write(tensor)
        if any_fake or not self._affords(func, name, args):
            self.used_fake = True
            self.ops += FAKE_OP
            out = self._run_fake(func, args, kwargs)
        else:
            self.ops += 1
            out = func(*args, **kwargs)
        if self.on_work is not None:
            work = mult_adds(func, args, kwargs, out)
            if work:
                self.on_work(work)
        return out

    def is_unconfirmed(self, error: BaseException | None) -> bool:
        """Whether an exception is a fake kernel's, of an op too large to ask eager
        about."""
        return any(
            cause is own for cause in causes_of(error) for own in self._unconfirmed
        )

    def _affords(self, func: Any, name: str, args: Any) -> bool:
        if func.is_view or ops.of_kernel(name).cost is Cost.FREE:
            return True
        size, work = cost(name, args)
        if func._schema.is_mutable:
            size = 0.0
        return self.budget.spend(size, work)

    def _run_fake(self, func: Any, args: Any, kwargs: Any) -> Any:
        originals: dict[int, torch.Tensor] = {}
        fake_args = as_fake(args, originals)
        fake_kwargs = as_fake(kwargs, originals)
        try:
            with no_torch_function(), fake_mode():
                out = func(*fake_args, **fake_kwargs)
        except Exception as error:
            out = self._second_opinion(func, fake_args, fake_kwargs, error)
        return _restore(out, originals)

    def _second_opinion(
        self, func: Any, args: Any, kwargs: Any, error: Exception
    ) -> Any:
        """What eager says of an op that the fake kernels refuse: its result's shapes,
        or its own exception."""
        size, work = cost(func.overloadpacket.__name__, args)
        held = sum(
            tensor.numel() * tensor.element_size()
            for tensor in tensors_in((args, kwargs))
        )
        if size + held > REPLAY_BYTES or work > REPLAY_WORK:
            out = _by_hand(func, args)
            if out is None:
                self._unconfirmed.append(error)
                raise error
            return out
        asked = f"{func} {_described((args, kwargs))}"
        if asked in self._refused:
            raise self._refused[asked].with_traceback(None)
        with no_torch_function():
            try:
                real = func(*as_real(args), **as_real(kwargs))
            except Exception as refusal:
                self._refused[asked] = refusal
                raise
            return as_fake(real, {})


def _described(value: Any) -> str:
    """Arguments by their shapes and values: what eager says of them once it says of all
    alike."""
    if isinstance(value, torch.Tensor):
        return f"{value.dtype}{tuple(value.shape)}{value.stride()}"
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_described(item) for item in value)})"
    if isinstance(value, dict):
        return (
            f"({', '.join(f'{key}={_described(item)}' for key, item in value.items())})"
        )
    return repr(value)


def _written(func: Any, args: Any, kwargs: Any) -> Iterator[torch.Tensor]:
    """The arguments that an op writes, by its schema."""
    for position, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            yield from tensors_in(
                args[position] if position < len(args) else kwargs.get(argument.name)
            )


def default_stand_in(tensor: torch.Tensor) -> Any:
    """A value for a fake scalar: True, 1 or 1.0."""
    if tensor.dtype == torch.bool:
        return True
    return 1.0 if tensor.dtype.is_floating_point else 1


def fake_like(tensor: torch.Tensor) -> torch.Tensor:
    """A fake tensor of the same size, stride and dtype; autograd is not touched."""
    with no_torch_function(), fake_mode():
        return torch.empty_strided(
            tensor.size(), tensor.stride(), dtype=tensor.dtype, device="cpu"
        )


def copied_fake(tensor: torch.Tensor, memo: dict[int, Any]) -> torch.Tensor:
    """`copy.deepcopy` of a fake tensor or parameter, which has no memory to copy."""
    if id(tensor) not in memo:
        copied = fake_like(tensor)
        is_parameter = isinstance(tensor, torch.nn.Parameter)
        memo[id(tensor)] = (
            torch.nn.Parameter(copied, tensor.requires_grad)
            if is_parameter
            else copied.requires_grad_(tensor.requires_grad)
        )
    result: torch.Tensor = memo[id(tensor)]
    return result


def as_fake(value: Any, originals: dict[int, torch.Tensor]) -> Any:
    """Nested `value` with every real tensor exchanged; `originals` maps the fake's id
    to what it stands for."""
    if isinstance(value, torch.Tensor):
        if isinstance(value, FakeTensor) or value.layout != torch.strided:
            return value
        fake = fake_like(value)
        originals[id(fake)] = value
        return fake
    if isinstance(value, (list, tuple)):
        items = [as_fake(item, originals) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: as_fake(item, originals) for key, item in value.items()}
    return value


def as_real(value: Any) -> Any:
    """Nested `value` with every fake tensor exchanged for a real one: floats random, or
    0.5, integers 0, masks True."""
    if isinstance(value, FakeTensor):
        real: torch.Tensor
        if value.dtype.is_floating_point or value.dtype.is_complex:
            generator = torch.Generator().manual_seed(0)
            if value.numel() > RANDOM_BELOW:
                real = torch.full(value.shape, 0.5, dtype=value.dtype)
            else:
                real = torch.rand(
                    value.shape, dtype=torch.float32, generator=generator
                ).to(value.dtype)
        elif value.dtype == torch.bool:
            real = torch.ones(value.shape, dtype=torch.bool)
        else:
            real = torch.zeros(value.shape, dtype=value.dtype)
        if (
            real.stride() != value.stride()
            and value.numel()
            and not value.is_contiguous()
        ):
            laid_out = torch.empty_strided(
                value.shape, value.stride(), dtype=value.dtype
            )
            if 0 not in value.stride():
                laid_out.copy_(real)
                return laid_out
        return real
    if isinstance(value, (list, tuple)):
        items = [as_real(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: as_real(item) for key, item in value.items()}
    return value


def _by_hand(func: Any, args: Any) -> Any:
    """Results whose size hangs on data, for tensors too large to try: as if every
    element were chosen."""
    name = func.overloadpacket.__name__
    if ops.of_kernel(name).asks is not Asks.SIZE_FROM_VALUES:
        return None
    x = args[0]
    shape = (x.numel(), x.dim()) if name == "nonzero" else (x.numel(),)
    dtype = torch.int64 if name == "nonzero" else x.dtype
    with no_torch_function(), fake_mode():
        first = torch.empty(shape, dtype=dtype)
        index = torch.empty(x.shape, dtype=torch.int64)
    return (
        (first, index, index)
        if name.startswith("_unique") or name == "unique_dim"
        else first
    )


def _restore(out: Any, originals: dict[int, torch.Tensor]) -> Any:
    """In-place ops hand back their argument: the real one, not the fake that stood for
    it."""
    if not originals:
        return out
    if isinstance(out, torch.Tensor):
        return originals.get(id(out), out)
    if isinstance(out, (list, tuple)):
        items = [_restore(item, originals) for item in out]
        return items if isinstance(out, list) else tuple(items)
    return out
