"""The call expression at a place, its arguments, and how to write them anew."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position, Site, Span
from shapelint.syntax.edits import replacement
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import Corners, ParsedFile, parse_file


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
        return self.source.span(node or self.node)

    def replaced(self, node: ast.expr, text: str) -> Edit:
        """The edit that writes `text` in place of an expression."""
        return replacement(self.source, node, text)


def call_at(site: Site | None, texts: Texts) -> CallExpression | None:
    """The call expression at a site; by line alone where the interpreter keeps no
    columns."""
    source = parse_file(site.file, texts) if site is not None else None
    if site is None or source is None:
        return None
    place = _corners_of(site)
    if place is not None:
        node = source.calls.get(place)
        return CallExpression(source, node) if node is not None else None
    on_line = [node for key, node in source.calls.items() if key[0] == site.line]
    return CallExpression(source, on_line[0]) if len(on_line) == 1 else None


def _corners_of(site: Site) -> Corners | None:
    """A site as `ast` counts it, columns from 0; None where the interpreter keeps no
    columns."""
    if site.column is None or site.end_line is None or site.end_column is None:
        return None
    return (site.line, site.column - 1, site.end_line, site.end_column - 1)


def call_around(file: str, position: Position, texts: Texts) -> CallExpression | None:
    """The smallest call expression that a position lies in, or that begins there."""
    source = parse_file(file, texts)
    if source is None:
        return None
    at = (position.line, position.column)
    innermost: CallExpression | None = None
    latest = (0, 0)
    for node in source.calls.values():
        span = source.span(node)
        begin = (span.line, span.column or 1)
        end = (span.end_line or span.line, span.end_column or 1)
        # of two calls around one place, the inner one begins later
        if begin <= at < end and begin > latest:
            innermost, latest = CallExpression(source, node), begin
    return innermost


def operation_at(site: Site | None, texts: Texts) -> tuple[ParsedFile, ast.expr] | None:
    """The operator expression (`a + b`, `a @ b`, `x[i]`) at a site, where the
    interpreter keeps columns."""
    place = _corners_of(site) if site is not None else None
    source = parse_file(site.file, texts) if site is not None else None
    if place is None or source is None:
        return None
    node = source.operations.get(place)
    return (source, node) if node is not None else None


def layer_call(
    sites: tuple[Site, ...], class_name: str, texts: Texts
) -> CallExpression | None:
    """The user's expression that made a layer, if it names the layer's class (so that
    its arguments are known)."""
    if not sites:
        return None
    call = call_at(sites[0], texts) or _only_call_of(class_name, sites[0], texts)
    return call if call is not None and call.name == class_name else None


def _only_call_of(name: str, site: Site, texts: Texts) -> CallExpression | None:
    """The one call of a name on the line of a site; None where there are more."""
    source = parse_file(site.file, texts)
    if source is None:
        return None
    on_line = [node for key, node in source.calls.items() if key[0] == site.line]
    named = [node for node in on_line if called_name(node) == name]
    return CallExpression(source, named[0]) if len(named) == 1 else None


def called_name(node: ast.Call) -> str:
    """The last part of the name that a call calls; empty where that is none."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
