"""A parsed file and an edit of it, both by offsets in the text."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import pairwise

Lines = tuple[int, int]


@dataclass(frozen=True)
class Mutation:
    """Replace the text between two offsets. `lines`: first and last line of what was
    changed, from 1."""

    kind: str
    start: int
    end: int
    text: str
    lines: Lines

    def applied(self, source: str) -> str:
        """The broken file."""
        return source[: self.start] + self.text + source[self.end :]


@dataclass(frozen=True)
class Editable:
    """A parsed file that answers with offsets."""

    source: str
    tree: ast.Module
    starts: tuple[int, ...]
    defined: frozenset[str]
    """The names of its classes and functions."""

    @classmethod
    def of(cls, source: str) -> Editable:
        """Parse a file; columns of `ast` are bytes, so files beyond ASCII are not for
        us.

        Raises:
            ValueError: the file holds other characters than ASCII.
        """
        if not source.isascii():
            raise ValueError("not ASCII")
        starts = [0]
        for line in source.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        tree = ast.parse(source)
        defined = frozenset(
            node.name
            for node in ast.walk(tree)
            if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        )
        return cls(source, tree, tuple(starts), defined)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Offsets of a node."""
        assert isinstance(node, (ast.expr, ast.stmt, ast.keyword))
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0),
        )

    def text(self, node: ast.AST) -> str:
        """The source of a node."""
        start, end = self.span(node)
        return self.source[start:end]

    def next_statement(self, node: ast.AST) -> int:
        """First line of the statement after the one a node stands in; its own where it
        is the last."""
        for parent in ast.walk(self.tree):
            body = (
                parent.body
                if isinstance(parent, (ast.FunctionDef, ast.For, ast.If))
                else []
            )
            for statement, following in pairwise(body):
                if any(inner is node for inner in ast.walk(statement)):
                    return following.lineno
        return int(getattr(node, "lineno", 1))

    def replace_node(self, kind: str, node: ast.expr, text: str) -> Mutation:
        """The mutation that writes `text` for an expression."""
        return Mutation(
            kind, *self.span(node), text, (node.lineno, node.end_lineno or node.lineno)
        )
