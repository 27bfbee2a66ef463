"""The call expression at a place, its arguments, and how to write them anew."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from shapelint.facts.diagnostics import Edit
from shapelint.facts.errors import UsageError
from shapelint.facts.places import Position, Site, Span
from shapelint.syntax.edits import replacement, span_of_node
from shapelint.syntax.lines import file_text, file_version, source_line
from shapelint.syntax.texts import syntax


@dataclass(frozen=True)
class ParsedFile:
    """A file's syntax tree, its calls and operators by position, and its parents."""

    file: str
    text: str
    tree: ast.Module
    calls: dict[tuple[int, int, int, int], ast.Call]
    parents: dict[ast.AST, ast.AST]
    operations: dict[tuple[int, int, int, int], ast.expr]
    lines: tuple[bytes, ...]
    """The text by lines, in UTF-8 as `ast` counts columns; `ast.get_source_segment`
    splits the file at each call."""

    def segment(self, node: ast.AST) -> str:
        """The source text of an expression or statement."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        end_line, end_column = (
            getattr(node, "end_lineno", None),
            getattr(node, "end_col_offset", None),
        )
        if not line or end_line is None or end_column is None:
            return ""
        if line == end_line:
            return self.lines[line - 1][column:end_column].decode()
        parts = [
            self.lines[line - 1][column:],
            *self.lines[line : end_line - 1],
            self.lines[end_line - 1][:end_column],
        ]
        return b"\n".join(parts).decode()


def parsed(file: str) -> ParsedFile | None:
    """The parsed file, None where it cannot be read or is not Python."""
    return _parsed(file, file_version(file))


@lru_cache(maxsize=64)
def _parsed(file: str, _version: tuple[int, int]) -> ParsedFile | None:
    try:
        text = file_text(file)
        tree = syntax(text)
    except UsageError:
        return None
    calls: dict[tuple[int, int, int, int], ast.Call] = {}
    operations: dict[tuple[int, int, int, int], ast.expr] = {}
    parents = {}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            parents[child] = node
        if isinstance(node, ast.Call):
            calls[
                (
                    node.lineno,
                    node.col_offset,
                    node.end_lineno or 0,
                    node.end_col_offset or 0,
                )
            ] = node
            func = node.func
            if isinstance(func, ast.Attribute) and func.end_lineno != node.lineno:
                # a method called lines below where its expression begins: the
                # interpreter says where its name stands
                column = (func.end_col_offset or 0) - len(func.attr)
                calls[
                    (
                        func.end_lineno or 0,
                        column,
                        node.end_lineno or 0,
                        node.end_col_offset or 0,
                    )
                ] = node
        elif isinstance(node, (ast.BinOp, ast.Compare, ast.Subscript)):
            operations[
                (
                    node.lineno,
                    node.col_offset,
                    node.end_lineno or 0,
                    node.end_col_offset or 0,
                )
            ] = node
    lines = tuple(line.encode() for line in text.split("\n"))
    return ParsedFile(file, text, tree, calls, parents, operations, lines)


@dataclass(frozen=True)
class CallExpression:
    """A call in the user's source."""

    source: ParsedFile
    node: ast.Call

    @property
    def callee(self) -> str:
        """The text before the parenthesis, `nn.Linear`."""
        return self.source.segment(self.node.func)

    @property
    def name(self) -> str:
        """The last part of the callee, `Linear`."""
        return self.callee.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        """The callee without its last part, `nn.`; empty for a bare name."""
        head, dot, _ = self.callee.rpartition(".")
        return head + dot

    @property
    def text(self) -> str:
        """The whole expression."""
        return self.source.segment(self.node)

    def argument(self, position: int, *names: str) -> ast.expr | None:
        """An argument by keyword or by position; None where it is not written, or
        hidden behind a star."""
        for keyword in self.node.keywords:
            if keyword.arg in names:
                return keyword.value
        before = self.node.args[: position + 1]
        if len(before) <= position or any(
            isinstance(arg, ast.Starred) for arg in before
        ):
            return None
        return before[position]

    def span(self, node: ast.expr | None = None) -> Span:
        """Where an argument, or the call itself, stands."""
        return span_of_node(self.source.file, node or self.node)

    def replaced(self, node: ast.expr, text: str) -> Edit:
        """The edit that writes `text` in place of an expression."""
        return replacement(self.source.file, node, text)


def call_at(site: Site | None) -> CallExpression | None:
    """The call expression at a site; by line alone where the interpreter keeps no
    columns."""
    source = parsed(site.file) if site is not None else None
    if site is None or source is None:
        return None
    if (
        site.column is not None
        and site.end_line is not None
        and site.end_column is not None
    ):
        node = source.calls.get(
            (site.line, site.column - 1, site.end_line, site.end_column - 1)
        )
        return CallExpression(source, node) if node is not None else None
    on_line = [node for key, node in source.calls.items() if key[0] == site.line]
    return CallExpression(source, on_line[0]) if len(on_line) == 1 else None


def call_around(file: str, position: Position) -> CallExpression | None:
    """The smallest call expression that a position lies in, or that begins there."""
    source = parsed(file)
    if source is None:
        return None
    at = (position.line, position.column)
    found = [CallExpression(source, node) for node in source.calls.values()]
    spans = [(call, call.span()) for call in found]
    inside = [
        (call, span)
        for call, span in spans
        if (span.line, span.column or 1)
        <= at
        < ((span.end_line or span.line), (span.end_column or 1))
    ]
    innermost = max(
        inside, key=lambda item: (item[1].line, item[1].column or 1), default=None
    )
    return innermost[0] if innermost is not None else None


def operation_at(site: Site | None) -> tuple[ParsedFile, ast.expr] | None:
    """The operator expression (`a + b`, `a @ b`, `x[i]`) at a site, where the
    interpreter keeps columns."""
    source = parsed(site.file) if site is not None else None
    if (
        site is None
        or source is None
        or site.column is None
        or site.end_line is None
        or site.end_column is None
    ):
        return None
    node = source.operations.get(
        (site.line, site.column - 1, site.end_line, site.end_column - 1)
    )
    return (source, node) if node is not None else None


def layer_call(sites: tuple[Site, ...], class_name: str) -> CallExpression | None:
    """The user's expression that made a layer, if it names the layer's class (so that
    its arguments are known)."""
    if not sites:
        return None
    call = call_at(sites[0])
    if call is None:
        source = parsed(sites[0].file)
        named = [
            node
            for key, node in (source.calls.items() if source else ())
            if key[0] == sites[0].line
            and isinstance(node.func, (ast.Attribute, ast.Name))
            and (
                node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            )
            == class_name
        ]
        call = (
            CallExpression(source, named[0])
            if source is not None and len(named) == 1
            else None
        )
    return call if call is not None and call.name == class_name else None


def indentation(file: str, node: ast.expr) -> str | None:
    """The white space before an expression that begins its line; None where something
    stands before it."""
    before = (
        source_line(file, node.lineno)
        .encode()[: node.col_offset]
        .decode(errors="replace")
    )
    return before if not before.strip() else None
