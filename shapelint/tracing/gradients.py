"""Whether the graph of a walk can be differentiated: what autograd saved must not be
written afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks

from shapelint.facts.graph import Call, Spoiled
from shapelint.tracing.costs import tensors_in
from shapelint.tracing.torch_private import no_torch_function

MOST = 5
"""Spoiled tensors looked for in one walk."""


@dataclass(eq=False)
class _Saved:
    tensor: torch.Tensor | None
    version: int
    storage: int
    call: Call | None
    turn: int

    @property
    def is_written(self) -> bool:
        return self.tensor is not None and self.tensor._version != self.version


class _SpoiledError(Exception):
    def __init__(self, saved: _Saved) -> None:
        super().__init__()
        self.saved = saved


class GradientWatch:
    """Notes what autograd saves and what is written in place, call by call; `current`
    names the call under way."""

    def __init__(self, current: Callable[[], Call | None]) -> None:
        self.current = current
        self._saved: list[_Saved] = []
        self._written: list[tuple[int, Call | None]] = []
        self._known: set[int] = set()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """What autograd saves inside is noted; `torch.func`, which refuses such hooks,
        runs without them."""
        hooks = saved_tensors_hooks(self._pack, self._unpack)
        original = torch.autograd.graph.disable_saved_tensors_hooks

        @contextlib.contextmanager
        def disabled(message: str) -> Iterator[None]:
            hooks.__exit__()
            try:
                with original(message):
                    yield
            finally:
                hooks.__enter__()

        torch.autograd.graph.disable_saved_tensors_hooks = disabled  # type: ignore[assignment]
        try:
            with hooks:
                yield
        finally:
            torch.autograd.graph.disable_saved_tensors_hooks = original

    def forget(self) -> None:
        """Let go of all tensors and calls: autograd's graph holds this object, and no
        collector sees that it does."""
        for saved in self._saved:
            saved.tensor, saved.call = None, None
        self._saved.clear()
        self._written.clear()
        self.current = _nothing

    def wrote(self, tensor: torch.Tensor) -> None:
        """A tensor is about to be written."""
        self._written.append((_storage(tensor), self.current()))

    def _pack(self, tensor: torch.Tensor) -> _Saved:
        with no_torch_function():
            saved = _Saved(
                tensor,
                tensor._version,
                _storage(tensor),
                self.current(),
                len(self._written),
            )
        self._saved.append(saved)
        return saved

    def _unpack(self, saved: _Saved) -> torch.Tensor:
        with no_torch_function():
            if saved.is_written and id(saved) not in self._known:
                raise _SpoiledError(saved)
        assert saved.tensor is not None
        return saved.tensor

    def spoiled(self, out: Any) -> list[Spoiled]:
        """What the backward of a model's results would stumble over: they are
        differentiated, if anything was written.

        A tensor that was written matters only where the gradient of a result needs it.
        """
        with no_torch_function():
            if not any(saved.is_written for saved in self._saved):
                return []
            results = [
                tensor for tensor in tensors_in(_members(out)) if tensor.requires_grad
            ]
            found = []
            for position, result in enumerate(results):
                for _ in range(MOST):
                    saved = self._stumbled(result)
                    if saved is None:
                        break
                    self._known.add(id(saved))
                    found.append(self._described(saved, position == 0))
        return found

    def _stumbled(self, result: torch.Tensor) -> _Saved | None:
        leaves = [node.variable for node in _leaves(result)]
        try:
            torch.autograd.grad(
                result.sum(), leaves, allow_unused=True, retain_graph=True
            )
        except _SpoiledError as error:
            return error.saved
        except Exception:  # another matter, and not one of the forward
            return None
        return None

    def _described(self, saved: _Saved, first: bool) -> Spoiled:
        after = self._written[saved.turn :]
        writer = next(
            (call for storage, call in after if storage == saved.storage), None
        )
        shape = tuple(saved.tensor.shape) if saved.tensor is not None else ()
        return Spoiled(shape, saved.call, writer, first)


def _nothing() -> Call | None:
    return None


def _storage(tensor: torch.Tensor) -> int:
    return (
        int(tensor.untyped_storage()._cdata)
        if tensor.layout == torch.strided
        else id(tensor)
    )


def _members(out: Any) -> Any:
    """A result's parts: a dataclass or the like as its fields."""
    return (
        list(vars(out).values())
        if hasattr(out, "__dict__") and not isinstance(out, torch.Tensor)
        else out
    )


def _leaves(result: torch.Tensor) -> Iterator[Any]:
    """The nodes that would accumulate gradients, each with its `variable`."""
    queue, seen = [result.grad_fn], set()
    while queue:
        node = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node
        queue += [following for following, _ in node.next_functions]
