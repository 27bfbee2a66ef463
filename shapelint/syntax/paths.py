"""Files by the names that people and tools know them by."""

from __future__ import annotations

from pathlib import Path

from shapelint.facts.escape import in_one_line
from shapelint.syntax.live_cells import number_of_live_cell


def shown_path(file: str) -> str:
    """As `relative_path`, for people: in one line, and none that GitHub's runner takes
    for a command."""
    path = in_one_line(relative_path(file))
    return f"./{path}" if path.lstrip().startswith("::") else path


def relative_path(file: str) -> str:
    """Relative to the working directory when below it; a cell of this session by its
    number."""
    cell = number_of_live_cell(file)
    if cell:
        return cell
    path = Path(file)
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return str(path)
