"""Runs Graphviz, which comes with the package pygraphviz."""

from __future__ import annotations

import importlib
import json
from typing import TypedDict

from shapelint.facts.errors import UsageError


class DrawnNode(TypedDict, total=False):
    """A node placed by Graphviz. `pos` is its middle, `x,y`. Subgraphs have none."""

    name: str
    pos: str


class DrawnEdge(TypedDict, total=False):
    """An edge routed by Graphviz. `pos` are the points of its curves, `lp` is the
    middle of its label."""

    id: str
    pos: str
    lp: str


class Drawn(TypedDict, total=False):
    """Graphviz's format `json0`. Lengths are in points and y runs up. `bb` is the box
    around everything, `left,bottom,right,top`."""

    bb: str
    objects: list[DrawnNode]
    edges: list[DrawnEdge]


def has_graphviz() -> bool:
    """Whether pictures can be laid out."""
    try:
        importlib.import_module("pygraphviz")
    except ImportError:  # also where its libraries do not load
        return False
    return True


def require_graphviz() -> None:
    """Refuse to draw without Graphviz. Called before a model is walked.

    Raises:
        UsageError: pygraphviz cannot be imported.
    """
    if not has_graphviz():
        raise UsageError(
            "pictures need Graphviz, which is not installed; `pip install 'shapelint[html]'`"
        )


def run_dot(text: str) -> Drawn:
    """Lay out a graph that is written in the DOT language."""
    import pygraphviz

    graph = pygraphviz.AGraph(text)
    try:
        drawn: Drawn = json.loads(graph.draw(format="json0", prog="dot"))
        return drawn
    finally:
        graph.close()
