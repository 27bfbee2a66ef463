"""Observes every torch call of a walk, and records, answers or recovers it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from shapelint import ops
from shapelint.facts.graph import Call
from shapelint.facts.kinds import Home, Route
from shapelint.ops.record import Asks
from shapelint.tracing.answers import Answers
from shapelint.tracing.call_log import CallLog
from shapelint.tracing.devices import move_to_cpu
from shapelint.tracing.einops_layers import is_pattern_layer
from shapelint.tracing.failures import FailureHandler
from shapelint.tracing.fake_tensors import is_fake
from shapelint.tracing.fused_paths import (
    ATTENTION,
    Attended,
    has_fused_path,
    has_masks,
    run_fused,
)
from shapelint.tracing.invocation import Invocation
from shapelint.tracing.members import is_leaf, qualify
from shapelint.tracing.nested import Args, Function, Kwargs, has_tensors
from shapelint.tracing.op_names import OF_GRADIENTS, op_name, raw_name
from shapelint.tracing.session import answer_in_place_of_torch
from shapelint.tracing.sizes import (
    answer_size,
    carry_sizes,
    carry_sizes_of_module,
)
from shapelint.tracing.torch_private import no_modes

_ANSWERED = (Asks.VALUE, Asks.COMPARISON, Asks.SIZE_FROM_VALUES)
"""Questions that can be answered only with data or a stand-in."""

_WHOLE_VALUES = {"tolist", "numpy", "array"}
"""Questions about all values of a tensor."""


def enter_root(
    original: Function, module: nn.Module, args: Args, kwargs: Kwargs
) -> Any:
    """Call the outermost module. Frames outside of this function are not the
    model's."""
    return original(module, *args, **kwargs)


def enter_module(
    original: Function, module: nn.Module, args: Args, kwargs: Kwargs
) -> Any:
    """Call a module inside the model."""
    return original(module, *args, **kwargs)


class Recorder(TorchFunctionMode):
    """Intercepts every torch function of one walk; `on_module` intercepts every module
    call."""

    def __init__(
        self,
        log: CallLog,
        answers: Answers,
        failures: FailureHandler,
        has_origins: bool = False,
    ) -> None:
        super().__init__()
        self.has_origins = log.has_origins = has_origins
        self.log = log
        self.answers = answers
        self.failures = failures
        self._current: Call | None = None
        self.asks_gradients = False
        self._attended: Attended | None = None
        self._is_asking_kernel = False
        self._raised_in: dict[int, str] = {}

    # -- what modes and patches call ---------------------------------------------------

    def __torch_function__(
        self, func: Function, types: Any, args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        name = op_name(func)
        args, kwargs = move_to_cpu(name, args, kwargs or {})
        answer = answer_in_place_of_torch(name, args)
        if answer is not NotImplemented:
            return answer
        if self.log.leaf is None and name in OF_GRADIENTS:
            self.asks_gradients = True
        invocation = Invocation(func, name, args, kwargs)
        if _asks_for_value(invocation):
            return self._ask(invocation)
        if ops.of(name).asks is Asks.FACT:
            answer = func(*args, **kwargs)
            if self.has_origins and args and isinstance(args[0], Tensor):
                site = self.log.ownership.nearest() if self.log.leaf is None else None
                return answer_size(name, args[0], args[1:], answer, site)
            return answer
        return self._run(invocation)

    def on_module(
        self, original: Function, module: nn.Module, args: Args, kwargs: Kwargs
    ) -> Any:
        """Replaces `nn.Module.__call__` during the walk."""
        if self._is_asking_kernel:
            return original(module, *args, **kwargs)
        # of layers inside each other, the outermost chooses the path
        if self._attended is not None or not has_fused_path(module):
            return self._call_module(original, module, args, kwargs)
        self._attended = attended = Attended(len(self.log.calls))
        try:
            out = self._call_module(original, module, args, kwargs)
        finally:
            self._attended = None
        self._ask_kernel(attended, module, args, kwargs)
        return out

    def _call_module(
        self, original: Function, module: nn.Module, args: Args, kwargs: Kwargs
    ) -> Any:
        path = self._path_of(module)
        call: Call | None = None
        if self.log.leaf is None and (is_leaf(module) or is_pattern_layer(module)):
            call = self.log.begin_module(module, path, args, kwargs)
            self.log.leaf = call
        enter = enter_module if self.log.stack else enter_root
        self.log.stack.push(path, module)
        self.answers.module_serials = self.log.stack.serials
        try:
            out = enter(original, module, args, kwargs)
        except Exception as error:
            self._raised_in.setdefault(id(error), path)
            if call is None:
                raise
            out = self.failures.module_failed(call, module, args, kwargs, error)
        finally:
            self.log.stack.pop()
            self.answers.module_serials = self.log.stack.serials
            if call is not None:
                self.log.leaf = None
        if call is not None:
            if self.has_origins:
                carry_sizes_of_module(call, self.log.names, args, kwargs, out)
            self.log.finish(call, out)
        return out

    def on_failed_pattern(
        self,
        name: str,
        tensor: Tensor,
        pattern: str,
        lengths: dict[str, int],
        error: Exception,
    ) -> Any:
        """Handle the exception of an einops function."""
        leaf = self.log.leaf
        call = leaf or self.log.begin_pattern(name, tensor, pattern, lengths)
        out = self.failures.pattern_failed(call, name, tensor, pattern, lengths, error)
        if call is not leaf:
            self.log.finish(call, out)
        return out

    def on_work(self, work: int) -> None:
        """Add the mult-adds of an op to the running call."""
        call = self.call_under_way()
        if call is not None:
            call.mult_adds += work

    # -- where the walk is -------------------------------------------------------------

    def call_under_way(self) -> Call | None:
        """The running call."""
        return self.log.leaf or self._current

    def find_raising_module(self, error: BaseException) -> str:
        """The qualified name of the innermost module that an exception came from."""
        return self._raised_in.get(id(error), "")

    def _path_of(self, module: nn.Module) -> str:
        """The name of a module in the model. One that is not registered is named by its
        class within the calling module."""
        path = self.log.names.modules.get(id(module))
        if path is not None:
            return path
        return qualify(self.log.stack.layer, f"<{type(module).__name__}>")

    # -- calls -------------------------------------------------------------------------

    def _run(self, invocation: Invocation) -> Any:
        func, args, kwargs = invocation.func, invocation.args, invocation.kwargs
        leaf = self.log.leaf
        if leaf is not None:
            try:
                out = func(*args, **kwargs)
            except Exception as error:
                return self.failures.function_failed(leaf, invocation, error)
            if self.has_origins:
                carry_sizes(invocation, self.log.names, out)
            attended = self._attended
            if attended is not None and invocation.name == ATTENTION:
                attended.first = attended.first or (leaf, invocation)
            return out
        call = self.log.begin_function(invocation)
        # A function may call others, as `torch.vmap` and checkpoints do.
        around, self._current = self._current, call
        try:
            out = func(*args, **kwargs)
        except Exception as error:
            out = self.failures.function_failed(call, invocation, error)
        finally:
            self._current = around
        if not has_tensors(out):
            self.log.forget(call)
            return out
        if self.has_origins:
            carry_sizes(invocation, self.log.names, out)
        is_itself = bool(args) and out is args[0]
        if is_itself and call.home is Home.CPU and invocation.name in ("cpu", "to"):
            # `x.cpu()` is x itself here: of the two, one may have stayed where it was.
            call.home = Home.UNKNOWN
        self.log.finish(call, out)
        return out

    # -- the other way of computing attention ------------------------------------------

    def _ask_kernel(
        self, attended: Attended, module: nn.Module, args: Args, kwargs: Kwargs
    ) -> None:
        """Mark what fails only in a layer's parts, and add what fails only in the
        kernel that torch would take."""
        calls = self.log.calls[attended.start :]
        failed = [call.failure for call in calls if call.failure is not None]
        if not failed and not has_masks(module, args, kwargs):
            return
        self._is_asking_kernel = True
        try:
            run = run_fused(module, args, kwargs, is_narrow=not failed)
        finally:
            self._is_asking_kernel = False
        if not run.is_taken:
            return
        if failed and run.error is None:
            for failure in failed:
                failure.route = Route.PARTS
        if not failed and run.error is not None and attended.first is not None:
            self.failures.kernel_failed(*attended.first, run.error)

    # -- questions for values ----------------------------------------------------------

    def _ask(self, invocation: Invocation) -> Any:
        """Answer a question about a value, and record that the walk depends on it."""
        name, tensors = invocation.name, invocation.tensors
        if not tensors:
            return invocation.func(*invocation.args, **invocation.kwargs)
        asked = tensors[0]
        if ops.of(name).asks is Asks.SIZE_FROM_VALUES:
            # The answer is a tensor.
            answer = self._run(invocation)
            if is_fake(asked):
                self.answers.handed_out_number = True
            return answer
        site = self.log.ownership.nearest()
        is_derived = is_fake(asked) or any(map(self.log.is_derived, tensors))
        forced = self.answers.find_forced_answer(name, site) if is_derived else None
        answer = self._answer(invocation, asked) if forced is None else forced
        # Torch's own layers ask about real values for checks of theirs.
        is_torchs = self.log.leaf is not None and not is_fake(asked)
        if is_derived and not is_torchs:
            layer = self.log.stack.layer
            self.answers.note(name, asked, answer, site, layer, forced is not None)
        return answer

    def _answer(self, invocation: Invocation, asked: Tensor) -> Any:
        if is_fake(asked):
            if invocation.name in _WHOLE_VALUES:
                self.answers.handed_out_number = True
                return _make_up_values(invocation.name, asked)
            if ops.of(invocation.name).asks is Asks.COMPARISON:
                return self.answers.stand_in(torch.ones((), dtype=torch.bool))
        try:
            return invocation.func(*invocation.args, **invocation.kwargs)
        except Exception as error:
            call = self.log.leaf or self.log.begin_function(invocation)
            return self.failures.function_failed(call, invocation, error)


def _asks_for_value(invocation: Invocation) -> bool:
    """`float(x)` asks for a value, while the method `x.float()` returns a tensor."""
    op = ops.of(invocation.name)
    is_cast = op.only_as_dunder and not raw_name(invocation.func).startswith("__")
    return op.asks in _ANSWERED and not is_cast


def _make_up_values(name: str, tensor: Tensor) -> Any:
    with no_modes():
        ones = torch.ones(tuple(tensor.shape), dtype=tensor.dtype)
        return ones.tolist() if name == "tolist" else ones.numpy()
