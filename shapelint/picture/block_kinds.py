"""Groups of block kinds that are drawn in the same way."""

from __future__ import annotations

from shapelint.facts.kinds import BlockKind

DATA = (BlockKind.INPUT, BlockKind.OUTPUT)
"""The tensors that the model takes and returns."""

MODULES = (BlockKind.MODULE, BlockKind.CONTAINER)
"""Modules, whether or not the picture has room for what is inside."""

FUNCTIONS = (BlockKind.FUNCTION, BlockKind.METHOD)
"""Calls of functions and of tensor methods."""
