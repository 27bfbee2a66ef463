"""File names as users and tools write them."""

from __future__ import annotations

from pathlib import Path

from shapelint.facts.escape import in_one_line
from shapelint.syntax.live_cells import number_of_live_cell


def shown_path(file: str) -> str:
    """Like `relative_path`, but safe to print: on one line, and never a command for
    GitHub's runner."""
    path = in_one_line(relative_path(file))
    return f"./{path}" if path.lstrip().startswith("::") else path


def relative_path(file: str) -> str:
    """A path relative to the working directory if it is below it. A cell of this
    session is named by its number."""
    cell = number_of_live_cell(file)
    if cell:
        return cell
    path = Path(file)
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return str(path)
