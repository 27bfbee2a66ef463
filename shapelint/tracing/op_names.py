"""What a torch function and a dtype are called, on the table and in recovery."""

from __future__ import annotations

import re
from typing import Any

import torch

from shapelint.asked.inputs import DTYPES

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
_SHORT = {getattr(torch, name): short for name, short in DTYPES.items()}


def raw_name(func: Any) -> str:
    """The function's own name; of a property getter, the property's."""
    name = getattr(func, "__name__", None) or type(func).__name__
    if name == "__get__":
        return str(getattr(func.__self__, "__name__", name))
    return str(name).partition(".")[0]


def op_name(func: Any) -> str:
    """The canonical name: `__radd__`, `add_` and `add` are all `add`."""
    name = raw_name(func).removesuffix("_with_indices")
    match = _DUNDER.match(name)
    if match:
        bare = match["name"]
        if match["reflected"] == "r" and bare in ("matmul",):
            return "rmatmul"
        if match["reflected"] and bare not in _REFLECTED:
            bare = match["reflected"] + bare
        return _RENAMED.get(bare, bare)
    return name.rstrip("_") if not name.startswith("_") else name


def gives_indices(func: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a pooling gives its indices too."""
    return bool(kwargs.get("return_indices")) or raw_name(func).endswith(
        "_with_indices"
    )


def is_inplace(func: Any) -> bool:
    """Whether the function writes its first argument: `add_`, `+=`."""
    name = raw_name(func)
    if name.startswith("__"):
        return name.startswith("__i") and name not in (
            "__invert__",
            "__int__",
            "__index__",
            "__init__",
        )
    return name.endswith("_")


def dtype_name(dtype: torch.dtype) -> str:
    """`f32` for torch.float32; other dtypes by their own name."""
    return _SHORT.get(dtype, str(dtype).removeprefix("torch."))
