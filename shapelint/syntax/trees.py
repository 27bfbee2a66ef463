"""A file as a syntax tree, with its calls and operators by position."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from shapelint.facts.errors import UsageError
from shapelint.facts.places import Span
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import DISK, Texts

Corners = tuple[int, int, int, int]
"""First line and column, last line and column, as `ast` counts them."""


@dataclass(frozen=True)
class ParsedFile:
    """A file's syntax tree, its calls and operators by position, and its parents."""

    file: str
    text: str
    tree: ast.Module
    calls: dict[Corners, ast.Call]
    parents: dict[ast.AST, ast.AST]
    operations: dict[Corners, ast.expr]
    lines: tuple[bytes, ...]
    """The text by lines, in UTF-8 as `ast` counts columns; `ast.get_source_segment`
    splits the file at each call."""
    texts: Texts = field(default=DISK, compare=False)
    """The texts that this is one of, by which what leads to other files is read."""

    def segment(self, node: ast.AST) -> str:
        """The source text of an expression or statement."""
        line, column, end_line, end_column = corners(node)
        if not line or not end_line:
            return ""
        if line == end_line:
            return self.lines[line - 1][column:end_column].decode()
        parts = [
            self.lines[line - 1][column:],
            *self.lines[line : end_line - 1],
            self.lines[end_line - 1][:end_column],
        ]
        return b"\n".join(parts).decode()

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """Where an expression or statement stands, columns in characters."""
        line, column, end_line, end_column = corners(node)
        end_line = end_line or line
        return Span(
            self.file,
            line,
            self._in_characters(line, column),
            end_line,
            self._in_characters(end_line, end_column),
        )

    def methods(self, owner: str, *names: str) -> Iterator[ast.FunctionDef]:
        """The methods of these names that a class defines itself."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.ClassDef) or node.name != owner:
                continue
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name in names:
                    yield item

    def _in_characters(self, line: int, column: int) -> int:
        return len(self.lines[line - 1][:column].decode(errors="ignore")) + 1

    def indentation(self, node: ast.expr) -> str | None:
        """The white space before an expression that begins its line; None where
        something stands before it."""
        before = self.lines[node.lineno - 1][: node.col_offset]
        return before.decode() if not before.strip() else None


def corners(node: ast.AST) -> Corners:
    """Where a node begins and ends; zeros for what has no place."""
    return (
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", 0) or 0,
        getattr(node, "end_col_offset", 0) or 0,
    )


def parse_file(file: str, texts: Texts) -> ParsedFile | None:
    """The parsed file, None where it cannot be read or is not Python."""
    try:
        text = texts.text_of(file)
    except UsageError:
        return None
    parsed = _parse(file, text)
    return replace(parsed, texts=texts) if parsed is not None else None


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
    """Where the interpreter may say that a call stands."""
    line, _, end_line, end_column = corners(node)
    yield corners(node)
    func = node.func
    if isinstance(func, ast.Attribute) and func.end_lineno != line:
        # of a method called lines below where its expression begins, the interpreter
        # gives the place of the name
        name_line, name_end = func.end_lineno or 0, func.end_col_offset or 0
        yield name_line, name_end - len(func.attr), end_line, end_column
