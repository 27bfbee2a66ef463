"""Earlier assignments to the names in an expression."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.facts.places import Site
from shapelint.syntax.origins import assignments
from shapelint.syntax.trees import ParsedFile

NAMES = 3
"""The most names of an expression whose values are looked up."""


def values_before(source: ParsedFile, site: Site) -> Iterator[tuple[str, ast.expr]]:
    """The names in an expression and the values assigned to them, and the same for the
    names in these values."""
    scope = _function_around(source, site)
    names = _names_at(source, site)
    seen: set[str] = set()
    for _ in range(2):  # second: the names in the values
        further: list[str] = []
        for name in dict.fromkeys(names):
            value = _value_before(scope, name, site)
            if value is None or name in seen or len(seen) >= NAMES:
                continue
            seen.add(name)
            yield name, value
            parts = ast.walk(value)
            further += [part.id for part in parts if isinstance(part, ast.Name)]
        names = further


def _function_around(source: ParsedFile, site: Site) -> ast.AST:
    """The innermost function around a site, or else the file."""
    around = [*source.nodes_on(site.line, ast.FunctionDef)]
    return around[-1] if around else source.tree


def _names_at(source: ParsedFile, site: Site) -> list[str]:
    """The names on the lines of a site."""
    last = site.end_line or site.line
    return [
        node.id
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and site.line <= node.lineno <= last
    ]


def _value_before(scope: ast.AST, name: str, site: Site) -> ast.expr | None:
    """The last value assigned to a name before the line of a site."""
    found = None
    for target, value in assignments(scope):
        is_name = isinstance(target, ast.Name) and target.id == name
        if is_name and value.lineno < site.line:
            found = value
    return found
