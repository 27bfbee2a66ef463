"""shapelint: walk a PyTorch model without data, and say what is wrong before training.

`check`, `trace` and the assertions are imported when they are first used; torch with
them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from shapelint.facts.errors import UsageError
    from shapelint.python.api import WalkedModel, check, trace
    from shapelint.python.results import Report
    from shapelint.python.testing import (
        assert_clean,
        assert_modes_agree,
        assert_params,
        assert_shapes,
    )

__all__ = [
    "Report",
    "UsageError",
    "WalkedModel",
    "__version__",
    "assert_clean",
    "assert_modes_agree",
    "assert_params",
    "assert_shapes",
    "check",
    "trace",
]

_HOMES = {
    **dict.fromkeys(("WalkedModel", "check", "trace"), "shapelint.python.api"),
    "Report": "shapelint.python.results",
    **dict.fromkeys(
        ("assert_clean", "assert_modes_agree", "assert_params", "assert_shapes"),
        "shapelint.python.testing",
    ),
    "UsageError": "shapelint.facts.errors",
    "load_ipython_extension": "shapelint.python.notebook",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module `shapelint` has no `{name}`")
