"""Handles a call that raised: decides whether it counts as a failure, describes it, and
finds the result with which the walk continues."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shapelint import ops
from shapelint.facts.graph import Call, Choices, Failure, Key
from shapelint.facts.kinds import Route
from shapelint.ops.record import Candidate, Family
from shapelint.ops.recovery import recover_shapes
from shapelint.ops.registry import OF_A_MODULE
from shapelint.tracing.call_log import CallLog
from shapelint.tracing.dtype_trials import (
    find_working_dtype,
    is_floating,
    works_without_gradient,
)
from shapelint.tracing.einops_layers import is_pattern_layer, layer_arguments
from shapelint.tracing.fake_tensors import is_fake
from shapelint.tracing.frames import site_of_frame
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.nested import Args, Kwargs, tensors_in
from shapelint.tracing.op_names import gives_indices
from shapelint.tracing.scopes_of_frames import names_in
from shapelint.tracing.session import Session
from shapelint.tracing.torch_private import no_modes
from shapelint.tracing.try_blocks import is_caught
from shapelint.tracing.user_text import causes_of, first_line, message_of

Unwanted = Callable[[Key], bool]
"""Whether a walk is useless if this call fails."""

_WORDS_FOR_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
)


class GivenUpError(BaseException):
    """An `unwanted` call failed, so the walk ends. Not an `Exception`, so that no
    exception handler in the user's code catches it."""


class FailureHandler:
    """Judges and recovers the failed calls of one walk.

    `choices` selects the candidate shape with which the walk continues (default: the
    first). A failure of an `unwanted` call ends the walk."""

    def __init__(
        self, log: CallLog, session: Session, choices: Choices, unwanted: Unwanted
    ) -> None:
        self.log = log
        self.session = session
        self.choices = choices
        self.unwanted = unwanted
        self._raised: list[tuple[BaseException, Call]] = []

    def call_of(self, error: BaseException | None) -> Call | None:
        """The failed call to which an exception, or the one it was raised from,
        belongs."""
        for cause in causes_of(error):
            for raised, call in self._raised:
                if raised is cause:
                    return call
        return None

    # -- what failed -------------------------------------------------------------------

    def function_failed(
        self, call: Call, invocation: Invocation, error: Exception
    ) -> Any:
        """Handle the exception of a torch function. Return a stand-in for its result,
        or reraise."""
        self._reraise_known(error)
        func, args, kwargs = invocation.func, invocation.args, invocation.kwargs
        all_real = not any(map(is_fake, invocation.tensors))
        is_from_eager = False
        if all_real and not invocation.is_inplace:
            # The session may be at fault, or the budget: eager has the last word. An op
            # in place would write twice.
            try:
                with no_modes():
                    return func(*args, **kwargs)
            except Exception as eager:
                error, is_from_eager = eager, True
        failure = self._describe(invocation.name, args, kwargs, error)
        failure.certain = self._is_certain(invocation, error, is_from_eager)
        failure.by_autograd = (
            invocation.is_inplace and all_real and works_without_gradient(invocation)
        )
        self._register(call, failure, error)
        return self._recover_function(failure, invocation, error)

    def module_failed(
        self,
        call: Call,
        module: nn.Module,
        args: Args,
        kwargs: Kwargs,
        error: Exception,
    ) -> Any:
        """Handle the exception of a torch module that it raised itself, before or after
        calling its function."""
        self._reraise_known(error)
        if is_pattern_layer(module):
            tensor = next(tensors_in(args), None)
            if tensor is None:
                raise error
            pattern, lengths = layer_arguments(module)
            return self.pattern_failed(
                call, "rearrange", tensor, pattern, lengths, error
            )
        name = OF_A_MODULE + type(module).__name__
        failure = self._describe(name, args, kwargs, error)
        failure.certain = not self.session.is_unconfirmed(error)
        failure.attributes = call.attributes
        if call.failure is not None:  # its function failed, and was recovered
            raise error
        self._register(call, failure, error)
        shape = self._choose(failure, recover_shapes(failure), error)
        dtype = _result_dtype(name, list(tensors_in((args, kwargs))))
        return _zeros(shape, dtype)

    def kernel_failed(
        self, call: Call, invocation: Invocation, error: Exception
    ) -> None:
        """Handle the exception of the kernel that torch takes in place of a function
        that worked. The walk goes on with the function's result."""
        if is_caught(self.log.ownership):
            return
        failure = self._describe(
            invocation.name, invocation.args, invocation.kwargs, error
        )
        failure.certain = not self.session.is_unconfirmed(error)
        failure.recovered = True
        failure.route = Route.FUSED
        self._register(call, failure, error)

    def pattern_failed(
        self,
        call: Call,
        name: str,
        tensor: Tensor,
        pattern: str,
        lengths: dict[str, int],
        error: Exception,
    ) -> Any:
        """Handle an exception of einops. It reads only shapes, so eager mode would
        raise the same."""
        failure = self._describe(f"einops.{name}", (tensor, pattern), lengths, error)
        self._register(call, failure, error)
        shape = self._choose(failure, recover_shapes(failure), error)
        return _zeros(shape, tensor.dtype)

    def _reraise_known(self, error: Exception) -> None:
        """Reraise an exception that does not belong to the current call: that of
        another call passing through, or a recursion error."""
        if isinstance(error, RecursionError) or self.call_of(error) is not None:
            raise error

    # -- what it was -------------------------------------------------------------------

    def _describe(
        self, op: str, args: Args, kwargs: Kwargs, error: Exception
    ) -> Failure:
        class_name = type(error).__name__
        return Failure(
            op,
            self.log.names.plain_args(args),
            self.log.names.plain_kwargs(kwargs),
            class_name,
            first_line(error) or class_name,
        )

    def _is_certain(
        self, invocation: Invocation, error: Exception, is_from_eager: bool
    ) -> bool:
        """Whether the user would see the same exception with their own data."""
        if _lacks_memory(error):
            return False
        if self.session.is_unconfirmed(error) and not is_from_eager:
            return False
        is_our_data = _is_out_of_range(invocation.name, error)
        return not (is_our_data and self._depends_on_input(invocation))

    def _depends_on_input(self, invocation: Invocation) -> bool:
        """Whether the integers that were looked up depend on the input, unlike those of
        `torch.arange`."""
        if invocation.name == "embedding":
            index = next(iter(invocation.args), invocation.kwargs.get("input"))
            return not isinstance(index, Tensor) or self.log.is_derived(index)
        indices = [each for each in invocation.tensors if not is_floating(each)]
        return any(map(self.log.is_derived, indices))

    def _register(self, call: Call, failure: Failure, error: Exception) -> None:
        frames = list(self.log.ownership.frames(sys._getframe()))
        failure.sites = tuple(map(site_of_frame, frames))
        if frames and self.log.has_origins:
            failure.scope = names_in(frames[0])
        if call.failure is None:
            call.failure = failure
        self._raised.append((error, call))
        if self.unwanted(call.key) and not is_caught(self.log.ownership):
            raise GivenUpError

    # -- what the walk goes on with ----------------------------------------------------

    def _recover_function(
        self, failure: Failure, invocation: Invocation, error: Exception
    ) -> object:
        written = next(iter(invocation.args), None)
        if invocation.is_inplace and isinstance(written, Tensor):
            # Whatever would have been written, the result is the tensor itself.
            is_known = bool(recover_shapes(failure))
            own_shape = tuple(written.shape)
            self._choose(failure, [own_shape] if is_known else [], error)
            return written
        cast = None if invocation.is_inplace else find_working_dtype(invocation)
        if cast is not None:
            failure.cast_to = cast.dtype
            shape = self._choose(failure, [tuple(cast.result.shape)], error)
            return _zeros(shape, cast.result.dtype)
        # A pooling with indices has two results, which no recovery describes.
        has_indices = gives_indices(invocation.func, invocation.kwargs)
        shapes = [] if has_indices else recover_shapes(failure)
        dtype = _result_dtype(invocation.name, invocation.tensors)
        return _zeros(self._choose(failure, shapes, error), dtype)

    def _choose(
        self, failure: Failure, shapes: Sequence[Candidate], error: Exception
    ) -> Candidate:
        """Return the candidate with which the walk continues. Reraise if there is none,
        or if the user's own code catches the exception, as it would in eager mode."""
        if not shapes or is_caught(self.log.ownership):
            raise error
        wanted = self.choices.get(failure.place, 0)
        failure.candidates = list(shapes)
        failure.choice = min(wanted, len(shapes) - 1)
        failure.recovered = True
        return shapes[failure.choice]


def _is_out_of_range(name: str, error: BaseException) -> bool:
    """Whether an index or class label is out of range. Such a failure depends on our
    data: our integers are all 1, the user's are not."""
    return ops.of(name).looks_up and isinstance(error, IndexError)


def _lacks_memory(error: BaseException) -> bool:
    """Whether this machine ran out of memory, which is not a mistake of the model. On
    the CPU, torch has no exception class for it."""
    message = message_of(error)
    says_so = any(words in message for words in _WORDS_FOR_MEMORY)
    return says_so or isinstance(error, MemoryError)


def _zeros(candidate: Candidate, dtype: torch.dtype) -> object:
    """Zeros of a candidate's shape, or a tuple of them for several results."""
    if not isinstance(candidate, tuple):  # a result that was not asked for
        return None
    sizes = [item for item in candidate if isinstance(item, int)]
    if len(sizes) == len(candidate):
        return torch.zeros(sizes, dtype=dtype)
    return tuple(_zeros(item, dtype) for item in candidate)


def _result_dtype(name: str, tensors: list[Tensor]) -> torch.dtype:
    """The dtype that the failed call's result would have had: that of the weight if
    there is one, or else of the first float."""
    floating = [tensor.dtype for tensor in tensors if is_floating(tensor)]
    has_weight = ops.is_of(name, Family.LINEAR, Family.CONVOLUTION)
    if has_weight and len(floating) > 1:
        return floating[1]
    if floating:
        return floating[0]
    return tensors[0].dtype if tensors else torch.float32
