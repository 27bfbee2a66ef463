"""What is changed on torch and Python for a walk is undone, and a torch without one of
its private names is made do with."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from shapelint.tracing import patches, torch_private


def keep(*_: Any) -> Any:
    return None


PATCHES: dict[
    str, tuple[Callable[[], contextlib.AbstractContextManager[None]], Any, str]
] = {
    "constructors": (lambda: patches.watch_constructors(keep), nn.Module, "__init__"),
    "truncated normal": (
        lambda: patches.replace_truncated_normal(keep),
        nn.init,
        "trunc_normal_",
    ),
    "apply": (patches.allow_fakes_in_apply, nn.Module, "_apply"),
    "calls": (lambda: patches.route_module_calls(keep), nn.Module, "__call__"),
    "saved tensors": (
        lambda: patches.hook_saved_tensors(keep, keep),
        torch.autograd.graph,
        "disable_saved_tensors_hooks",
    ),
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_is_undone_after_an_exception_and_inside_another(name: str) -> None:
    patch, owner, attribute = PATCHES[name]
    before = getattr(owner, attribute)
    with contextlib.suppress(ZeroDivisionError), patch():
        outer = getattr(owner, attribute)
        with patch():
            assert getattr(owner, attribute) is not outer
        assert getattr(owner, attribute) is outer
        raise ZeroDivisionError
    assert outer is not before
    assert getattr(owner, attribute) is before


def test_a_limit_that_the_user_sets_is_left_to_them() -> None:
    before = sys.getrecursionlimit()
    with patches.raise_recursion_limit():
        assert sys.getrecursionlimit() > before
    assert sys.getrecursionlimit() == before
    try:
        with patches.raise_recursion_limit():
            sys.setrecursionlimit(before + 7)
        assert sys.getrecursionlimit() == before + 7
    finally:
        sys.setrecursionlimit(before)


def test_without_its_guards_torch_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch._C, "DisableTorchFunction")
    monkeypatch.delattr(torch.utils._python_dispatch, "_disable_current_modes")
    with torch_private.no_modes(), torch_private.no_torch_function():
        assert torch.ones(2).sum().item() == 2


def test_without_apply_nothing_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(nn.Module, "_apply")
    with patches.allow_fakes_in_apply():
        assert not hasattr(nn.Module, "_apply")


@pytest.mark.parametrize(("op", "written"), [("add_", [(0, "self")]), ("add", [])])
def test_without_a_schema_the_name_says_what_is_written(
    op: str, written: list[tuple[int, str]]
) -> None:
    known = getattr(torch.ops.aten, op).Tensor
    unknown = SimpleNamespace(overloadpacket=known.overloadpacket)
    for each in (known, unknown):
        assert torch_private.is_mutating(each) is bool(written)
        assert list(torch_private.list_written_arguments(each)) == written


def test_views_share_a_storage_and_copies_do_not() -> None:
    x = torch.ones(4)
    assert torch_private.storage_key(x[1:]) == torch_private.storage_key(x)
    assert torch_private.storage_key(x.clone()) != torch_private.storage_key(x)
    before = torch_private.version_of(x)
    x.add_(1)
    assert torch_private.version_of(x) == before + 1
