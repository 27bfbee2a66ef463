"""The version of torch, for reports; importing this module imports torch."""

from __future__ import annotations

import torch


def torch_version() -> str:
    """The version as torch writes it: `2.6.0+cpu`."""
    return str(torch.__version__)
