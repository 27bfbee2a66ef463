"""Checks whether a walk can be differentiated: tensors that autograd saved must not be
overwritten afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from shapelint.facts.graph import Call, Spoiled
from shapelint.tracing.nested import tensors_in
from shapelint.tracing.patches import hook_saved_tensors
from shapelint.tracing.torch_private import no_torch_function, storage_key, version_of

MOST = 5
"""The most spoiled tensors to find in the backward of one output."""


@dataclass(eq=False)
class _SavedTensor:
    """A tensor that autograd saved for the backward.

    `version`: how often it had been written by then. `storage`: a key of its memory,
    which views share. `call`: the call that was running. `writes_before`: how many
    writes had been recorded by then."""

    tensor: Tensor | None
    version: int
    storage: int
    call: Call | None
    writes_before: int

    @property
    def is_written(self) -> bool:
        return self.tensor is not None and version_of(self.tensor) != self.version


class _SpoiledError(Exception):
    def __init__(self, saved: _SavedTensor) -> None:
        super().__init__()
        self.saved = saved


class GradientWatch:
    """Records, for each call, what autograd saves and what is written in place.
    `current` returns the running call."""

    def __init__(self, current: Callable[[], Call | None]) -> None:
        self.current = current
        self._saved: list[_SavedTensor] = []
        self._writes: list[tuple[int, Call | None]] = []
        self._known: set[int] = set()

    def watch(self) -> contextlib.AbstractContextManager[None]:
        """Record what autograd saves inside this context."""
        return hook_saved_tensors(self._pack, self._unpack)

    def forget(self) -> None:
        """Release all tensors and calls. Autograd's graph holds this object, and the
        garbage collector cannot see that."""
        for saved in self._saved:
            saved.tensor, saved.call = None, None
        self._saved.clear()
        self._writes.clear()
        self.current = _nothing

    def note_write(self, tensor: Tensor) -> None:
        """Record that a tensor is about to be written."""
        self._writes.append((storage_key(tensor), self.current()))

    def find_spoiled(self, result: object) -> list[Spoiled]:
        """Find the saved tensors that make the backward fail.

        If anything saved was overwritten, the model's results are differentiated: an
        overwritten tensor matters only if the gradient of a result needs it."""
        with no_torch_function():
            if not any(saved.is_written for saved in self._saved):
                return []
            parts = tensors_in(_members(result))
            outputs = [tensor for tensor in parts if tensor.requires_grad]
            found: list[Spoiled] = []
            for output in outputs:
                is_first = output is outputs[0]
                blocks = self._stumbling_blocks(output)
                found += [self._describe(saved, is_first) for saved in blocks]
        return found

    def _pack(self, tensor: Tensor) -> _SavedTensor:
        with no_torch_function():
            version, storage = version_of(tensor), storage_key(tensor)
        writes_before = len(self._writes)
        saved = _SavedTensor(tensor, version, storage, self.current(), writes_before)
        self._saved.append(saved)
        return saved

    def _unpack(self, saved: _SavedTensor) -> Tensor:
        # torch compares versions only of tensors that it saved without hooks.
        with no_torch_function():
            if saved.is_written and id(saved) not in self._known:
                raise _SpoiledError(saved)
        assert saved.tensor is not None
        return saved.tensor

    def _stumbling_blocks(self, output: Tensor) -> Iterator[_SavedTensor]:
        """Run the backward again and again, each time ignoring the overwritten tensors
        found so far."""
        for _ in range(MOST):
            saved = self._first_stumbling_block(output)
            if saved is None:
                return
            self._known.add(id(saved))
            yield saved

    def _first_stumbling_block(self, output: Tensor) -> _SavedTensor | None:
        leaves = [node.variable for node in _leaf_nodes(output)]
        try:
            torch.autograd.grad(
                output.sum(), leaves, allow_unused=True, retain_graph=True
            )
        except _SpoiledError as error:
            return error.saved
        except Exception:  # another matter, and not one of the forward
            return None
        return None

    def _describe(self, saved: _SavedTensor, is_first: bool) -> Spoiled:
        later = self._writes[saved.writes_before :]
        writers = (call for storage, call in later if storage == saved.storage)
        shape = () if saved.tensor is None else tuple(saved.tensor.shape)
        return Spoiled(shape, saved.call, next(writers, None), is_first)


def _nothing() -> Call | None:
    return None


def _members(result: object) -> object:
    """The parts of a result: the fields of a dataclass or similar object."""
    if isinstance(result, Tensor) or not hasattr(result, "__dict__"):
        return result
    return list(vars(result).values())


def _leaf_nodes(output: Tensor) -> Iterator[Any]:
    """The autograd nodes that accumulate gradients, each with its `variable`."""
    waiting: list[Any] = [output.grad_fn]
    seen: set[object] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node
        waiting += [following for following, _ in node.next_functions]
