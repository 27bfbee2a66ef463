"""A call that raised: is it the user's, what was it, and with what does the walk go
on?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from shapelint import ops
from shapelint.facts.graph import Call, Choices, Failure, Key
from shapelint.ops.recovery import recovered_shapes
from shapelint.tracing.costs import tensors_in
from shapelint.tracing.described import causes_of, first_line, message_of
from shapelint.tracing.einops_calls import is_pattern_layer, layer_arguments
from shapelint.tracing.frames import Ownership
from shapelint.tracing.handlers import is_caught
from shapelint.tracing.op_names import dtype_name, gives_indices, is_inplace
from shapelint.tracing.session import Session, is_fake
from shapelint.tracing.torch_private import no_modes

if TYPE_CHECKING:
    from shapelint.tracing.recorder import Recorder

Unwanted = Callable[[Key], bool]


class GivenUpError(BaseException):
    """A call failed of which it was said that the walk is of no use then."""


_BY_WEIGHT = ("linear", "conv", "bilinear")


class FailureHandler:
    """Judges and recovers the failed calls of one walk.

    `choices` says which candidate shape to go on with (default: the first); a call that
    is `unwanted` ends the walk."""

    def __init__(
        self,
        ownership: Ownership,
        session: Session,
        choices: Choices,
        unwanted: Unwanted,
    ) -> None:
        self.ownership = ownership
        self.session = session
        self.choices = choices
        self.unwanted = unwanted
        self.raising: list[tuple[BaseException, Call]] = []

    def call_of(self, error: BaseException | None) -> Call | None:
        """The failed call that an exception, or the one it was raised from, belongs
        to."""
        for cause in causes_of(error):
            for raised, call in self.raising:
                if raised is cause:
                    return call
        return None

    def function_failed(
        self,
        recorder: Recorder,
        call: Call,
        func: Any,
        name: str,
        args: Any,
        kwargs: Any,
        error: Exception,
    ) -> Any:
        """A torch function raised; answer with what stands in for its result, or raise
        on."""
        if self.call_of(error) is not None or isinstance(
            error, RecursionError
        ):  # that is no call's doing
            raise error
        all_real = not any(is_fake(tensor) for tensor in tensors_in((args, kwargs)))
        is_eagers = False
        if all_real and not is_inplace(func):
            try:
                with no_modes():
                    return func(*args, **kwargs)
            except Exception as eager:
                error, is_eagers = eager, True
        failure = Failure(
            name,
            recorder.plain(tuple(args)),
            recorder.plain(dict(kwargs)),
            *_described(error),
        )
        failure.certain = not (
            (self.session.is_unconfirmed(error) and not is_eagers)
            or _lacks_memory(error)
            or (
                _asks_for_other_data(name, error)
                and _hangs_on_input(recorder, name, args, kwargs)
            )
        )
        failure.by_autograd = (
            is_inplace(func)
            and all_real
            and _works_without_gradient(func, args, kwargs)
        )
        self._register(call, failure, error)
        cast = None if is_inplace(func) else cast_outcome(func, name, args, kwargs)
        if cast is not None:
            failure.cast_to, out = cast
            return self._go_on(failure, [_shape_of(out)], error, out.dtype)
        shapes = [] if gives_indices(func, kwargs) else recovered_shapes(failure)
        if is_inplace(func) and args and isinstance(args[0], torch.Tensor):
            shapes = shapes and [tuple(args[0].shape)]
            return self._go_on(failure, shapes, error, args[0])
        return self._go_on(failure, shapes, error, _dtype_for(name, args, kwargs))

    def module_failed(
        self,
        recorder: Recorder,
        call: Call,
        module: torch.nn.Module,
        args: Any,
        kwargs: Any,
        error: Exception,
    ) -> Any:
        """One of torch's modules raised by itself, before or after its function."""
        if self.call_of(error) is not None or isinstance(error, RecursionError):
            raise error
        if is_pattern_layer(module):
            tensor = next(tensors_in(args), None)
            if tensor is None:
                raise error
            return self.pattern_failed(
                recorder, call, "rearrange", tensor, *layer_arguments(module), error
            )
        name = f"module:{type(module).__name__}"
        failure = Failure(
            name,
            recorder.plain(tuple(args)),
            recorder.plain(dict(kwargs)),
            *_described(error),
        )
        failure.certain = not self.session.is_unconfirmed(error)
        failure.kwargs["_attributes"] = call.attributes
        if call.failure is not None:
            raise error
        self._register(call, failure, error)
        return self._go_on(
            failure, recovered_shapes(failure), error, _dtype_for(name, args, kwargs)
        )

    def pattern_failed(
        self,
        recorder: Recorder,
        call: Call,
        name: str,
        tensor: Any,
        pattern: str,
        lengths: Any,
        error: Exception,
    ) -> Any:
        """einops raised: it asks for shapes only, so that eager would say the same."""
        failure = Failure(
            f"einops.{name}",
            (recorder.fact(tensor), pattern),
            recorder.plain(dict(lengths)),
            *_described(error),
        )
        self._register(call, failure, error)
        return self._go_on(failure, recovered_shapes(failure), error, tensor.dtype)

    def _register(self, call: Call, failure: Failure, error: Exception) -> None:
        failure.sites = tuple(self.ownership.sites())
        if call.failure is None:
            call.failure = failure
        self.raising.append((error, call))
        if self.unwanted(call.key) and not is_caught(self.ownership):
            raise GivenUpError

    def _go_on(
        self, failure: Failure, shapes: list[Any], error: Exception, like: Any
    ) -> Any:
        if not shapes or is_caught(self.ownership):
            raise error
        failure.candidates = list(shapes)
        failure.choice = min(self.choices.get(failure.place, 0), len(shapes) - 1)
        failure.recovered = True
        if isinstance(like, torch.Tensor):
            return like
        return _stand_in(shapes[failure.choice], like)


def _asks_for_other_data(name: str, error: BaseException) -> bool:
    """An index or class label out of range: our integers are all 1, the user's are
    not."""
    return ops.of(name).looks_up and isinstance(error, IndexError)


def _hangs_on_input(recorder: Recorder, name: str, args: Any, kwargs: Any) -> bool:
    """Whether the integers that were looked up are not the model's own, as those of
    `torch.arange` are."""
    if name == "embedding":
        index = args[0] if args else kwargs.get("input")
        return not isinstance(index, torch.Tensor) or recorder.is_derived(index)
    return any(
        recorder.is_derived(tensor)
        for tensor in tensors_in((args, kwargs))
        if not _floats(tensor)
    )


def _floats(tensor: torch.Tensor) -> bool:
    return tensor.dtype.is_floating_point or tensor.dtype.is_complex


def _works_without_gradient(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether an op in place works on copies that autograd knows nothing of."""

    def copied(value: Any) -> Any:
        return value.detach().clone() if isinstance(value, torch.Tensor) else value

    try:
        with no_modes(), torch.no_grad():
            func(
                *map(copied, args),
                **{key: copied(value) for key, value in kwargs.items()},
            )
    except Exception:  # shapes or dtypes are it
        return False
    return True


def cast_outcome(
    func: Any, name: str, args: Any, kwargs: Any
) -> tuple[str, torch.Tensor] | None:
    """The dtype with which a failed call would have worked, and its result then; None
    where dtypes are not it."""
    tensors = list(tensors_in((args, kwargs)))
    at = ops.of(name).mask_at
    if at is not None and len(args) > at:
        mask = args[at]
        if (
            isinstance(mask, torch.Tensor)
            and mask.dtype != torch.bool
            and not is_fake(mask)
        ):
            out = _called(func, (*args[:at], mask.bool(), *args[at + 1 :]), kwargs)
            return (
                (dtype_name(torch.bool), out) if isinstance(out, torch.Tensor) else None
            )
    if ops.of(name).looks_up:
        wanted = [torch.int64]
    else:
        floats = [tensor.dtype for tensor in tensors if _floats(tensor)]
        wanted = list(
            dict.fromkeys([*floats[1:2], *floats[:1], torch.float32, torch.bool])
        )
    if len({tensor.dtype for tensor in tensors}) == 1 and not (
        name == "embedding" or not _floats(tensors[0])
    ):
        return None
    for dtype in wanted:
        out = _with_dtype(func, name, args, kwargs, dtype)
        if isinstance(out, torch.Tensor):
            return dtype_name(dtype), out
    return None


def _with_dtype(
    func: Any, name: str, args: Any, kwargs: Any, dtype: torch.dtype
) -> Any:
    """The call with its tensors of that dtype; of a look-up or a loss only the index or
    target."""
    first_only = ops.of(name).index_first

    def cast(value: Any, position: int) -> Any:
        if not isinstance(value, torch.Tensor) or is_fake(value):
            return value
        if dtype == torch.int64 and (position > 0 if first_only else position == 0):
            return value
        if dtype == torch.int64:
            return torch.zeros_like(value, dtype=dtype)
        return value.detach().to(dtype)

    changed = tuple(cast(value, position) for position, value in enumerate(args))
    return _called(
        func,
        changed,
        {key: cast(value, 0 if key == "input" else 1) for key, value in kwargs.items()},
    )


def _called(func: Any, args: Any, kwargs: Any) -> Any:
    """The result of a call outside of the walk; None where it raises."""
    try:
        with no_modes(), torch.no_grad():
            return func(*args, **kwargs)
    except Exception:  # it is not the dtype, or not only
        return None


def _shape_of(value: torch.Tensor) -> tuple[int, ...]:
    return tuple(value.shape)


_WORDS_FOR_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
)


def _lacks_memory(error: BaseException) -> bool:
    """Memory of this machine, not a mistake of the model; torch has no exception of its
    own for it on the CPU."""
    return isinstance(error, MemoryError) or any(
        words in message_of(error) for words in _WORDS_FOR_MEMORY
    )


def _stand_in(candidate: Any, dtype: torch.dtype) -> Any:
    """Zeros of a candidate's shape, or of each where there are several results."""
    if candidate is None:
        return None
    if any(not isinstance(item, int) for item in candidate):
        return tuple(_stand_in(item, dtype) for item in candidate)
    return torch.zeros(candidate, dtype=dtype)


def _described(error: BaseException) -> tuple[str, str]:
    return type(error).__name__, first_line(error) or type(error).__name__


def _dtype_for(name: str, args: Any, kwargs: Any) -> torch.dtype:
    dtypes = [tensor.dtype for tensor in tensors_in((args, kwargs))]
    floating = [
        dtype for dtype in dtypes if dtype.is_floating_point or dtype.is_complex
    ]
    if name.startswith(_BY_WEIGHT) and len(floating) > 1:
        return floating[1]
    return floating[0] if floating else (dtypes[0] if dtypes else torch.float32)
