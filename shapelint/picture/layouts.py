"""Lays out a picture, one module at a time, from the inside out.

The contents of a module are placed between ports, one for each tensor that enters or
leaves. In the surrounding module it is then one node with ports at the same places, so
that lines continue across its border."""

from __future__ import annotations

from collections.abc import Callable

from shapelint.picture.column import lay_out_in_column
from shapelint.picture.dot import ModuleGraph
from shapelint.picture.geometry import Layout
from shapelint.picture.graphviz import Drawn, run_dot
from shapelint.picture.plan import Plan

FAR = 500
"""How many blocks the lines of one module may have to go around. Beyond that, Graphviz
takes minutes, as in a dense block, where every layer gets the results of all before it,
or in an unrolled loop (`shapelint.picture.column`)."""


class Layouts:
    """The layouts of one picture."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        # By the text of the graph: the equal blocks of a deep network are laid out once.
        self._drawn: dict[str, Drawn] = {}

    def lay_out(self, module: int, is_open: Callable[[int], bool]) -> Layout:
        """Lay out a module, and the open modules in it."""
        inner = {
            child: self.lay_out(child, is_open)
            for child in self.plan.children[module]
            if child in self.plan.children and is_open(child)
        }
        return self._arrange(module, inner)

    def lay_out_folded(self, module: int) -> Layout:
        """Lay out a module with all modules in it closed."""
        return self._arrange(module, {})

    def _arrange(self, module: int, inner: dict[int, Layout]) -> Layout:
        if self.plan.count_detours(module) > FAR:
            return lay_out_in_column(self.plan, module, inner)
        graph = ModuleGraph(self.plan, module, inner)
        text = graph.write()
        if text not in self._drawn:
            self._drawn[text] = run_dot(text)
        return graph.read(self._drawn[text])
