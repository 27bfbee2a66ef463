"""Cells that were run in this session. They are not files, but Python keeps their
text."""

from __future__ import annotations

import linecache
import os
import sys


def is_live_cell(file: str) -> bool:
    """Whether a file name stands for a cell that was run in this session."""
    if file not in linecache.cache:
        return False
    # IPython in a terminal names its cells the one way, Jupyter's kernel the other
    return file.startswith("<ipython-input-") or f"{os.sep}ipykernel_" in file


def text_of_live_cell(file: str) -> str:
    """The text of such a cell at the time it was run."""
    return "".join(linecache.getlines(file))


def number_of_live_cell(file: str) -> str:
    """`In [3]` for the name of such a cell; empty for any other name."""
    if not is_live_cell(file):
        return ""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    names = getattr(getattr(shell, "compile", None), "_filename_map", {})
    return f"In [{names.get(file, '?')}]"
