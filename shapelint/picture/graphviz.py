"""Graphviz, which the package pygraphviz carries: what it is told and what it gives."""

from __future__ import annotations

import importlib
import json
from typing import Any

from shapelint.facts.errors import UsageError


def has_graphviz() -> bool:
    """Whether pictures can be laid out."""
    try:
        importlib.import_module("pygraphviz")
    except ImportError:  # also where its libraries do not load
        return False
    return True


def require_graphviz() -> None:
    """Graphviz is wanted; better said before a model is walked than after.

    Raises:
        UsageError: it is not there.
    """
    if not has_graphviz():
        raise UsageError(
            "pictures are laid out by Graphviz, which is not there; `pip install 'shapelint[html]'`"
        )


def laid_out(text: str) -> dict[str, Any]:
    """What `dot` makes of a graph, as its JSON."""
    import pygraphviz

    graph = pygraphviz.AGraph(text)
    try:
        drawn: dict[str, Any] = json.loads(graph.draw(format="json0", prog="dot"))
        return drawn
    finally:
        graph.close()


def port_cells(
    ports: dict[int, float], width: float, letter: str
) -> list[tuple[float, float, str | None]]:
    """A row of a node: a cell of two points for each port, and what is between them."""
    cells: list[tuple[float, float, str | None]] = []
    reached = 0.0
    order = sorted(range(len(ports)), key=lambda k: list(ports.values())[k])
    for k in order:
        x = list(ports.values())[k]
        gap = round(x - 1 - reached)
        if gap > 0:
            cells.append((gap, 1, None))
            reached += gap
        cells.append((2, 1, f"{letter}{k}"))
        reached += 2
    if width - reached >= 1:
        cells.append((round(width - reached), 1, None))
    return cells


def fixed_table(rows: list[list[tuple[float, float, str | None]]]) -> str:
    """Cells of fixed sizes (width, height, port), as Graphviz writes a table; there is
    no text, so no font is asked."""
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
    for row in rows:
        inner = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>'
        for width, height, port in row:
            named = f' PORT="{port}"' if port else ""
            inner += f'<TD FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"{named}></TD>'
        table += f"<TR><TD>{inner}</TR></TABLE></TD></TR>"
    return table + "</TABLE>"
