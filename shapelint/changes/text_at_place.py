"""Builds the candidate that writes another text at a place in the code, with its
title."""

from __future__ import annotations

import ast

from shapelint.changes import weights
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place
from shapelint.syntax.trees import ParsedFile

LONGEST = 70
"""The most characters of code in the title of a change."""

_SCOPES = (ast.FunctionDef, ast.ClassDef, ast.Module)


def write_text(
    place: Place, text: str, layer: str, likely: float, name: str = ""
) -> Candidate:
    """The candidate that writes `text` at a place. `name`: the argument at that
    place."""
    edit = replacement(place.source, place.node, text)
    says = f"`{text}` fits" + (f" as `{name}`" if name else "")
    title = f"`{show_change(place, text)}`"
    return Candidate(title, (edit,), layer, group_of(edit), likely=likely, says=says)


def write_layout(
    source: ParsedFile, node: ast.expr, text: str, layer: str, group: str, says: str
) -> Candidate:
    """The candidate that lays out what an expression holds as it is wanted. `group`:
    what it does, wherever it is done."""
    edit = replacement(source, node, text)
    return Candidate(
        f"`{text}`",
        (edit,),
        layer,
        group=f"{group}@{group_of(edit)}",
        likely=weights.LAYOUT,
        says=says,
        kind=ChangeKind.LAYOUT,
    )


def group_of(edit: Edit) -> str:
    """The group of all changes at one place."""
    return f"{edit.start.line}:{edit.start.column}"


def show_change(place: Place, text: str) -> str:
    """The smallest call or statement around a place with `text` in it, on one line and
    shortened."""
    named = _name_before(place)
    if named is not None:
        value, name = named
        entry = " ".join(f"{name}{_with_text(place, value, text)}".split())
        return entry if len(entry) <= LONGEST else text
    node = _call_or_statement_around(place)
    whole = " ".join(_with_text(place, node, text).split())
    is_long = len(whole) > LONGEST
    if is_long and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # the last part of `torch.stack(...).flatten(3)`
        before = " ".join(place.source.segment(node.func.value).split())
        whole = whole.removeprefix(before)
    return whole if len(whole) <= LONGEST and "`" not in whole else text


def _call_or_statement_around(place: Place) -> ast.AST:
    node: ast.AST = place.node
    while node is place.node or not isinstance(node, (ast.Call, ast.stmt)):
        parent = place.source.parents.get(node)
        if parent is None or isinstance(parent, _SCOPES):
            break
        node = parent
    return node


def _name_before(place: Place) -> tuple[ast.AST, str] | None:
    """The value that a place is in, and the name before it: `width=` of a default,
    `"filters": ` of an entry; None where it is the value of neither."""
    parents = place.source.parents
    value: ast.AST = place.node
    around = parents.get(value)
    while isinstance(around, (ast.Tuple, ast.List, ast.BinOp)):
        value, around = around, parents.get(around)
    if isinstance(around, ast.arguments):
        name = _parameter_of(around, value)
        return (value, f"{name}=") if name else None
    if isinstance(around, ast.Dict):
        pairs = zip(around.keys, around.values, strict=True)
        keys = [key for key, node in pairs if node is value and key is not None]
        return (value, f"{place.source.segment(keys[0])}: ") if keys else None
    return None


def _parameter_of(signature: ast.arguments, default: ast.AST) -> str:
    """The parameter of which an expression is the default."""
    positional = [*signature.posonlyargs, *signature.args]
    with_default = positional[len(positional) - len(signature.defaults) :]
    pairs: list[tuple[ast.arg, ast.expr | None]] = [
        *zip(with_default, signature.defaults, strict=True),
        *zip(signature.kwonlyargs, signature.kw_defaults, strict=True),
    ]
    return next((arg.arg for arg, node in pairs if node is default), "")


def _with_text(place: Place, outer: ast.AST, text: str) -> str:
    """The text of `outer` with the text at a place replaced."""
    whole = place.source.segment(outer) or text
    first_line = getattr(outer, "lineno", 0)
    first_column = getattr(outer, "col_offset", 0)
    lines = whole.split("\n")
    node = place.node
    line, column = node.lineno - first_line, node.col_offset
    end_line, end_column = (node.end_lineno or 0) - first_line, node.end_col_offset or 0
    # the text does not include the part of the first line before `outer`
    if line == 0:
        column -= first_column
    if end_line == 0:
        end_column -= first_column
    if not 0 <= line <= end_line < len(lines):
        return text
    # columns count bytes
    before = lines[line].encode()[:column].decode(errors="replace")
    behind = lines[end_line].encode()[end_column:].decode(errors="replace")
    return "\n".join([*lines[:line], f"{before}{text}{behind}", *lines[end_line + 1 :]])
