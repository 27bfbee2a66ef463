"""The dispatch mode under which models are built and walked: real values where they are
affordable, shapes elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from shapelint import ops
from shapelint.ops.record import Asks, Cost
from shapelint.tracing.costs import Budget, cost, mult_adds
from shapelint.tracing.fake_tensors import (
    Scalar,
    as_fake,
    as_real,
    copy_fake,
    default_value,
    fake_mode,
    is_fake,
    restore_originals,
)
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.torch_private import (
    DispatchMode,
    is_mutating,
    list_written_arguments,
    no_torch_function,
)
from shapelint.tracing.user_text import causes_of

REPLAY_BYTES = 512e6
"""Ops that fake kernels refuse are run in eager mode if arguments and result have at
most this many bytes."""

REPLAY_WORK = 4e9
"""The same limit in mult-adds, about a second."""

FAKE_OP = 4
"""The least cost of an op on fake tensors, in ops on small real ones. For a
transformer, it was 17 times."""


def answer_in_place_of_torch(name: str, args: Args) -> Any:
    """Answer the calls that torch must not get: `x.cuda()` is x, a fake tensor is copied
    without its mode, and no padding is packed. NotImplemented for all other calls."""
    if name == "cuda":
        return args[0]
    if name == "_nested_tensor_from_mask_left_aligned":
        # while a function mode watches, torch does not go on with nested tensors
        return False
    if name == "deepcopy" and is_fake(args[0]):
        return copy_fake(args[0], args[1])
    return NotImplemented


class Session(DispatchMode):  # type: ignore[no-untyped-call]
    """Runs each op for real as long as all its arguments are real and the budget lasts,
    and with fake tensors otherwise.

    `stand_in` returns a value for a fake scalar. `on_work` is called with the mult-adds
    of each op. `before_mutation` is called with all tensors that an op might write,
    `on_write` with those that its schema marks as written."""

    def __init__(
        self,
        budget: Budget,
        stand_in: Callable[[Tensor], Scalar] = default_value,
    ) -> None:
        super().__init__()
        self.budget = budget
        self.stand_in = stand_in
        self.on_work: Callable[[int], None] | None = None
        self.before_mutation: Callable[[Tensor], None] | None = None
        self.on_write: Callable[[Tensor], None] | None = None
        self.used_fake = False
        self.ops = 0
        """The cost of the run so far, as the number of ops on small tensors that take
        as long."""
        self._unconfirmed: list[BaseException] = []
        self._refused: dict[str, Exception] = {}

    def __torch_dispatch__(
        self, op: Any, types: Any, args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = op.overloadpacket.__name__
        tensors = list(tensors_in((args, kwargs)))
        any_fake = any(map(is_fake, tensors))
        if name == "_local_scalar_dense" and any_fake:  # `.item()`, `bool()` and others
            return self.stand_in(args[0])
        self._announce_writes(op, name, tensors, args, kwargs)
        # Real arguments beyond the budget turn fake here, and so does all that is made
        # of them: no later op can mix the two by accident.
        if any_fake or not self._affords(op, name, args):
            self.used_fake = True
            self.ops += FAKE_OP
            out = self._run_fake(op, args, kwargs)
        else:
            self.ops += 1
            out = op(*args, **kwargs)
        if self.on_work is not None:
            work = mult_adds(op, args, kwargs, out)
            if work:
                self.on_work(work)
        return out

    def is_unconfirmed(self, error: BaseException | None) -> bool:
        """Whether an exception was raised by a fake kernel, for an op that is too large
        to run in eager mode."""
        causes = list(causes_of(error))
        return any(cause is own for cause in causes for own in self._unconfirmed)

    def _announce_writes(
        self,
        op: Any,
        name: str,
        tensors: list[Tensor],
        args: Args,
        kwargs: Kwargs,
    ) -> None:
        says_so = is_mutating(op)
        if self.before_mutation is not None:
            is_write = says_so or ops.of_kernel(name).writes_silently
            for tensor in tensors if is_write else ():
                self.before_mutation(tensor)
        if self.on_write is not None and says_so:
            for tensor in _find_written_tensors(op, args, kwargs):
                self.on_write(tensor)

    def _affords(self, op: Any, name: str, args: Args) -> bool:
        if op.is_view or ops.of_kernel(name).cost is Cost.FREE:
            return True
        size, work = cost(name, args)
        if is_mutating(op):
            size = 0.0  # the result lies where the argument did
        return self.budget.spend(size, work)

    def _run_fake(self, op: Any, args: Args, kwargs: Kwargs) -> Any:
        originals: dict[int, Tensor] = {}
        fake_args = as_fake(args, originals)
        fake_kwargs = as_fake(kwargs, originals)
        try:
            with no_torch_function(), fake_mode():
                out = op(*fake_args, **fake_kwargs)
        except Exception as error:
            out = self._second_opinion(op, fake_args, fake_kwargs, error)
        return restore_originals(out, originals)

    def _second_opinion(
        self, op: Any, args: Args, kwargs: Kwargs, error: Exception
    ) -> Any:
        """Run an op that the fake kernels refuse in eager mode: return its result's
        shapes, or raise its exception.

        Fake kernels also refuse ops whose result depends on data, which is not a
        mistake of the user's."""
        if not _is_replayable(op, args, kwargs):
            out = _choose_all(op, args)
            if out is None:
                self._unconfirmed.append(error)
                raise error
            return out
        asked = f"{op} {_spell_arguments((args, kwargs))}"
        if asked in self._refused:
            # A loop repeats the call; with the old traceback, it would grow each time.
            raise self._refused[asked].with_traceback(None)
        with no_torch_function():
            try:
                real = op(*as_real(args), **as_real(kwargs))
            except Exception as refusal:
                self._refused[asked] = refusal
                raise
            return as_fake(real)


def _is_replayable(op: Any, args: Args, kwargs: Kwargs) -> bool:
    size, work = cost(op.overloadpacket.__name__, args)
    tensors = tensors_in((args, kwargs))
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return size + held <= REPLAY_BYTES and work <= REPLAY_WORK


def _spell_arguments(value: object) -> str:
    """A key for arguments, made of their shapes and values: eager mode treats all
    arguments with the same key alike."""
    if isinstance(value, Tensor):
        return f"{value.dtype}{tuple(value.shape)}{value.stride()}"
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_spell_arguments(item) for item in value)})"
    if isinstance(value, dict):
        items = [f"{key}={_spell_arguments(item)}" for key, item in value.items()]
        return f"({', '.join(items)})"
    return repr(value)


def _find_written_tensors(op: Any, args: Args, kwargs: Kwargs) -> Iterator[Tensor]:
    """The arguments that an op writes, according to its schema."""
    for position, name in list_written_arguments(op):
        given = args[position] if position < len(args) else kwargs.get(name)
        yield from tensors_in(given)


def _choose_all(op: Any, args: Args) -> Any:
    """The result of an op whose size depends on data, if the tensor is too large to run
    it: as if every element were selected. None for other ops."""
    name = op.overloadpacket.__name__
    if ops.of_kernel(name).asks is not Asks.SIZE_FROM_VALUES:
        return None
    x: Tensor = args[0]
    with no_torch_function(), fake_mode():
        if name == "nonzero":
            return torch.empty((x.numel(), x.dim()), dtype=torch.int64)
        chosen = torch.empty((x.numel(),), dtype=x.dtype)
        if name == "masked_select":
            return chosen
        # The other results of `unique`: where each element went, and how many did.
        index = torch.empty(x.shape, dtype=torch.int64)
        return chosen, index, index
