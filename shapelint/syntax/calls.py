"""The call expression at a place, and its arguments."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position, Site, Span
from shapelint.syntax.edits import replacement
from shapelint.syntax.parsing import last_name
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
        """An argument by keyword or by position; None if it is not written, or if a
        starred argument hides it."""
        by_keyword = self.keyword(*names)
        if by_keyword is not None:
            return by_keyword
        leading = self.node.args[: position + 1]
        if len(leading) <= position:
            return None
        # a star may stand for any number of arguments
        is_hidden = any(isinstance(arg, ast.Starred) for arg in leading)
        return None if is_hidden else leading[position]

    def keyword(self, *names: str) -> ast.expr | None:
        """The first keyword argument that has one of these names."""
        keywords = (word for word in self.node.keywords if word.arg in names)
        first = next(keywords, None)
        return first.value if first is not None else None

    def span(self, node: ast.expr | None = None) -> Span:
        """The place of an argument, or of the call itself."""
        return self.source.span(node or self.node)

    def replace_node(self, node: ast.expr, text: str) -> Edit:
        """Return the edit that replaces an expression by `text`."""
        return replacement(self.source, node, text)


def call_at(site: Site | None, texts: Texts) -> CallExpression | None:
    """Return the call expression at a site. Only the line is compared if the
    interpreter keeps no columns."""
    if site is None:
        return None
    source, corners = parse_file(site.file, texts), _corners_of(site)
    if source is None:
        return None
    if corners is None:
        return _find_only_call(source, _calls_on_line(source, site.line))
    node = source.calls.get(corners)
    return CallExpression(source, node) if node is not None else None


def operation_at(site: Site | None, texts: Texts) -> tuple[ParsedFile, ast.expr] | None:
    """Return the operator expression (`a + b`, `a @ b`, `x[i]`) at a site; None if the
    interpreter keeps no columns."""
    if site is None:
        return None
    source, corners = parse_file(site.file, texts), _corners_of(site)
    if source is None or corners is None:
        return None
    node = source.operations.get(corners)
    return (source, node) if node is not None else None


def layer_call(
    sites: tuple[Site, ...], class_name: str, texts: Texts
) -> CallExpression | None:
    """Return the expression in the user's code that made a layer, if it calls the
    layer's own class, so that its arguments are known.

    `sites`: the user's frames, innermost first."""
    if not sites:
        return None
    call = call_at(sites[0], texts) or _call_of(class_name, sites[0], texts)
    return call if call is not None and call.name == class_name else None


def _call_of(name: str, site: Site, texts: Texts) -> CallExpression | None:
    """The call of a name on the line of a site, if there is only one."""
    source = parse_file(site.file, texts)
    if source is None:
        return None
    on_line = _calls_on_line(source, site.line)
    named = [node for node in on_line if last_name(node.func) == name]
    return _find_only_call(source, named)


def _corners_of(site: Site) -> Corners | None:
    """The corners of a site as `ast` counts them, columns from 0; None if the
    interpreter keeps no columns, as in Python 3.10."""
    if site.column is None or site.end_line is None or site.end_column is None:
        return None
    return (site.line, site.column - 1, site.end_line, site.end_column - 1)


def _calls_on_line(source: ParsedFile, line: int) -> list[ast.Call]:
    return [node for corners, node in source.calls.items() if corners[0] == line]


def _find_only_call(source: ParsedFile, nodes: list[ast.Call]) -> CallExpression | None:
    """Return the call among some nodes if there is exactly one. With several, it is not
    known which is meant."""
    return CallExpression(source, nodes[0]) if len(nodes) == 1 else None


def call_around(file: str, position: Position, texts: Texts) -> CallExpression | None:
    """Return the smallest call expression that contains a position, or begins there."""
    source = parse_file(file, texts)
    if source is None:
        return None
    innermost: CallExpression | None = None
    latest = Position(0, 0)
    for node in source.calls.values():
        start, end = source.extent(node)
        # of two calls around one place, the inner one begins later
        if start <= position < end and start > latest:
            innermost, latest = CallExpression(source, node), start
    return innermost
