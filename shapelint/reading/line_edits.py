"""Edits that insert whole lines into a script."""

from __future__ import annotations

import ast

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position
from shapelint.syntax.trees import ParsedFile


def insert_before(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """The edit that inserts a line before a statement, with the same indentation."""
    at = Position(statement.lineno, statement.col_offset + 1)
    return Edit(source.file, at, at, f"{text}\n{_indentation(statement)}")


def insert_after(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """The edit that inserts a line after a statement, with the same indentation."""
    _, end = _ends(source, statement)
    return Edit(source.file, end, end, f"\n{_indentation(statement)}{text}")


def wrap_in_block(source: ParsedFile, statement: ast.stmt, head: str) -> Edit | None:
    """The edit that puts a statement into a block of its own; None if it contains a
    multi-line string, which indentation would change."""
    # The lines inside such a string would be indented with the others.
    if any(map(_is_string_over_lines, ast.walk(statement))):
        return None
    indent = _indentation(statement)
    first, *others = source.segment(statement).split("\n")
    body = [first, *(f"    {line}" if line.strip() else line for line in others)]
    start, end = _ends(source, statement)
    text = "\n".join([f"{head}\n{indent}    {body[0]}", *body[1:]])
    return Edit(source.file, start, end, text)


def decorate(
    source: ParsedFile,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    decorator: str,
) -> Edit:
    """The edit that adds a decorator above a function and its other decorators."""
    lines = [node.lineno for node in function.decorator_list]
    first_line = min([function.lineno, *lines])
    at = Position(first_line, function.col_offset + 1)
    return Edit(source.file, at, at, f"{decorator}\n{_indentation(function)}")


def _indentation(statement: ast.stmt) -> str:
    return " " * statement.col_offset


def _ends(source: ParsedFile, statement: ast.stmt) -> tuple[Position, Position]:
    """Where a statement begins and ends."""
    span = source.span(statement)
    start = Position(span.line, span.column or 1)
    return start, Position(span.end_line or span.line, span.end_column or 1)


def _is_string_over_lines(node: ast.AST) -> bool:
    if not isinstance(node, (ast.Constant, ast.JoinedStr)):
        return False
    return node.end_lineno != node.lineno
