"""Canonical names of torch functions and dtypes, for the table and for recovery."""

from __future__ import annotations

import re

import torch

from shapelint.asked.inputs import DTYPES
from shapelint.tracing.nested import Function, Kwargs

_DUNDER = re.compile(r"^__(?P<reflected>[ir])?(?P<name>\w+?)__$")
_REFLECTED = {
    "add",
    "sub",
    "mul",
    "truediv",
    "div",
    "pow",
    "matmul",
    "floordiv",
    "mod",
    "and",
    "or",
    "xor",
}
_RENAMED = {"truediv": "div", "floordiv": "floor_divide", "mod": "remainder"}
_NOT_INPLACE = {"__invert__", "__int__", "__index__", "__init__"}
_SHORT = {getattr(torch, name): short for name, short in DTYPES.items()}

OF_GRADIENTS = {"grad", "backward", "requires_grad", "retain_grad", "register_hook"}
"""Functions that need gradients, or ask for them."""


def raw_name(func: Function) -> str:
    """The function's own name; for the getter of a property, the property's name."""
    name = getattr(func, "__name__", None) or type(func).__name__
    if name == "__get__":
        owner = getattr(func, "__self__", None)
        return str(getattr(owner, "__name__", name))
    return str(name).partition(".")[0]  # `add.Tensor` is an overload of `add`


def op_name(func: Function) -> str:
    """The canonical name: `__radd__`, `add_` and `add` are all `add`."""
    name = raw_name(func).removesuffix("_with_indices")
    match = _DUNDER.match(name)
    if match is None:
        return name if name.startswith("_") else name.rstrip("_")
    prefix, bare = match["reflected"], match["name"]
    if prefix == "r" and bare == "matmul":
        return "rmatmul"  # its operands are the other way round, which matters here
    # `r` and `i` may also begin the name: `__rshift__`, `__int__`, `__index__`.
    if prefix and bare not in _REFLECTED:
        bare = prefix + bare
    return _RENAMED.get(bare, bare)


def is_tensor_method(func: Function) -> bool:
    """Whether a function is a tensor method: `x.view(...)`, not `torch.view(x)`."""
    is_builtin = getattr(func, "__objclass__", None) is not None
    return is_builtin or getattr(func, "__qualname__", "").startswith("Tensor.")


def gives_indices(func: Function, kwargs: Kwargs) -> bool:
    """Whether a pooling also returns its indices."""
    asked = bool(kwargs.get("return_indices"))
    return asked or raw_name(func).endswith("_with_indices")


def is_inplace(func: Function) -> bool:
    """Whether a function overwrites its first argument: `add_`, `+=`."""
    name = raw_name(func)
    if name.startswith("__"):
        return name.startswith("__i") and name not in _NOT_INPLACE
    return name.endswith("_")


def dtype_name(dtype: torch.dtype) -> str:
    """The short name of a dtype: `f32` for torch.float32."""
    return _SHORT.get(dtype, str(dtype).removeprefix("torch."))
