"""Groups of block kinds that are drawn in the same way."""

from __future__ import annotations

from shapelint.facts.kinds import BlockKind

DATA = (BlockKind.INPUT, BlockKind.OUTPUT)
"""The tensors that the model takes and returns."""

MODULES = (BlockKind.MODULE, BlockKind.CONTAINER)
"""Modules, with or without their contents in the picture."""

FUNCTIONS = (BlockKind.FUNCTION, BlockKind.METHOD)
"""Calls of functions and of tensor methods."""
