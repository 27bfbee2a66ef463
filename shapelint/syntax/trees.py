"""A parsed file, with an index of its calls and operators by position."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from shapelint.facts.errors import UsageError
from shapelint.facts.places import Position, Span
from shapelint.syntax.parsing import Node, parse_python
from shapelint.syntax.texts import DISK, Texts

Corners = tuple[int, int, int, int]
"""First line and column, last line and column, as `ast` counts them: columns from 0, in
bytes of UTF-8."""


@dataclass(frozen=True)
class ParsedFile:
    """A file's syntax tree, its calls and operators by position, and the parent of each
    node."""

    file: str
    text: str
    tree: ast.Module
    calls: dict[Corners, ast.Call]
    parents: dict[ast.AST, ast.AST]
    operations: dict[Corners, ast.expr]
    lines: tuple[bytes, ...]
    """The lines of the text in UTF-8, in which `ast` counts columns.
    `ast.get_source_segment` would split the file at each call."""
    texts: Texts = field(default=DISK, compare=False)
    """The texts to which this file belongs, for reading other files that it leads
    to."""

    def segment(self, node: ast.AST) -> str:
        """The source text of an expression or statement."""
        line, column, end_line, end_column = corners(node)
        if not line or not end_line:
            return ""
        lines = list(self.lines[line - 1 : end_line])
        # the end is cut first: on a single line, cutting the beginning would move it
        lines[-1] = lines[-1][:end_column]
        lines[0] = lines[0][column:]
        return b"\n".join(lines).decode()

    def extent(self, node: ast.expr | ast.stmt) -> tuple[Position, Position]:
        """The positions at which an expression or statement begins and ends
        (exclusive)."""
        line, column, end_line, end_column = corners(node)
        return self._position(line, column), self._position(end_line, end_column)

    def _position(self, line: int, column: int) -> Position:
        before = self.lines[line - 1][:column]
        return Position(line, len(before.decode(errors="ignore")) + 1)

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """The place of an expression or statement."""
        start, end = self.extent(node)
        return Span(self.file, start.line, start.column, end.line, end.column)

    def methods(self, owner: str, *names: str) -> Iterator[ast.FunctionDef]:
        """The methods with these names that a class defines itself."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.ClassDef) or node.name != owner:
                continue
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name in names:
                    yield item

    def nodes_on(self, line: int, *kinds: type[Node]) -> Iterator[Node]:
        """The nodes of these kinds whose lines include `line`, outer ones first."""
        for node in ast.walk(self.tree):
            first, _, last, _ = corners(node)
            if isinstance(node, kinds) and first <= line <= last:
                yield node

    def find_enclosing(self, node: ast.AST, kind: type[Node]) -> Node | None:
        """The innermost node of a kind that contains another one, or is that node."""
        around: ast.AST | None = node
        while around is not None and not isinstance(around, kind):
            around = self.parents.get(around)
        return around

    def is_in_method(self, node: ast.AST) -> bool:
        """Whether `self` is available at a node."""
        function = self.find_enclosing(node, ast.FunctionDef)
        parameters = function.args.args if function is not None else []
        return bool(parameters) and parameters[0].arg == "self"


def corners(node: ast.AST) -> Corners:
    """Where a node begins and ends; zeros if it has no place."""
    return (
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", 0) or 0,
        getattr(node, "end_col_offset", 0) or 0,
    )


def parse_file(file: str, texts: Texts) -> ParsedFile | None:
    """Parse a file; None if it cannot be read or is not Python."""
    try:
        text = texts.text_of(file)
    except UsageError:
        return None
    parsed = _parse(file, text)
    return replace(parsed, texts=texts) if parsed is not None else None


# the file is part of the key, though the tree hangs on the text alone: files of equal
# texts are different files, and what is found in them is told apart by its nodes
@lru_cache(maxsize=64)
def _parse(file: str, text: str) -> ParsedFile | None:
    try:
        tree = parse_python(text)
    except UsageError:
        return None
    calls: dict[Corners, ast.Call] = {}
    operations: dict[Corners, ast.expr] = {}
    parents: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            parents[child] = node
        if isinstance(node, ast.Call):
            calls.update((place, node) for place in _places_of_call(node))
        elif isinstance(node, (ast.BinOp, ast.Compare, ast.Subscript)):
            operations[corners(node)] = node
    lines = tuple(line.encode() for line in text.split("\n"))
    return ParsedFile(file, text, tree, calls, parents, operations, lines)


def _places_of_call(node: ast.Call) -> Iterator[Corners]:
    """The places that the interpreter may report for a call."""
    line, _, end_line, end_column = corners(node)
    yield corners(node)
    func = node.func
    if isinstance(func, ast.Attribute) and func.end_lineno != line:
        # of a method called lines below where its expression begins, the interpreter
        # gives the place of the name
        name_line, name_end = func.end_lineno or 0, func.end_col_offset or 0
        yield name_line, name_end - len(func.attr), end_line, end_column
