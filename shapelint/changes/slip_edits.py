"""Builds the candidates that correct a slip: the same new text wherever the wrong name
is written, a statement moved, a statement removed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from shapelint.changes.text_at_place import LONGEST, write_text
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.places import Position
from shapelint.facts.slips import Slip
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file

GROUP = "slip"
"""All corrections of one slip: the best of them is shown."""

Function = ast.FunctionDef


def slip_change(
    title: str, edits: Iterable[Edit], likely: float, says: str = ""
) -> Candidate:
    """The candidate that makes these edits."""
    return Candidate(
        title,
        tuple(edits),
        group=GROUP,
        likely=likely,
        says=says,
        kind=ChangeKind.SLIP,
    )


def rewrite_all(
    source: ParsedFile, nodes: list[ast.expr], texts: list[str], likely: float
) -> Candidate:
    """Write a new text at each of several places. The first is the one that raised."""
    first = write_text(Place(source, nodes[0]), texts[0], "", likely)
    if isinstance(nodes[0], ast.Call):
        first = replace(first, title=f"`{shorten(texts[0])}`")
    others = [
        replacement(source, node, text)
        for node, text in zip(nodes[1:], texts[1:], strict=True)
    ]
    count = len(others)
    where = f" and the same in {count} other place{'s' if count > 1 else ''}"
    return replace(
        first,
        title=first.title + (where if others else ""),
        edits=(*first.edits, *others),
        group=GROUP,
        kind=ChangeKind.SLIP,
        says=f"`{texts[0]}` is what there is",
    )


def shorten(text: str) -> str:
    """A text for a title: on one line, its end left out if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


# -- places ------------------------------------------------------------------------------


def source_of(slip: Slip, texts: Texts) -> ParsedFile | None:
    """The file in which the exception was raised."""
    return parse_file(slip.sites[0].file, texts) if slip.sites else None


def nodes_at_site(slip: Slip, source: ParsedFile) -> Iterator[ast.expr]:
    """The expressions that begin on the lines of the statement that raised, outer ones
    first."""
    site = slip.sites[0]
    last = site.end_line or site.line
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr) and site.line <= node.lineno <= last:
            yield node


def class_of(slip: Slip, texts: Texts) -> tuple[ParsedFile, ast.ClassDef] | None:
    """The user's class that the slip is in, with its file."""
    file, name = slip.home
    source = parse_file(file, texts) if file and "site-packages" not in file else None
    if source is None:
        return None
    return next(
        (
            (source, node)
            for node in ast.walk(source.tree)
            if isinstance(node, ast.ClassDef) and node.name == name
        ),
        None,
    )


def methods_of(owner: ast.ClassDef) -> list[Function]:
    """The methods of a class."""
    return [item for item in owner.body if isinstance(item, ast.FunctionDef)]


def method_named(owner: ast.ClassDef, name: str) -> Function | None:
    """The method of a class with this name."""
    return next((item for item in methods_of(owner) if item.name == name), None)


def attributes_of_self(owner: ast.AST, name: str) -> list[ast.Attribute]:
    """Every `self.name` in a class."""
    return [
        node
        for node in ast.walk(owner)
        if isinstance(node, ast.Attribute)
        and node.attr == name
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    ]


def is_read(node: ast.Attribute | ast.Name) -> bool:
    """Whether a name is read, not set."""
    return isinstance(node.ctx, ast.Load)


# -- statements --------------------------------------------------------------------------


def first_statement(function: Function) -> ast.stmt:
    """The first statement of a function behind its docstring."""
    first = function.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.body[1] if is_text and len(function.body) > 1 else first


def statement_around(function: Function, line: int) -> ast.stmt | None:
    """The statement of a function's own body, not of a block in it, on a line."""
    for statement in function.body:
        if statement.lineno <= line <= (statement.end_lineno or 0):
            return statement
    return None


def remove_statement(source: ParsedFile, statement: ast.stmt) -> Edit | None:
    """The edit that removes the lines of a statement; None if it shares them."""
    first = source.lines[statement.lineno - 1]
    last_line = statement.end_lineno or statement.lineno
    rest = source.lines[last_line - 1][statement.end_col_offset :].strip()
    if first[: statement.col_offset].strip() or (rest and not rest.startswith(b"#")):
        return None
    start, end = Position(statement.lineno, 1), Position(last_line + 1, 1)
    return Edit(source.file, start, end, "")


def rename_function(source: ParsedFile, function: Function, name: str) -> Edit:
    """The edit that gives a function another name."""
    line = source.lines[function.lineno - 1].decode()
    column = line.index(function.name, line.index("def ") + 4) + 1
    start = Position(function.lineno, column)
    end = Position(function.lineno, column + len(function.name))
    return Edit(source.file, start, end, name)
